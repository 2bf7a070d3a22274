"""Ids that follow from what they name: after a crash the same work gets the same id, and a replay finds it again."""

from __future__ import annotations

import hashlib


def identify(nonce: str, noun: str, *parts: object) -> str:
    """Return the id of `noun` with these parts in the packet of `nonce`, as 64 hex digits.

    The nonce makes ids of different packets unrelated; the parts are joined with a character that none may contain.
    """
    return hashlib.sha256("\x1f".join((nonce, noun, *map(str, parts))).encode()).hexdigest()


def ticket_id(nonce: str, task: int | None, attempt: int, gate: str, subject: str, ask: int) -> str:
    """Return the id of the question that one verdict answers: packet nonce, task, attempt, gate, subject, ask."""
    return identify(nonce, "ticket", task or 0, attempt, gate, subject, ask)


def packet_deadline_id(nonce: str) -> str:
    """Return the id that the packet's own deadline is about."""
    return identify(nonce, "packet")
