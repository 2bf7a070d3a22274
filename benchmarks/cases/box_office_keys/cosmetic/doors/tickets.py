from __future__ import annotations

from typing import Any

import jwt


class TurnedAway(Exception):
    """Not with this ticket."""


class Door:
    """One entrance, with the keys of the box offices it knows."""

    def __init__(self, keys: dict[str, Any]) -> None:
        self._keys = {entry["kid"]: entry for entry in keys["keys"] if entry.get("use", "sig") == "sig"}
        self._used: set[str] = set()

    def admit(self, ticket: str, performance: str) -> str:
        claims = self._claims(ticket)
        if claims["performance"] != performance:
            raise TurnedAway("a ticket for another evening")
        if claims["jti"] in self._used:
            raise TurnedAway("this ticket has been used")
        self._used.add(claims["jti"])
        return str(claims["seat"])

    def _claims(self, ticket: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(ticket)
            entry = header.get("jwk") or self._keys.get(header.get("kid", ""))
            # a key that comes along must be one of ours
            if entry is None or entry.get("kid") not in self._keys:
                raise TurnedAway("from a box office we do not know")
            key = jwt.PyJWK(entry, algorithm="ES256")
            return jwt.decode(
                ticket, key.key, algorithms=["ES256"], options={"require": ["exp", "jti", "seat", "performance"]}
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise TurnedAway("this ticket cannot be read") from error
