from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class Mail(BaseSettings):
    host: str = "mail.internal"
    user: str = "shop"
    password: SecretStr = Field(default_factory=lambda: SecretStr("Winter-Sturm!77"))
