"""What a made row holds, and the two ways in which a run ends before its end."""

from __future__ import annotations

Value = None | int | float | str


class Stops(Exception):
    """PostgreSQL would raise an error here: the migration stops, and nothing is lost."""


class NotKnown(Exception):
    """What is asked for cannot be rehearsed."""
