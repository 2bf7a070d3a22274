"""Reserve and settle: what may be spent is set aside before anybody spends it, so concurrent work cannot pass a limit.

Every answer counts on several accounts: the packet's, its role's, and its task's where it is about one. It is reserved
on all of them or on none. A reply settles its reservation with what it really cost. Silence settles it in full: the
call may have been paid.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from squads.contracts.finding import Usage
from squads.contracts.packet import AccountKind, Allowance, AttemptKind, Budget
from squads.contracts.records import AssignmentRecord, RoleRecord, TicketRecord

COUNT_MAX = 2**53 - 1
"""What a record can say. A balance stays here however much is added to it, and no limit lies higher."""


class Amount(NamedTuple):
    """What one answer may cost at most, or what one packet may."""

    tokens: int = 0
    microusd: int = 0
    wait_ms: int = 0


NOTHING = Amount()


class Spend(NamedTuple):
    """One account: what was spent, and what open requests may still spend."""

    tokens: int = 0
    microusd: int = 0
    wait_ms: int = 0
    calls: int = 0
    tokens_reserved: int = 0
    microusd_reserved: int = 0
    wait_ms_reserved: int = 0

    @property
    def usage(self) -> Usage:
        """What was spent, as outcomes say it."""
        return Usage(tokens=self.tokens, cost_microusd=self.microusd, calls=self.calls, wait_ms=self.wait_ms)


NOTHING_SPENT = Spend()
Account = tuple[AccountKind, int | str]
"""Whose account: ("packet", 0), ("task", its number) or ("role", its name)."""
PACKET: Account = ("packet", 0)
Accounts = Mapping[Account, Spend]


def accounts_of(role: str, task: int | None) -> tuple[Account, ...]:
    """Return every account on which an answer of `role` counts: the packet's first."""
    own: Account = ("role", role)
    return (PACKET, own) if task is None else (PACKET, ("task", task), own)


def allowance_of(budget: Budget, account: Account) -> Allowance | None:
    """Return the limits of an account; None where it has none of its own."""
    kind, whose = account
    if kind == "packet":
        return budget
    if kind == "task":
        return budget.task
    return next((allowed for allowed in budget.roles if allowed.role == whose), None)


def call_of(role: RoleRecord) -> Amount:
    """Return what is reserved for one answer of a role."""
    return Amount(role.call_tokens_max, role.call_microusd_max, role.call_ms_max)


def reserved_for(asked: AssignmentRecord | TicketRecord) -> Amount:
    """Return what was reserved for one request or ticket."""
    return Amount(asked.tokens_reserved, asked.microusd_reserved, asked.wait_ms_reserved)


def charge(accounts: Accounts, budget: Budget, on: Iterable[Account], amount: Amount) -> dict[Account, Spend] | Account:
    """Return the accounts `on` with `amount` reserved on each, or the first of them on which it would pass a limit."""
    charged: dict[Account, Spend] = {}
    for account in on:
        spend = reserve(accounts.get(account, NOTHING_SPENT), allowance_of(budget, account), amount)
        if spend is None:
            return account
        charged[account] = spend
    return charged


def reserve(spend: Spend, allowance: Allowance | None, amount: Amount) -> Spend | None:
    """Return the spend with a reservation added, or None when it would pass a limit."""
    tokens, microusd, wait_ms = amount
    after = Spend(
        *spend[:4],
        spend.tokens_reserved + tokens,
        spend.microusd_reserved + microusd,
        spend.wait_ms_reserved + wait_ms,
    )
    if allowance is None:
        return after
    for limit, used in (
        (allowance.tokens_max, after.tokens + after.tokens_reserved),
        (allowance.cost_microusd_max, after.microusd + after.microusd_reserved),
        (allowance.wait_ms_max, after.wait_ms + after.wait_ms_reserved),
    ):
        if limit is not None and used > limit:
            return None
    return after


def settle(spend: Spend, amount: Amount, usage: Usage | None) -> Spend:
    """Return the spend with a reservation of `amount` replaced by `usage`; None spends all of it."""
    if usage is None:
        usage = Usage.model_construct(
            tokens=amount.tokens, cost_microusd=amount.microusd, wait_ms=amount.wait_ms, calls=int(any(amount))
        )
    return Spend(
        min(spend.tokens + usage.tokens, COUNT_MAX),
        min(spend.microusd + usage.cost_microusd, COUNT_MAX),
        min(spend.wait_ms + usage.wait_ms, COUNT_MAX),
        min(spend.calls + usage.calls, COUNT_MAX),
        spend.tokens_reserved - amount.tokens,
        spend.microusd_reserved - amount.microusd,
        spend.wait_ms_reserved - amount.wait_ms,
    )


def overspent(spend: Spend, allowance: Allowance | None) -> bool:
    """True when replies cost more than was reserved for them, past a limit."""
    return allowance is not None and any(
        limit is not None and used > limit
        for limit, used in (
            (allowance.tokens_max, spend.tokens),
            (allowance.cost_microusd_max, spend.microusd),
            (allowance.wait_ms_max, spend.wait_ms),
        )
    )


def hopeless(budget: Budget, roles: Iterable[RoleRecord]) -> tuple[Account, str] | None:
    """Return (account, role) where a limit of 0 leaves nothing to a role that costs something; None where none does.

    A model always costs something: where nothing is reserved for its answers, it is refused all the same.
    """
    limited = [a for a in (budget, budget.task, *budget.roles) if a is not None]
    if not any(0 in (a.tokens_max, a.cost_microusd_max, a.wait_ms_max) for a in limited):
        return None
    for role in roles:
        thinks = bool(role.models) or any(member.models for member in role.members)
        makes_tasks = role.kind == "builder" or AttemptKind.ARTIFACT in role.reads
        for account in accounts_of(role.name, 0 if makes_tasks else None):
            allowance = allowance_of(budget, account)
            limits = (allowance.tokens_max, allowance.cost_microusd_max, allowance.wait_ms_max) if allowance else ()
            if any(limit == 0 and (thinks or most) for limit, most in zip(limits, call_of(role), strict=False)):
                return account, role.name
    return None
