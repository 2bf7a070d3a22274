from pydantic_settings import BaseSettings


class Mail(BaseSettings):
    host: str = "mail.internal"
    user: str = "shop"
    password: str
