"""A gate made of checks: what a card says with `checks: [...]`.

Any check may refuse. Folders that a card skips are not shown to the checks, and stand in the card's digest, so the
receipts say which gate skipped what.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace

from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidSquad
from squads.contracts.finding import Severity
from squads.contracts.verdict import Verdict
from squads.contracts.work import ReviewWork
from squads.gates.check import CheckGate
from squads.gates.panel import Panel
from squads.gates.skipping import checked_skip, skips


class Checklist(Panel):
    """Checks that give one verdict together.

    Args:
        checks: At least one check; every one of them must approve.
        name: How the squad calls the gate.
        skip: Folders and files that are not looked at, as paths from the top (`tests/`, `benchmarks/cases/`).
        refuse_at: The severity from which a finding refuses; None leaves it to each check.
    """

    members_min = 1

    def __init__(
        self,
        *checks: CheckGate,
        name: str = "checks",
        skip: Iterable[str] = (),
        refuse_at: Severity | str | None = None,
    ) -> None:
        for check in checks:
            if not isinstance(check, CheckGate):
                raise InvalidSquad(f"{check!r:.60} is no check, so it cannot stand in the checklist {name!r}")
        self.skip = checked_skip(skip, name)
        if refuse_at is not None:
            checks = tuple(_refusing_at(check, Severity(refuse_at)) for check in checks)
        super().__init__(*checks, name=name)
        self.prior = f"Checks: {', '.join(c.name for c in checks)}."

    async def review(self, work: ReviewWork) -> Verdict:
        """Return the checks' verdict on what is not skipped; where everything is, nothing was looked at."""
        if work.artifact is None or not self.skip:
            return await super().review(work)
        files = tuple(f for f in work.artifact.files if not skips(self.skip, f.path))
        if not files:
            return self.decide((), looked=0)
        # The checks see the files alone; what they judge keeps its digest in the ticket.
        seen = Artifact(files=files, author=work.artifact.author, attempt=work.artifact.attempt)
        return await super().review(replace(work, artifact=seen))


def _refusing_at(check: CheckGate, severity: Severity) -> CheckGate:
    own = copy.copy(check)
    own.refuse_at = severity
    return own
