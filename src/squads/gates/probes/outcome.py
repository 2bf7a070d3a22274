"""What came of one attack."""

from __future__ import annotations

from dataclasses import dataclass, field

from squads.contracts.finding import Finding


@dataclass(kw_only=True)
class Outcome:
    """What was attacked, what broke, and what could not be attacked."""

    findings: list[Finding] = field(default_factory=list)
    attacked: int = 0
    """How many things were attacked for real."""
    unable: list[str] = field(default_factory=list)
    """What should have been attacked and could not be: as long as there is one, nothing is approved."""
