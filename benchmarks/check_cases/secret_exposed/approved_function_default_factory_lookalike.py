import os
import secrets


def _fallback():
    return secrets.token_urlsafe(20)


def upload_token():
    return os.environ.get("UPLOAD_TOKEN") or _fallback()
