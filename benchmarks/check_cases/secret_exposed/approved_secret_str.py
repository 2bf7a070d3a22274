import logging

from pydantic import SecretStr
from pydantic_settings import BaseSettings

logger = logging.getLogger(__name__)


class Settings(BaseSettings):
    host: str = "localhost"
    password: SecretStr


def boot(settings: Settings):
    logger.info("settings: %s", settings)
    return settings.password.get_secret_value()
