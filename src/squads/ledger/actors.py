"""A gate's own counter: is every verdict here that it has numbered, and did it say each number once?

Whoever writes the log can leave a verdict out and make every hash fit. A gate whose custody counts for itself puts its
number, and the digest of what it said before, into what it signs; a verdict that was left out is then a hole that only
the gate's own key could fill. Verdicts of different packets may come in another order than they were signed in.

A hole is weighed against the gate's tickets. A verdict that came too late is ignored by the rules and stands nowhere,
and its ticket stays without an answer; where more verdicts are missing than tickets are unanswered, some were taken
out.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from squads.ledger.report import Tally

HOLES_MAX: Final = 1_024
"""How many numbers of one key may be missing at once; a counter that jumps further is not followed."""


class _Counted:
    """What is known of one key's numbers: bounded, however many verdicts it signs."""

    __slots__ = ("claimed", "missing", "next", "said")

    def __init__(self) -> None:
        self.next = 0
        self.missing: set[int] = set()
        # By number: the digest of a verdict whose successor was not seen, and what one says of its predecessor.
        self.said: dict[int, str] = {}
        self.claimed: dict[int, str] = {}


class Actors:
    """Follows the counters of gates along the log."""

    __slots__ = ("_counted", "_tally", "_unanswered")

    def __init__(self, tally: Tally) -> None:
        """Tell `tally` what is wrong."""
        self._tally = tally
        self._counted: dict[tuple[bytes, str], _Counted] = {}
        self._unanswered: dict[str, int] = {}

    def read(self, seq: int, kind: str, predicate: dict[str, Any], key: bytes, payload: bytes) -> None:
        """Take in one receipt that its signer was allowed to sign."""
        if kind == "ticket":
            self._ask(predicate.get("gate"), 1)
        elif kind == "equivocation":  # one ticket with two answers in the log
            self._ask(predicate.get("author"), 1)
        elif kind == "verdict":
            self._ask(predicate.get("author"), -1)
            self._verdict(seq, predicate, key, payload)

    def finish(self) -> None:
        """Judge the holes that are left at the end."""
        holes: dict[str, list[int]] = {}
        for (_, gate), counted in self._counted.items():
            holes.setdefault(gate, []).extend(sorted(counted.missing))
        for gate, missing in holes.items():
            unanswered = self._unanswered.get(gate, 0)
            if not missing:
                continue
            what = f"gate {gate[:64]!r} has signed {len(missing)} verdicts that are not here, the first as {missing[0]}"
            if len(missing) > unanswered:
                self._tally.fail(
                    "actor",
                    f"{what}, and only {max(0, unanswered)} of its tickets stay unanswered: verdicts were taken out; "
                    "ask whoever runs its signer for them",
                )
            else:
                self._tally.note(
                    "actor",
                    "warned",
                    f"{what}: they came too late to count, or were kept out; {unanswered} of its tickets stay "
                    "unanswered, so ask whoever runs its signer for them",
                )

    def _ask(self, gate: object, more: int) -> None:
        if isinstance(gate, str):
            self._unanswered[gate] = self._unanswered.get(gate, 0) + more

    def _verdict(self, seq: int, predicate: dict[str, Any], key: bytes, payload: bytes) -> None:
        gate, number, before = (predicate.get(name) for name in ("author", "actor_seq", "prev_by_actor"))
        counted = self._counted.get((key, str(gate)))
        if number is None and before is None:
            if counted is not None:
                self._odd(
                    seq, gate, "no number, and this key numbers its verdicts: the key is in use elsewhere as well"
                )
            return
        if type(number) is not int or number < 0 or (number == 0) != (before is None):
            self._odd(seq, gate, "a number and a previous verdict that do not go together")
            return
        counted = counted or self._counted.setdefault((key, str(gate)), _Counted())
        if number < counted.next and number not in counted.missing:
            self._odd(seq, gate, f"the number {number}, which another verdict has: the key says two things as one")
            return
        if number - counted.next + len(counted.missing) > HOLES_MAX:
            self._odd(seq, gate, f"the number {number} after {counted.next - 1}: verdicts were taken out")
            counted.next, counted.missing, counted.said, counted.claimed = number, set(), {}, {}
            before = None  # who came before it is not known any more
        counted.missing.update(range(counted.next, number))
        counted.missing.discard(number)
        counted.next = max(counted.next, number + 1)
        self._link(seq, gate, counted, number, before, sha256(payload).hexdigest())

    def _link(self, seq: int, gate: object, counted: _Counted, number: int, before: object, digest: str) -> None:
        """Compare what a verdict says of the one before it, in whatever order the two come."""
        said = counted.said.pop(number - 1, None)
        if said is None and isinstance(before, str):
            counted.claimed[number] = before
        elif said is not None and said != before:
            self._odd(seq, gate, f"another verdict before number {number} than the one that is here")
        after = counted.claimed.pop(number + 1, None)
        if after is None:
            counted.said[number] = digest
        elif after != digest:
            self._odd(seq, gate, f"the number {number}, and another verdict was signed under it")

    def _odd(self, seq: int, gate: object, what: str) -> None:
        self._tally.fail(
            "actor", f"receipt {seq}: a verdict of gate {str(gate)[:64]!r} has {what}; revoke the key", seq
        )
