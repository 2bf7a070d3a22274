"""What all packets of a workspace may spend together: one account per window, moved only with the receipts that say so.

A packet sets its whole budget aside with its opening and gives back with its finish what it did not spend. The
balances are derived: whoever folds the ledger gets the same, and an audit compares. Nothing here looks at a clock; the
window follows from the time of the opening's leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from squads.contracts.finding import Usage
from squads.contracts.packet import Allowance, WorkspaceBudget
from squads.contracts.records import Opened
from squads.kernel.budget import Amount, Spend, reserve, settle
from squads.kernel.state import PacketState

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Set `amount` of a shared account aside, or append nothing."""

    account: str
    amount: Amount
    allowance: Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Replace a reservation of a shared account by what was spent."""

    account: str
    amount: Amount
    usage: Usage


def account_of(budget: WorkspaceBudget, time_ms: int) -> str:
    """Return the account that something opened at this time counts on: `ever`, `2026-11` or `2026-11-30` (UTC)."""
    if budget.window == "ever":
        return "ever"
    # The civil calendar from the number of days, counted in 400-year eras that begin on a first of March, so that the
    # leap day comes last. Source: Howard Hinnant, `civil_from_days`.
    era, day = divmod(time_ms // DAY_MS + 719_468, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    shifted = (5 * day + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    named = f"{year + era * 400 + (month <= 2):04}-{month:02}"
    return named if budget.window == "month" else f"{named}-{day - (153 * shifted + 2) // 5 + 1:02}"


def share_of(opened: Opened) -> Amount:
    """Return what a packet sets aside: its budget, of every kind that the workspace limits."""
    shared, own = opened.workspace_budget, opened.budget
    assert shared is not None
    return Amount(
        (own.tokens_max or 0) if shared.tokens_max is not None else 0,
        (own.cost_microusd_max or 0) if shared.cost_microusd_max is not None else 0,
        (own.wait_ms_max or 0) if shared.wait_ms_max is not None else 0,
    )


def reservation_of(before: PacketState | None, after: PacketState | None) -> Reservation | None:
    """Return what must be set aside with the receipts that led from one state to the other; None for nothing."""
    if before is not None or after is None or after.opened.workspace_budget is None or not after.opened.funded:
        return None
    shared = after.opened.workspace_budget
    return Reservation(account=account_of(shared, after.opened_ms), amount=share_of(after.opened), allowance=shared)


def settlement_of(before: PacketState | None, after: PacketState | None) -> Settlement | None:
    """Return what must be settled with the receipts that led from one state to the other; None for nothing."""
    if after is None or not after.ended or (before is not None and before.ended):
        return None
    shared = after.opened.workspace_budget
    if shared is None or not after.opened.funded:
        return None
    return Settlement(
        account=account_of(shared, after.opened_ms), amount=share_of(after.opened), usage=after.spend.usage
    )


def booked(
    reservation: Reservation | None, settlement: Settlement | None, balance_of: Callable[[str], Spend]
) -> dict[str, Spend] | None:
    """Return the accounts that change, as they stand afterwards; None where the reservation would pass a limit."""
    changed: dict[str, Spend] = {}
    if reservation is not None:
        after = reserve(balance_of(reservation.account), reservation.allowance, reservation.amount)
        if after is None:
            return None
        changed[reservation.account] = after
    if settlement is not None:
        name = settlement.account
        changed[name] = settle(changed.get(name) or balance_of(name), settlement.amount, settlement.usage)
    return changed
