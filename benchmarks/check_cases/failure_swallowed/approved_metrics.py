import logging

logger = logging.getLogger(__name__)


def save(store, statsd, item):
    store.save(item)
    try:
        statsd.increment("items.saved")
    except Exception:
        logger.debug("no metrics", exc_info=True)
    return True
