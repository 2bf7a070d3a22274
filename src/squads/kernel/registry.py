"""Who is in the squad of a packet, who reads what, and how independent a gate is of those it judges.

The resolved roles are frozen in the opening receipt; nothing here looks anything up elsewhere. No one judges their own
work: not the author, nor anyone in the artifact's lineage, nor a role with the same prior.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from squads.contracts.packet import AttemptKind
from squads.contracts.reasons import Reason
from squads.contracts.records import Independence, MemberRecord, ModelRecord, Opened, RoleRecord

Roles = Mapping[str, RoleRecord]

LEVELS: tuple[Independence, ...] = ("identity", "prior", "model", "family")
"""Weakest first. `identity`: another role; `prior`: another prior; `model`, `family`: another one of those as well."""


def of_kind(roles: Roles, kind: str) -> list[RoleRecord]:
    """Return the roles of one kind, by name."""
    return [roles[name] for name in sorted(roles) if roles[name].kind == kind]


def coordinator(roles: Roles) -> RoleRecord:
    """Return the squad's coordinator; `faults` has made sure that there is one."""
    return of_kind(roles, "coordinator")[0]


def readers(roles: Roles, required: Iterable[str], reads: AttemptKind, added: Iterable[str] = ()) -> list[str]:
    """Return the gates that must read an attempt of this kind: the packet's, then those that the task adds."""
    return [g for g in dict.fromkeys((*required, *added)) if reads in roles[g].reads]


def independence(gate: RoleRecord, author: RoleRecord) -> Independence | None:
    """Return how far apart two roles read; None when the gate must not judge this author at all.

    Code and a model are of different families. Two pieces of code differ by prior and no more. A role with fallbacks is
    as independent as the least independent of its models, since any of them may answer. A panel is as independent as
    the least independent of its members: only for this does the kernel know that there are any.
    """
    if apart(gate, author) is None:
        return None
    reached = [apart(reader, author) for reader in readers_in(gate)]
    return None if None in reached else min((r for r in reached if r is not None), key=LEVELS.index)


def readers_in(gate: RoleRecord) -> tuple[RoleRecord | MemberRecord, ...]:
    """Return whoever reads when a gate is asked: itself, or a panel's members, and the panel where it asks a model."""
    return (gate, *gate.members) if gate.models or not gate.members else gate.members


def apart(gate: RoleRecord | MemberRecord, author: RoleRecord) -> Independence | None:
    """Return how far apart one reader and one author are, over every two models that may answer for them."""
    if gate.name == author.name or gate.prior == author.prior:
        return None
    if not gate.models and not author.models:
        return "prior"
    if not gate.models or not author.models:
        return "family"
    return min((models_apart(one, other) for one in gate.models for other in author.models), key=LEVELS.index)


def models_apart(one: ModelRecord, other: ModelRecord) -> Independence:
    """Return how far apart two roles are when these two models answer for them."""
    if one.name == other.name:
        return "prior"
    return "family" if one.family and other.family and one.family != other.family else "model"


def may_answer(role: RoleRecord, model: str | None) -> bool:
    """Say whether an answer may say that this model gave it; a panel's was given by any of its members' models."""
    readers: tuple[RoleRecord | MemberRecord, ...] = (role, *role.members)
    return model is None or any(m.called == model for reader in readers for m in reader.models)


def weakest(gate: RoleRecord, authors: Iterable[RoleRecord]) -> Independence | None:
    """Return the weakest independence between a gate and several authors; None when one of them rules it out.

    Without authors (an imported change, made by nobody in the squad) the gate is as independent as it can be.
    """
    reached = [independence(gate, author) for author in authors]
    if None in reached:
        return None
    return min((r for r in reached if r is not None), key=LEVELS.index, default="family")


def faults(opened: Opened) -> Reason | None:
    """Return why a packet with this squad must not begin, or None.

    The checks, in order: 1 the rules are known; 2 there are gates; 3 every required gate is held by a gate of the
    squad; 4 one coordinator; 5 a builder; 6 some required gate reads what would compose; 7 every required gate that
    reads what a role makes is independent enough of that role.
    """
    if opened.rules != 1:
        return "unknown-rules"  # 1
    if not opened.gates:
        return "no-gates"  # 2
    roles = {r.name: r for r in opened.roles}
    if len(roles) != len(opened.roles) or "runner" in roles:
        return "self-gate"  # two of one name: nobody could tell author and gate apart, or a role and the runner
    if any(g not in roles or roles[g].kind != "gate" or not roles[g].reads for g in opened.gates):
        return "unheld-gate"  # 3
    if len(of_kind(roles, "coordinator")) != 1:
        return "no-coordinator"  # 4
    builders = of_kind(roles, "builder")
    if not builders:
        return "no-builder"  # 5
    composing = {AttemptKind.ARTIFACT, AttemptKind.COMPOSITION}
    if not any(composing & set(roles[g].reads) for g in opened.gates):
        return "no-applicable-gate"  # 6
    for gate in (roles[g] for g in opened.gates):
        if any(too_near(gate, author, opened.independence) for author in judged_by(gate, roles)):
            return "self-gate"  # 7
    return None


def judged_by(gate: RoleRecord, roles: Roles) -> list[RoleRecord]:
    """Return the roles whose attempts a gate reads; what composes is made by builders, plans by the coordinator."""
    composing = {AttemptKind.ARTIFACT, AttemptKind.COMPOSITION}
    authors = of_kind(roles, "builder") if composing & set(gate.reads) else []
    return authors + (of_kind(roles, "coordinator") if AttemptKind.PLAN in gate.reads else [])


def too_near(gate: RoleRecord, author: RoleRecord, demanded: Independence) -> bool:
    """Say whether a gate is less independent of an author than is demanded, or must not judge them at all."""
    reached = independence(gate, author)
    return reached is None or LEVELS.index(reached) < LEVELS.index(demanded)
