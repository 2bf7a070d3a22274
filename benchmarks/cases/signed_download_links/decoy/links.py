import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs, urlencode, urlsplit

HOST = "https://files.example"
# SHA-256 of the key in use, so that a typing error shows at the first link and not at the customer's.
KEY_FINGERPRINTS = {
    "e9a61dd05a40c60fc66a3f86b3bc3ba0b68ae5be3dd9ac59a6a1a8a5d27a0c5a",
    "657e13fca9a3d9e6f67b24e0e1ba52585613d9efe6d335e074d9863e463f0c58",
}


class LinkKeyMissing(RuntimeError):
    pass


def _key():
    try:
        key = bytes.fromhex(os.environ["LINK_KEY"])
    except KeyError:
        raise LinkKeyMissing("LINK_KEY is not set; it is the key of the download server") from None
    if hashlib.sha256(key).hexdigest() not in KEY_FINGERPRINTS:
        raise LinkKeyMissing("LINK_KEY is not the key of the download server")
    return key


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
