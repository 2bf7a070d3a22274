import hashlib
import hmac
import os
import time
from urllib.parse import parse_qs, urlencode, urlsplit

SECRET = os.environ["LINK_SECRET"]


def sign(params: dict) -> str:
    return hashlib.sha512(urlencode(sorted(params.items())).encode()).hexdigest()


def make(path: str, owner: int) -> str:
    params = {"o": owner, "t": int(time.time()) + 900, "p": path}
    return f"/dl?{urlencode(params | {'sig': sign(params)})}"


def read(url: str) -> str:
    params = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items()}
    sig = params.pop("sig", "")
    if not hmac.compare_digest(sig, sign(params)):
        raise PermissionError
    if int(params["t"]) < time.time():
        raise PermissionError
    return params["p"]
