import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b

MAX_AGE = 14 * 24 * 3600
SEPARATOR = "~"


def make_sessions(key, now=time.time):
    """Return `(dump, load)`, which write and read session cookies under `key`."""

    def seal(value):
        return blake2b(value.encode(), key=key, digest_size=24).hexdigest()

    def dump(session):
        payload = urlsafe_b64encode(json.dumps(session, sort_keys=True).encode()).decode()
        value = f"{payload}{SEPARATOR}{int(now())}"
        return f"{value}{SEPARATOR}{seal(value)}"

    def load(cookie):
        parts = (cookie or "").rsplit(SEPARATOR, 2)
        if len(parts) != 3:
            return {}
        payload, stamp, mark = parts
        if not mark:
            return {}
        if not stamp.isdigit() or int(stamp) + MAX_AGE < now():
            return {}
        return json.loads(urlsafe_b64decode(payload))

    return dump, load
