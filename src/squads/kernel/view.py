"""The view: the fold of the workspace's own stream. Keys and their roles, grants, and what is stopped.

Immutable; `admit` gives the next view or says why the receipt changes nothing. A packet's step reads the view that was
in force at that point of the ledger, which the compare-and-append on both streams makes sure of.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from squads.contracts.records import (
    CalibrationRecord,
    ErasureRecord,
    GrantRecord,
    LiftRecord,
    PolicyRecord,
    Record,
    StopRecord,
)
from squads.kernel.authority import Grants, is_author, may_sign, suffices
from squads.kernel.effects import Ignore
from squads.ledger.calibration import demands_record, meets
from squads.ledger.keys import Registry

EVERYTHING = ""
"""The scope of a stop that covers the whole workspace."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop in force: who set it, and the words."""

    author: str
    key: str
    content: str


@dataclass(frozen=True, slots=True)
class View:
    """What is true of the workspace now."""

    workspace: str
    registry: Registry
    index: int = 0
    """The log index behind the newest receipt that is folded in: keys are judged as of here."""
    length: int = 0
    """How many receipts of the workspace's stream are folded in."""
    grants: Grants = field(default_factory=dict)
    stops: Mapping[str, Stop] = field(default_factory=dict)
    """Packet id, or `EVERYTHING`, to the stop in force."""
    policy: PolicyRecord | None = None
    """What the workspace demands; None until the root has said anything, which demands nothing."""
    calibrations: Mapping[str, CalibrationRecord] = field(default_factory=dict)
    """The newest record of each prior that was measured."""
    erased: Mapping[str, int] = field(default_factory=dict)
    """Erased subjects, and the packets that belonged to them, by their ids: the index of the receipt that says so."""

    def stopped(self, packet: str) -> Stop | None:
        """Return the stop that holds this packet, or None."""
        return self.stops.get(EVERYTHING) or self.stops.get(packet)

    def roles_of(self, key: str) -> frozenset[str]:
        """Return the roles that a key (64 hex digits) holds now; none for an unknown or revoked one."""
        return self.registry.roles_of(bytes.fromhex(key), self.index)

    def holders(self, role: str) -> list[str]:
        """Return the key ids that hold a role now."""
        return [
            key.hex() for key, known in self.registry.keys.items() if role in known.roles and known.holds_at(self.index)
        ]

    def may_judge(self, key: str) -> bool:
        """Say whether a key (64 hex digits) is kept as well as the policy demands of a gate's."""
        known = self.registry.keys.get(bytes.fromhex(key))
        return known is not None and suffices(known.custody, self.policy.gate_custody if self.policy else "in-process")

    def judges(self, gate: str) -> list[str]:
        """Return the key ids that may give this gate's verdicts now: those of its holders that are kept well enough."""
        return [key for key in self.holders(f"gate:{gate}") if self.may_judge(key)]

    def calibrated(self, prior: str) -> bool:
        """Say whether a gate of this prior was measured to be as good as the policy demands."""
        if self.policy is None:
            return True
        policy = {
            "catch_ppm_min": self.policy.catch_ppm_min,
            "false_refusals_ppm_max": self.policy.false_refusals_ppm_max,
        }
        if not demands_record(policy):
            return True
        record = self.calibrations.get(prior)
        return record is not None and meets(record.model_dump(mode="json")["rates"], policy)

    def people(self) -> frozenset[str]:
        """Return the names of people whose keys may answer now."""
        return frozenset(
            role.split(":", 1)[1]
            for known in self.registry.keys.values()
            if known.holds_at(self.index)
            for role in known.roles
            if role.startswith("human:")
        )


def opened(predicate: Mapping[str, Any], signers: Collection[bytes]) -> View:
    """Return the view after entry 0 of the log. Raises `Malformed` or `Unauthorised`."""
    registry = Registry.open(predicate, signers)
    return View(registry.workspace, registry, index=1, length=1)


def keyed(view: View, predicate: Mapping[str, Any], *, index: int, signers: Collection[bytes]) -> View:
    """Return the view after the key event at `index` of the log. Raises `Malformed` or `Unauthorised`."""
    registry = view.registry.apply(predicate, index, signers)
    return replace(view, registry=registry, index=index + 1, length=view.length + 1)


def admit(view: View, record: Record, *, key: str, time_ms: int, index: int | None = None) -> View | Ignore:
    """Return the view after a stop, lift, grant, policy, record or erasure signed by `key`, or why it is not admitted.

    `index` is the receipt's place in the log; None while it is only being tried.
    """
    after = _admitted(view, record, key=key, roles=view.roles_of(key), time_ms=time_ms, index=index)
    if isinstance(after, Ignore):
        return after
    return replace(after, length=view.length + 1, index=view.index if index is None else index + 1)


def _admitted(
    view: View, record: Record, *, key: str, roles: frozenset[str], time_ms: int, index: int | None
) -> View | Ignore:
    if record.workspace != view.workspace:
        return Ignore("another workspace")
    if not may_sign(record.kind, roles, view.grants, now_ms=time_ms):
        return Ignore(f"no authority to sign {record.kind}")
    match record:
        case StopRecord():
            if not any(role.split(":", 1)[-1] == record.author for role in roles):
                return Ignore("signed for somebody else")
            scope = record.packet or EVERYTHING
            if scope in view.stops:
                return Ignore("already stopped")
            return replace(view, stops={**view.stops, scope: Stop(record.author, key, record.content)})
        case LiftRecord():
            scope = record.packet or EVERYTHING
            stop = view.stops.get(scope)
            if not is_author("human", record.author, roles):
                return Ignore("signed for somebody else")
            if stop is None:
                return Ignore("nothing to lift")
            if (stop.key == key or stop.author == record.author) and _other_people(view, key):
                return Ignore("whoever stopped it does not lift it where there is somebody else")
            return replace(view, stops={s: v for s, v in view.stops.items() if s != scope})
        case GrantRecord():
            return replace(view, grants={**view.grants, (record.subject, record.scope): record})
        case PolicyRecord():
            return replace(view, policy=record)
        case CalibrationRecord():
            return replace(view, calibrations={**view.calibrations, record.prior: record})
        case ErasureRecord():
            if not is_author("human", record.author, roles):
                return Ignore("signed for somebody else")
            fresh = [name for name in (record.subject, *record.packets) if name not in view.erased]
            if not fresh:
                return Ignore("already erased")
            return replace(view, erased={**view.erased, **dict.fromkeys(fresh, view.index if index is None else index)})
    return Ignore(f"unknown kind {record.kind}")


def _other_people(view: View, key: str) -> bool:
    """Say whether a person other than this key's could lift a stop."""
    mine = {r.split(":", 1)[-1] for r in view.roles_of(key) if r.startswith("human:")}
    return bool(view.people() - mine)
