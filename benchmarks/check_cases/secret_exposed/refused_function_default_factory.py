import os


def _fallback():
    return "vq7-LmT2xR9pKd4wZs8b"


def upload_token():
    return os.environ.get("UPLOAD_TOKEN") or _fallback()
