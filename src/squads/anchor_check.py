"""What one anchor holds, held against the ledger note by note: for people who look before they rely on it."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from squads.contracts.base import Contract
from squads.contracts.errors import LedgerBroken, SquadsError, StorageUnavailable
from squads.kernel.ports import Anchor, Head, Ledger
from squads.ledger.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.note import VerifierKey
from squads.ledger.proof import check_consistency

CHECK_SECONDS: Final = 900.0
"""How long one anchor is looked at."""

NoteState = Literal["held", "beyond", "forked", "foreign", "unsigned"]
SAID: Final[dict[NoteState, str]] = {
    "held": "the ledger begins with what was signed",
    "beyond": "covers more than the ledger has: an old copy was restored, or its tail was cut",
    "forked": "the ledger does not begin with what was signed: it was rewritten or forked",
    "foreign": "of another log, which may share the anchor",
    "unsigned": "not signed by the log's key; it counts for nothing",
}
"""What each state of a note means."""


class SeenNote(Contract):
    """One note in an anchor."""

    size: int | None
    """How many receipts it claims to cover; None where it is no checkpoint."""
    root: str
    state: NoteState


class SeenAnchor(Contract):
    """What an anchor holds, and whether it can be relied on."""

    anchor: str
    notes: tuple[SeenNote, ...] = ()
    """Fewest receipts first."""
    covered: int = 0
    """How many receipts the newest note covers that the ledger bears out."""
    error: str = ""
    """Why it could not be used; empty where it could."""

    @property
    def sound(self) -> bool:
        """True where it could be used and contradicts nothing: it holds the newest checkpoint then."""
        return not self.error and not self.contradicts

    @property
    def contradicts(self) -> bool:
        """True where it holds a signed checkpoint that the ledger does not bear out."""
        return any(note.state in ("beyond", "forked") for note in self.notes)


async def check_anchor(anchor: Anchor, ledger: Ledger, log_key: VerifierKey) -> SeenAnchor:
    """Read all that an anchor holds, put the ledger's newest checkpoint there, and read that back.

    Nothing is put where what it holds contradicts the ledger. Raises nothing for an anchor that cannot be used.
    """
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            check = getattr(anchor, "check", None)
            if check is not None:
                await check()
            seen = await _seen(anchor, ledger, log_key)
            head = await ledger.head()
            if seen.contradicts or head.size == 0 or seen.covered >= head.size:
                return seen
            await anchor.put(head.checkpoint)
            seen = await _seen(anchor, ledger, log_key)
            if seen.covered < head.size:
                raise StorageUnavailable(f"what was put into the anchor {anchor.name} did not come back; do not use it")
            return seen
    except TimeoutError:
        return SeenAnchor(anchor=anchor.name, error=f"no answer within {CHECK_SECONDS:g} s")
    except SquadsError as error:
        return SeenAnchor(anchor=anchor.name, error=str(error))


async def _seen(anchor: Anchor, ledger: Ledger, log_key: VerifierKey) -> SeenAnchor:
    # The notes first: what others append and anchor meanwhile is nothing that the ledger lacks.
    found = await anchor.notes()
    head = await ledger.head()
    notes = [await _judged(note, ledger, head, log_key) for note in found]
    held = [note.size or 0 for note in notes if note.state == "held"]
    return SeenAnchor(anchor=anchor.name, notes=tuple(notes), covered=max(held, default=0))


async def _judged(note: str, ledger: Ledger, head: Head, log_key: VerifierKey) -> SeenNote:
    try:
        claim = parse_checkpoint(note)
    except Malformed:
        return SeenNote(size=None, root="", state="unsigned")
    return SeenNote(size=claim.size, root=claim.root.hex(), state=await _state(note, claim, ledger, head, log_key))


async def _state(note: str, claim: Checkpoint, ledger: Ledger, head: Head, log_key: VerifierKey) -> NoteState:
    if claim.origin != log_key.name:
        return "foreign"
    try:
        verify_checkpoint(note, log_key)
    except Malformed:
        return "unsigned"
    if claim.size > head.size:
        return "beyond"
    if claim.size == 0:
        return "held"
    try:
        path = await ledger.consistency(claim.size, head.size)
        check_consistency(claim.size, claim.root, head.size, verify_checkpoint(head.checkpoint, log_key).root, path)
    except (Malformed, LedgerBroken):
        return "forked"
    return "held"
