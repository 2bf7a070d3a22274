import hashlib
import logging

logger = logging.getLogger(__name__)


def mask(value):
    return "*" * 8 + value[-4:]


def rotate(store, api_key, password):
    store.put(api_key)
    logger.info("rotated to %s (%s)", mask(api_key), hashlib.sha256(api_key.encode()).hexdigest()[:12])
    logger.info("password of %d characters, key ends in %s", len(password), api_key[-4:])
    logger.debug("password is set: %s", bool(password))
