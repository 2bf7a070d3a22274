"""From a packet as somebody wrote it to the receipt that opens it: what is missing is filled in, what is wrong is said.

Everything that the rules need later is frozen here: the resolved roles, the bounds, who may approve.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import Any

from squads.contracts.base import SALT_BYTES
from squads.contracts.errors import InvalidInput, UnheldGate
from squads.contracts.packet import AttemptKind, Budget, Packet, WorkspaceBudget
from squads.contracts.records import RULES_VERSION, Independence, Opened, RecalledRecord, RoleRecord
from squads.kernel.budget import accounts_of, allowance_of, hopeless
from squads.kernel.ports import Entropy, Memory, Role
from squads.memory.shelf import scopes_of
from squads.minds.families import models_in
from squads.roles.coordinator import Coordinator
from squads.workspace import Workspace

BUILT_IN_POLICY = "0" * 64
"""Stands in every opening: what the workspace demands is said by its own `policy` receipts, not for one packet."""

Resolved = Mapping[str, tuple[Role, RoleRecord]]


def filled(
    packet: Packet,
    roles: Resolved,
    people: Collection[str],
    own: Mapping[str, Any],
    *,
    amends: bool,
    shared: WorkspaceBudget | None = None,
) -> Packet:
    """Return the packet as this squad will run it. Raises `InvalidInput` for what it could never compose.

    Args:
        packet: As it was handed over.
        roles: The squad's roles by name.
        people: Names of people with keys here.
        own: The squad's limits, budget and approval rule, for fields that the packet does not set.
        amends: False when the coordinator cannot rewrite a brief; then nothing is sent back to it.
        shared: What all packets of the workspace may spend together; None where that has no limit.
    """
    if not isinstance(packet, Packet):
        raise InvalidInput(f"a squad runs a brief or a Packet, not {type(packet).__name__} {packet!r:.60}")
    packet = packet.but(**{name: value for name, value in own.items() if name not in packet.model_fields_set})
    gates = [name for name, (_, record) in roles.items() if record.kind == "gate"]
    if unheld := [g for g in packet.gates if g not in gates]:
        raise UnheldGate(
            f"the packet requires the gate {unheld[0]!r}, which nobody here holds; held: {', '.join(gates)}"
        )
    packet = packet.but(gates=packet.gates or tuple(gates))
    _check_predicates(packet, roles)
    _check_allowances(packet.budget, roles)
    if shared is not None:
        _check_share(packet.budget, shared)
    if packet.approval and (strangers := set(packet.approval.approvers) - set(people)):
        raise InvalidInput(
            f"{sorted(strangers)[0]!r} must approve and has no key here; name them in Squad(people=[...])"
        )
    return packet if amends else packet.but(limits=packet.limits.but(amendments_max=0, objections_max=0))


def _check_predicates(packet: Packet, roles: Resolved) -> None:
    """Every predicate of `done_when` needs somebody who can answer it."""
    coordinator = next(role for role, record in roles.values() if record.kind == "coordinator")
    judges = getattr(type(coordinator), "accept", None) is not Coordinator.accept or bool(
        models_in(getattr(coordinator, "model", None))
    )
    for predicate in packet.done_when:
        if predicate.check is None and not judges:
            raise InvalidInput(
                f"nobody can judge the predicate {predicate.id!r}: name a required gate as its `check`, "
                "or write a Coordinator with an `accept` of its own"
            )
        if predicate.check is not None and predicate.check not in packet.gates:
            raise InvalidInput(
                f"the predicate {predicate.id!r} rests on {predicate.check!r}, which is not a required gate"
            )


def _check_allowances(budget: Budget, roles: Resolved) -> None:
    """Every allowance is for a role of this squad, and no limit of 0 leaves nothing to a role that costs something."""
    for allowed in budget.roles:
        if allowed.role not in roles:
            close = get_close_matches(allowed.role, roles, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(roles))}"
            raise InvalidInput(f"the budget names the role {allowed.role!r}, which is not in this squad; {hint}")
    if (found := hopeless(budget, [record for _, record in roles.values()])) is not None:
        (kind, _), role = found
        whose = {"packet": "packet's", "task": "tasks'", "role": f"{role!r} role's"}[kind]
        raise InvalidInput(
            f"the {whose} budget has a limit of 0, and {role!r} costs something; "
            "raise the limit, or leave it out where there is to be none"
        )


def _check_share(budget: Budget, shared: WorkspaceBudget) -> None:
    """What the workspace limits, every packet limits as well: it is set aside before the packet begins."""
    for name in ("tokens_max", "cost_microusd_max", "wait_ms_max"):
        limit, own = getattr(shared, name), getattr(budget, name)
        if limit is None:
            continue
        if own is None:
            raise InvalidInput(
                f"the workspace has a budget and this packet has none of its kind; give it `{name}`, at most {limit:,}"
            )
        if own > limit:
            raise InvalidInput(
                f"the packet's `{name}` of {own:,} is more than the {limit:,} of the whole workspace; lower it"
            )


def check_budget(
    packet: Packet,
    roles: Resolved,
    price: Callable[[str], tuple[int, int] | None],
    shared: WorkspaceBudget | None = None,
) -> None:
    """Raise `InvalidInput` where money is limited for a role whose model has no known price.

    Args:
        packet: As `filled` returned it.
        roles: The squad's roles by name.
        price: A model's price by its name, as `Model.price` gives it; None where it is not known.
        shared: What all packets of the workspace may spend together.

    A role that says itself what one answer may cost (`call_microusd_max`) needs no price.
    """
    for name, (_, record) in roles.items():
        makes_tasks = record.kind == "builder" or AttemptKind.ARTIFACT in record.reads
        allowances = [allowance_of(packet.budget, a) for a in accounts_of(name, 0 if makes_tasks else None)]
        if record.call_microusd_max or all(a is None or a.cost_microusd_max is None for a in (*allowances, shared)):
            continue
        models = [m.called for m in (*record.models, *(m for member in record.members for m in member.models))]
        unpriced = next((model for model in models if price(model) is None), None)
        if unpriced is not None:
            raise InvalidInput(
                f"money is limited, and nobody knows the price of {unpriced!r}, the model of {name!r}; "
                "give its price, or limit `tokens_max` instead of `cost_microusd_max`"
            )


def recall_for(
    packet: Packet, roles: Resolved, memory: Memory, entropy: Entropy
) -> tuple[tuple[RecalledRecord, ...], tuple[bytes, ...]]:
    """Return what is recalled for each role from what it may read, as records and the blobs that they speak of.

    It is frozen with the packet: a fact that is learned or withdrawn later is for later packets.
    """
    records: list[RecalledRecord] = []
    blobs: list[bytes] = []
    for name, (role, record) in roles.items():
        told = memory.recalled(packet.brief, scopes_of(record.kind, name, getattr(role, "topics", ())))
        if told.charter or told.facts:
            digest, blob = told.seal(entropy(SALT_BYTES))
            records.append(RecalledRecord(role=name, content=digest))
            blobs.append(blob)
    return tuple(records), tuple(blobs)


def opening_of(
    packet: Packet,
    digest: str,
    workspace: Workspace,
    roles: tuple[RoleRecord, ...],
    independence: Independence,
    memory: tuple[RecalledRecord, ...] = (),
    shared: WorkspaceBudget | None = None,
) -> Opened:
    """Return the opening record of a packet that is sealed under `digest`."""
    approval = packet.approval
    if approval is not None:
        approval = approval.but(approvers=tuple(workspace.person(name) for name in approval.approvers))
    return Opened(
        workspace=workspace.id,
        packet=workspace.entropy(16).hex(),
        nonce=workspace.entropy(32).hex(),
        rules=RULES_VERSION,
        content=digest,
        gates=packet.gates,
        roles=roles,
        limits=packet.limits,
        budget=packet.budget,
        approval=approval,
        independence=independence,
        policy=BUILT_IN_POLICY,
        predicates=tuple(p.id for p in packet.done_when),
        memory=memory,
        follows=packet.follows,
        workspace_budget=shared,
    )
