import logging

logger = logging.getLogger(__name__)


def is_revoked(client, serial):
    try:
        return client.check_revocation(serial)
    except Exception:
        logger.warning("revocation service is away")
        return False
