"""A person as a gate of a run: the same cases, the same briefs, and signed verdicts as everybody's.

How they are reached is the caller's: a function that shows them the work and returns what they said. It must never take
a person's silence for an approval.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from squads.contracts.verdict import Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate

Ask = Callable[[ReviewWork], "Verdict | Awaitable[Verdict | None] | None"]


class Person(Gate):
    """Asks a person.

    Args:
        ask: Shows them the work and returns their verdict, or None where they gave none; may be `async`.
        name: What the run calls them: no real name, because receipts hold it.
        prior: What they bring, in prose; it stands for them in every comparison.
    """

    def __init__(self, ask: Ask, *, name: str, prior: str = "A person reads.") -> None:
        super().__init__(name=name, prior=f"{prior} They are called {name} here.")
        self._ask = ask

    async def review(self, work: ReviewWork) -> Verdict:
        """Return what the person says of the work."""
        said: Any = self._ask(work)
        verdict: Verdict | None = await said if isawaitable(said) else said
        return work.abstain(f"{self.name} gave no answer") if verdict is None else verdict
