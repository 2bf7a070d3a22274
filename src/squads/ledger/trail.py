"""Checkpoints beside the log: does what they signed stand there, and does the log end where they say?

One trail follows the ledger's own notes, another the file that its writer keeps outside, and one each anchor. It must
never let a note count that the log's key did not sign. What lies in an anchor besides is nobody's fault: whoever may
write there may write nonsense, so that it is told and counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from squads.ledger.checkpoint import CHECKPOINT_SIZE_MAX, Checkpoint, parse_checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.merkle import Edge
from squads.ledger.report import OUTSIDE_CHECKS, Stray, Tally
from squads.ledger.trust import Trust

STRAYS_MAX: Final = 64
"""How many signed notes that are not borne out are kept of one place: one is enough, and a flood fills no memory."""


class Trail:
    """Follows one series of notes, oldest first, beside the growing tree."""

    __slots__ = (
        "_any",
        "_claim",
        "_forged",
        "_genuine",
        "_last",
        "_note",
        "_notes",
        "_outside",
        "_source",
        "_tally",
        "_trust",
        "_where",
        "covering",
        "next_size",
        "strays",
    )

    def __init__(self, notes: Iterable[str], trust: Trust, tally: Tally, *, outside: bool, source: str = "") -> None:
        """Follow `notes` and verify each one's signature when its turn comes; a named source is an anchor."""
        self._notes: Iterator[str] = iter(notes)
        self._trust = trust.log_key
        self._tally = tally
        self._outside = outside
        self._source = source
        self._where = f"in {source}" if source else "kept outside" if outside else "in the ledger"
        self._note = ""
        self.covering = ""
        """The newest note so far that was signed over these very receipts."""
        self.strays: list[Stray] = []
        """Signed notes over other receipts, or over more than there are."""
        self._claim = Checkpoint("", 0, b"")
        self._genuine = False
        self._any = False
        self._last = 0
        self._forged = "outside-signature" if outside else "checkpoint-signature"
        self.next_size = 0
        """The size of the note that comes next; beyond any log when there is none."""
        self._advance()

    def reach(self, edge: Edge, misplaced_from: int | None) -> None:
        """Compare every note at the edge's size with the root there."""
        if self.next_size != edge.size:
            return
        root = edge.root()
        while self.next_size == edge.size:
            claim = self._claim
            if misplaced_from is not None:
                self._incomputable(claim.size)
            elif not self._genuine:
                pass
            elif claim.root == root:
                self.covering = self._note
            else:
                self._keep()
                self._differs(claim)
            self._last = claim.size
            self._advance()

    def finish(self, size: int) -> None:
        """Judge what the notes say about the log's end; `size` is one more than the last row's seq."""
        tally = self._tally
        beyond = 0
        while self.next_size <= CHECKPOINT_SIZE_MAX:
            if self.next_size <= size:
                self._incomputable(self.next_size)
                self._last = self.next_size
            elif self._genuine:
                beyond = max(beyond, self.next_size)
                self._keep()
            self._advance()
        if self._outside:
            if beyond:
                tally.fail(
                    "rollback",
                    f"the ledger ends after {size} receipts, but a checkpoint {self._where} covers {beyond}: the "
                    f"last {beyond - size} were cut off together with their checkpoints, or an old copy was "
                    "restored; find the newer copy and append nothing until then",
                    size,
                    source=self._source,
                )
            elif not self._any:
                place = f"the anchor {self._source}" if self._source else "the place outside"
                message = f"{place} holds no checkpoint yet: a cut tail would not show"
                for check in OUTSIDE_CHECKS:
                    tally.note(check, "unchecked", message, source=self._source)
        elif beyond:
            tally.fail(
                "coverage",
                f"the ledger's own checkpoint covers {beyond} receipts, but only {size} are there: the tail was "
                f"cut; restore the last {beyond - size} from a copy",
                size,
            )
        elif self._last < size:
            tally.fail(
                "coverage",
                f"receipts {self._last} to {size - 1} stand under no checkpoint: rows were put in, or checkpoints "
                "were removed; trust only what lies before them",
                self._last,
            )

    def _advance(self) -> None:
        """Move to the next note that can be read; name those that cannot."""
        for note in self._notes:
            try:
                claim = parse_checkpoint(note)
            except Malformed as error:
                if self._source:
                    self._is_junk()
                else:
                    self._tally.fail(self._forged, f"a checkpoint {self._where} cannot be read: {error}", self._last)
                continue
            if claim.origin != self._trust.name:
                if self._source:  # several logs may share an anchor
                    continue
                message = f"a checkpoint {self._where} is of another log, {claim.origin[:80]}"
                self._tally.fail(self._forged, message, claim.size)
                continue
            # Size 0 binds nothing, and a smaller size than the one before cannot be compared any more.
            if claim.size <= 0 or claim.size < self.next_size:
                if self._source:  # they were sorted: this one is over nothing
                    continue
                message = f"a checkpoint {self._where} over {claim.size} receipts stands after a larger one"
                self._tally.fail(self._forged, message, claim.size)
                continue
            genuine = self._is_genuine(note, claim)
            if self._source and not genuine:
                continue
            self._claim, self._any, self._note, self._genuine = claim, True, note, genuine
            self.next_size = claim.size
            return
        self.next_size = CHECKPOINT_SIZE_MAX + 1

    def _is_genuine(self, note: str, claim: Checkpoint) -> bool:
        """Say whether the log's key signed the note, and record it if not."""
        try:
            _verify_once(note, self._trust)
        except Malformed as error:
            if self._source:
                self._is_junk()
                return False
            message = f"the checkpoint {self._where} over {claim.size} receipts is not the log's: {error}"
            self._tally.fail(self._forged, message, claim.size)
            return False
        return True

    def _is_junk(self) -> None:
        message = f"a note {self._where} was not signed by the log's key; it counts for nothing: who may write there?"
        self._tally.note(self._forged, "warned", message, source=self._source)

    def _keep(self) -> None:
        if len(self.strays) < STRAYS_MAX:
            place = self._source or ("the checkpoint file" if self._outside else "the ledger")
            self.strays.append(Stray(place, self._claim.size, self._claim.root, self._note))

    def _differs(self, claim: Checkpoint) -> None:
        if self._outside:
            self._tally.fail(
                "fork",
                f"the first {claim.size} receipts are not those that a checkpoint {self._where} signed: the log was "
                "rewritten or forked; keep both signed notes, together they are the proof",
                claim.size,
                source=self._source,
            )
        else:
            self._tally.fail(
                "checkpoint-root",
                f"the first {claim.size} receipts do not have the root that was signed for them: at least one was "
                "changed, and hashes were made to fit; restore the ledger from a copy",
                claim.size,
            )

    def _incomputable(self, size: int) -> None:
        check = "fork" if self._outside else "checkpoint-root"
        message = f"the root over {size} receipts cannot be computed where receipts are missing or misplaced"
        self._tally.note(check, "unchecked", message, size, source=self._source)


def by_claimed_size(notes: Iterable[str]) -> list[str]:
    """Return an anchor's notes once each, by the size they claim; those that claim none come first."""

    def size_of(note: str) -> int:
        try:
            return parse_checkpoint(note).size
        except Malformed:
            return -1

    return sorted(set(notes), key=lambda note: (size_of(note), note))


# The same note stands in the ledger and outside, and both come to their turn together: one verification is enough.
_verify_once = lru_cache(maxsize=64)(verify_checkpoint)
