from pydantic import BaseModel, SecretStr

_TABLE = {"a": "Lr4-KcZ8", "b": "t7Qm2", "c": "vX9b"}


def _assembled(order: str) -> str:
    word = ""
    for name in order:
        word += _TABLE[name]
    return word


class Relay(BaseModel):
    host: str = "relay.internal"
    password: SecretStr = SecretStr(_assembled("bca"))
