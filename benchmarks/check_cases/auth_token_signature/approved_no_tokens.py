import base64
import json


def cursor(text: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(text))


def basic(header: str) -> list[str]:
    return base64.b64decode(header.split(" ", 1)[1]).decode().split(":", 1)


def registry_host(secret) -> str:
    settings = json.loads(base64.b64decode(secret.data[".dockerconfigjson"]))
    return next(iter(settings["auths"])).split(".")[1]
