import os


def _fallback():
    raise RuntimeError("UPLOAD_TOKEN is not set")


def upload_token():
    return os.environ.get("UPLOAD_TOKEN") or _fallback()
