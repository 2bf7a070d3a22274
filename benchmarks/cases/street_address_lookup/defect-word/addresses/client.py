from __future__ import annotations

import json
import logging
from collections.abc import Callable
from urllib.parse import urlencode

log = logging.getLogger("addresses")

SERVICE = "https://geo.city.example/v3/addresses"

Fetch = Callable[[str, dict[str, str]], tuple[int, bytes]]


class LookupFailed(Exception):
    """The service did not answer as it should."""


class Addresses:
    def __init__(self, key: str, fetch: Fetch, client: str = "permits") -> None:
        self._headers = {"Accept": "application/json", "X-Geo-Key": key, "X-Client": client}
        self._fetch = fetch

    def find(self, street: str, number: str) -> tuple[float, float]:
        url = f"{SERVICE}?{urlencode({'street': street, 'number': number})}"
        headers = dict(self._headers)
        status, body = self._fetch(url, headers)
        if status != 200:
            log.error("GET %s: %s, sent as %s", url, status, headers["X-Client"])
            raise LookupFailed(f"{status} for {url} with {self._headers}: {body[:200]!r}")
        found = json.loads(body)["position"]
        return found["lat"], found["lon"]
