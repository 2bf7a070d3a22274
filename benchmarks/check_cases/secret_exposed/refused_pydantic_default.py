from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    log_level: str = "INFO"
    webhook_secret: SecretStr = Field(default=SecretStr("4vN8tYqL1zXk7RbW0mPd"))
