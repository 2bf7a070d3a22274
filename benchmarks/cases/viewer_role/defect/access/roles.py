"""Which role may do what."""

from __future__ import annotations

from enum import Flag, auto


class May(Flag):
    NOTHING = 0
    READ = auto()
    WRITE = auto()
    DELETE = auto()
    INVITE = auto()


ROLES: dict[str, May] = {
    "editor": May.READ | May.WRITE,
    "owner": May.READ | May.WRITE | May.DELETE | May.INVITE,
    "robot": May.WRITE,
    "viewer": May.READ,
}
