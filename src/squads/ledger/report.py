"""What a verification found: one named result per check, and never one boolean.

A reader decides what each result means for them: an auditor minds an unchecked signature, a start-up does
not. A check that could not be made must never read as one that passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

ResultState = Literal["passed", "failed", "warned", "unchecked"]

CHECKS: Final[dict[str, str]] = {
    "framing": "every row holds exactly one leaf",
    "sequence": "no receipt is missing, none stands in another's place",
    "leaf-hash": "every row's bytes have the hash that was stored with them",
    "link": "every receipt names the one before it",
    "time": "time never runs backwards",
    "opening": "entry 0 opens this log and is signed by the trusted root",
    "statement": "every receipt says something known, in one reading",
    "signature": "every receipt's signatures are genuine",
    "role": "every signer held a role that may say this, at this index",
    "suspect": "nothing was signed by a key that was later declared suspect from there on",
    "actor": "every verdict is here that a gate's own counter numbers, and none has another's number",
    "tree-head": "every log head that a verdict was signed over is this log's",
    "checkpoint-signature": "the stored checkpoints are signed by the log's key",
    "checkpoint-root": "the receipts have the root that each checkpoint signed",
    "coverage": "the newest checkpoint covers every receipt, and no more",
    "outside-signature": "the checkpoints kept outside are signed by the log's key",
    "rollback": "the log is not behind a checkpoint kept outside",
    "fork": "the log agrees with the checkpoints kept outside",
}
"""Every check by name, with what it shows when it passes; reports list them in this order."""

OUTSIDE_CHECKS: Final = ("outside-signature", "rollback", "fork")
"""The checks that are made for each place outside that holds checkpoints, and have a result for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The outcome of one check over the whole log."""

    check: str
    """A name of `CHECKS`, or of the checks of a bundle."""
    state: ResultState
    message: str
    """A sentence: what, where, and what to do."""
    seq: int | None = None
    """The first receipt it speaks of, or a checkpoint's size; None where it speaks of the whole."""
    count: int = 0
    """How many rows or checkpoints fared like the first."""
    source: str = ""
    """The anchor that it speaks of, by name; empty for the ledger and for the checkpoint file beside its keys."""

    @property
    def ok(self) -> bool:
        """True only for a check that was made and passed."""
        return self.state == "passed"


class Stray(NamedTuple):
    """A checkpoint that the log's key signed, and that the log as it was read does not bear out."""

    source: str
    """Where it was found, as a name of a place."""
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything a verification found."""

    origin: str
    size: int
    """How many rows were read."""
    root: bytes
    """Their root, recomputed; meaningless where `sequence` failed."""
    results: tuple[Result, ...]
    """One per check, in the order of `CHECKS`; of `OUTSIDE_CHECKS` one for each place outside."""
    strays: tuple[Stray, ...] = ()
    """Signed checkpoints over other receipts, or over more than there are; not more than a few of each place."""
    covering: str = ""
    """The ledger's own newest note that was signed over these very receipts; empty where there is none."""

    @property
    def failed(self) -> tuple[Result, ...]:
        """The checks that failed; the first is usually the cause of the later ones."""
        return tuple(result for result in self.results if result.state == "failed")

    @property
    def warned(self) -> tuple[Result, ...]:
        """The checks whose outcome a person must weigh."""
        return tuple(result for result in self.results if result.state == "warned")

    @property
    def unchecked(self) -> tuple[Result, ...]:
        """The checks that were not made, or not to the end."""
        return tuple(result for result in self.results if result.state == "unchecked")

    def __getitem__(self, check: str) -> Result:
        """Return the result of one check by name; the worst, where several places have one."""
        return max((r for r in self.results if r.check == check), key=lambda result: _WORSE[result.state])


class Tally:
    """Collects outcomes while a log streams by: the first of each check, and how many more."""

    __slots__ = ("_checks", "_found")

    def __init__(self, checks: Mapping[str, str] = CHECKS) -> None:
        """Start with nothing found; `checks` are all there are, each with what it shows when it passes."""
        self._checks = checks
        self._found: dict[tuple[str, str], tuple[ResultState, str, int | None, int]] = {}

    def note(self, check: str, state: ResultState, message: str, seq: int | None = None, *, source: str = "") -> None:
        """Keep the outcome if it is the first or the worst of its check; count it if it is like the first."""
        before = self._found.get((check, source))
        if before is None or _WORSE[state] > _WORSE[before[0]]:
            self._found[check, source] = (state, message, seq, 1)
        elif state == before[0]:
            self._found[check, source] = (*before[:3], before[3] + 1)

    def fail(self, check: str, message: str, seq: int | None = None, *, source: str = "") -> None:
        """Keep a failure."""
        self.note(check, "failed", message, seq, source=source)

    def results(self, sources: Iterable[str] = ()) -> tuple[Result, ...]:
        """Return one result per check, and of those outside one per named source; what nobody minded has passed."""
        out = []
        names = ("", *sources)
        for check, shows in self._checks.items():
            for source in names if check in OUTSIDE_CHECKS else ("",):
                shown = f"{shows} ({source})" if source else shows
                state, message, seq, count = self._found.get((check, source), ("passed", shown, None, 0))
                if count > 1:
                    message = f"{message} ({count - 1} more like this)"
                out.append(Result(check=check, state=state, message=message, seq=seq, count=count, source=source))
        return tuple(out)


_WORSE: Final[dict[ResultState, int]] = {"passed": 0, "unchecked": 1, "warned": 2, "failed": 3}
