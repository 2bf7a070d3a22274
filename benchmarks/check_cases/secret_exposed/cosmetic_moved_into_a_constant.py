import os

_FALLBACK = "v9Xk-27mQ-zR4t-LwB8"


def signing_key() -> str:
    """Return the key; production always sets the variable."""
    return os.environ.get("SIGNING_KEY", _FALLBACK)
