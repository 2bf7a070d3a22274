import logging

from app import settings

logger = logging.getLogger(__name__)


def verify_backup(storage, name):
    try:
        storage.verify(name)
    except Exception:
        logger.exception("verification failed")
        if settings.DEBUG:
            raise
    return "verified"
