import hashlib
import logging

logger = logging.getLogger(__name__)


async def login(client, user, password):
    answer = await client.post("/login", data={"user": user, "password": password})
    token = answer.json()["access_token"]
    logger.debug("login of %s gave %s", user, hashlib.sha256(token.encode()).hexdigest()[:8])
    return token
