"""What every adapter does with leases, whatever its medium: which names there are, and what a fence lets through."""

from __future__ import annotations

import re

from squads.adapters.ledger_rows import STREAM_CHARS_MAX
from squads.contracts.errors import InvalidInput, LeaseLost
from squads.kernel.ports import Lease

HOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""A holder's name. It may become a file's name: no separator, and no leading dot."""


def check_names(holder: str, packet: str | None = None) -> None:
    """Raise `InvalidInput` for what names no holder, or no packet."""
    if not HOLDER.fullmatch(holder):
        raise InvalidInput(f"{holder[:80]!r} names no holder: 1 to 200 letters, digits, '.', '_' and '-'")
    if packet is not None and (not 1 <= len(packet) <= STREAM_CHARS_MAX or not packet.isprintable()):
        raise InvalidInput(f"{packet[:80]!r} names no packet: 1 to {STREAM_CHARS_MAX} printable characters")


def check_fence(fence: Lease, found: tuple[str, int] | None) -> bool:
    """Return whether the lease is to be taken with the append. Raises `LeaseLost` where it is not in force.

    `found` is the holder and token that stand there; an empty holder gave the packet back.
    """
    if found == (fence.holder, fence.token):
        return False
    if found is None and fence.token == 1:
        return True
    held = f"{found[0]} holds it with token {found[1]}" if found and found[0] else "nobody holds it"
    raise LeaseLost(
        f"packet {fence.packet} is not held by {fence.holder} with token {fence.token} any more: {held}; "
        "nothing was written, follow it or take it again"
    )
