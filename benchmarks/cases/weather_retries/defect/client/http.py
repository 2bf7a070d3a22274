"""Talks to the weather service."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from client.auth import headers

RETRIES = 5
TIMEOUT_SECONDS = 10.0
RETRY_STATUS = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Reply:
    status: int
    body: str


Send = Callable[[str, dict[str, str], float, bool], Reply]


def get(url: str, send: Send, *, verify: bool = True, sleep: Callable[[float], None] = time.sleep) -> Reply:
    """Return the reply of the first try that the service did not put off."""
    for number in range(1 + RETRIES):
        reply = send(url, headers(), TIMEOUT_SECONDS, verify)
        if reply.status not in RETRY_STATUS:
            return reply
        sleep(0.5 * 2**number)
    return reply
