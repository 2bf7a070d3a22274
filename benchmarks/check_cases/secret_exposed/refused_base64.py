import base64

_BLOB = "cG9zdGdyZXM6Ly9hcHA6VHc5a1EyenZMQGRiLnByb2QuaW50ZXJuYWwvYXBw"


def dsn():
    return base64.b64decode(_BLOB).decode()
