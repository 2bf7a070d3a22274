import logging

logger = logging.getLogger(__name__)


def _masked(value):
    text = str(value)
    return text.strip()


def rotate(store, api_key):
    store.put(api_key)
    logger.info("rotated the key to %s", _masked(api_key))
