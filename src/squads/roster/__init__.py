"""The roster: what workers without the ledger believe, signed by the log and good for seconds.

Runners read it off the ledger and publish it; workers read it into a `RosterBook` and begin nothing without a fresh
one, because a stop that cannot be read is a stop. Nothing here trusts the place where rosters lie: whoever writes there
can hold rosters back, which stops the workers, and can do no more.
"""

from __future__ import annotations

from squads.roster.book import TOLERANCE_MS, RosterBook
from squads.roster.publisher import LIFETIME_MS, RosterPlace, RosterPublisher
from squads.roster.signed import ROSTER_BYTES_MAX, read_roster, roster_of, span, workspace_in
from squads.roster.watch import LOOK_SECONDS, ReadRoster, RosterWatch

__all__ = [
    "LIFETIME_MS",
    "LOOK_SECONDS",
    "ROSTER_BYTES_MAX",
    "TOLERANCE_MS",
    "ReadRoster",
    "RosterBook",
    "RosterPlace",
    "RosterPublisher",
    "RosterWatch",
    "read_roster",
    "roster_of",
    "span",
    "workspace_in",
]
