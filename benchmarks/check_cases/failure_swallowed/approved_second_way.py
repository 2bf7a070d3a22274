import logging

logger = logging.getLogger(__name__)


def store(primary, secondary, item):
    try:
        primary.save(item)
    except ConnectionError:
        logger.warning("primary is away, writing to the secondary")
        secondary.save(item)
    return True
