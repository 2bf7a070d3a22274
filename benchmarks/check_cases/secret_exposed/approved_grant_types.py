from enum import StrEnum


class Grant(StrEnum):
    PASSWORD = "password"
    TOKEN = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    SECRET = "client_secret_basic"


FIELDS = {"password": "user_password", "secret": "secret_v2", "token": "token2"}
