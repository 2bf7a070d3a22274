import logging

logger = logging.getLogger(__name__)


async def login(client, user, password):
    answer = await client.post("/login", data={"user": user, "password": password})
    token = answer.json()["access_token"]
    shown = "*" * 4 + token
    logger.debug("login of %s gave %s", user, shown)
    return token
