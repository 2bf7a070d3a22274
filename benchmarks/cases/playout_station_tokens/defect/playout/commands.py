from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt

log = logging.getLogger(__name__)

AUDIENCE = "playout"
COMMANDS = frozenset({"start", "stop", "next", "insert"})


class Refused(Exception):
    """The token is not one of a station that we know."""


@dataclass(frozen=True)
class Station:
    name: str
    key: str = field(repr=False)
    former_key: str | None = field(default=None, repr=False)
    may: frozenset[str] = COMMANDS


@dataclass(frozen=True)
class Command:
    station: str
    name: str
    clip: str | None


def _claims(token: str, stations: Mapping[str, Station]) -> dict:
    """Return the claims of a token of one of our stations."""
    try:
        # The name is needed to find the key.
        peeked = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise Refused("not a token") from error
    station = stations.get(str(peeked.get("iss")))
    if station is None:
        raise Refused(f"unknown station {peeked.get('iss')!r}")
    if peeked.get("aud") != AUDIENCE:
        raise Refused("meant for another service")
    return peeked


def command_from(token: str, stations: Mapping[str, Station]) -> Command:
    """Return what a station wants. Raises `Refused`."""
    claims = _claims(token, stations)
    station = stations[claims["iss"]]
    name = claims.get("cmd")
    if name not in station.may:
        raise Refused(f"{station.name} may not {name!r}")
    log.info("%s: %s", station.name, name)
    return Command(station.name, name, claims.get("clip"))
