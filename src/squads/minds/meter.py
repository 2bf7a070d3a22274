"""What one answer may still cost: the allowance that the kernel reserved for it, kept within this process.

Reserve before, settle after, in one thread: whatever runs concurrently inside one answer cannot pass the allowance
together. A reply that is being paid when its caller is cancelled is settled in full, because it may have been paid.
"""

from __future__ import annotations

from squads.contracts.errors import AllowanceSpent
from squads.contracts.finding import NO_USAGE, Usage


class AnswerMeter:
    """The meter of one answer.

    Args:
        tokens_max: Tokens of all replies together; 0 allows none.
        cost_microusd_max: Millionths of a US dollar; None where no limit in money applies.
        wait_ms_max: Milliseconds that all replies together may take; None where no limit in time applies.
    """

    def __init__(
        self, *, tokens_max: int, cost_microusd_max: int | None = None, wait_ms_max: int | None = None
    ) -> None:
        self._tokens_max = tokens_max
        self._microusd_max = cost_microusd_max
        self._wait_ms_max = wait_ms_max
        self._holds: dict[int, tuple[int, int]] = {}
        self._marks = 0
        self._spent = NO_USAGE

    @property
    def usage(self) -> Usage:
        """What was settled and counted so far."""
        return self._spent

    @property
    def tokens_left(self) -> int:
        """Tokens that are neither spent nor set aside."""
        return self._tokens_max - self._spent.tokens - sum(tokens for tokens, _ in self._holds.values())

    @property
    def wait_ms_left(self) -> int | None:
        """Milliseconds that replies may still take, never below 0; None where no limit applies."""
        return None if self._wait_ms_max is None else max(0, self._wait_ms_max - self._spent.wait_ms)

    def reserve(self, *, tokens: int, cost_microusd: int) -> int:
        """Set aside what one reply can cost at most. Raises `AllowanceSpent` and sets nothing aside."""
        if tokens > self.tokens_left:
            raise AllowanceSpent(
                f"the next reply may take {tokens:,} tokens and {max(0, self.tokens_left):,} of {self._tokens_max:,} "
                "are left for this answer; raise `call_tokens_max`, or make the brief smaller"
            )
        if self._microusd_max is not None:
            left = self._microusd_max - self._spent.cost_microusd - sum(cost for _, cost in self._holds.values())
            if cost_microusd > left:
                raise AllowanceSpent(
                    f"the next reply may cost {cost_microusd:,} millionths of a dollar and {max(0, left):,} of "
                    f"{self._microusd_max:,} are left for this answer; raise `call_microusd_max`"
                )
        self._marks += 1
        self._holds[self._marks] = (tokens, cost_microusd)
        return self._marks

    def settle(self, mark: int, usage: Usage | None) -> None:
        """Replace a reservation by what was spent; None spends all of it. Settling twice changes nothing."""
        held = self._holds.pop(mark, None)
        if held is None:
            return
        self.count(usage or Usage(tokens=held[0], cost_microusd=held[1], calls=1))

    def count(self, usage: Usage) -> None:
        """Add what was spent before and is not paid again."""
        self._spent = self._spent.plus(usage)
