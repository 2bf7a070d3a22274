import logging

logger = logging.getLogger(__name__)


async def revoke(token):
    await token.store.delete(token.id)


async def sign_out(token):
    result = revoke(token)
    logger.info("revoked: %s", result)
