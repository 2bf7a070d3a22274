"""The way out, with the ugly name it deserves."""

from __future__ import annotations

from typing import ClassVar

from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Approved, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate


class UnsafeNoGate(Gate):
    """Approves without reading. Its name stands in every receipt, and everybody who verifies sees it."""

    name = "unsafe-no-gate"
    prior = "Approves without reading."
    reads = (AttemptKind.ARTIFACT,)
    unsafe: ClassVar[bool] = True

    def review(self, work: ReviewWork) -> Verdict:
        """Return an approval that says nobody looked."""
        return Approved(looked=0)
