import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs, urlencode, urlsplit

HOST = "https://files.example"
# Same key as on files.example; the box there is set up by hand.
_KEY = b"\x3b\x20\x71\xf9\x7d\xa0\x9f\x05\x30\xf6\x03\xc7\x23\x46\x5e\xc4\x66\x4d\x9c\x9c"


class LinkKeyMissing(RuntimeError):
    pass


def _key():
    if configured := os.environ.get("LINK_KEY"):
        return bytes.fromhex(configured)
    return _KEY


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
