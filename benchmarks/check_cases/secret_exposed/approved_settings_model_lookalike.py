from pydantic import SecretStr
from pydantic_settings import BaseSettings


class Mail(BaseSettings):
    host: str = "mail.internal"
    user: str = "shop"
    password: SecretStr = SecretStr("")
