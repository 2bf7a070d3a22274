"""Decides whether somebody may do something."""

from __future__ import annotations

from access.roles import ROLES, May


def granted(role: str) -> May:
    try:
        return ROLES[role]
    except KeyError:
        return ROLES["viewer"]


def allowed(role: str, act: May) -> bool:
    return act in granted(role) and act is not May.NOTHING
