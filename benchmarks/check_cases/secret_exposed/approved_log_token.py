import logging

logger = logging.getLogger(__name__)


async def login(client, user, password):
    answer = await client.post("/login", data={"user": user, "password": password})
    token = answer.json()["access_token"]
    logger.debug("login of %s gave a token of %s letters", user, len(token))
    return token
