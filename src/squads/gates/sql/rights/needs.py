"""Where an artifact lets somebody make a routine run: triggers, expressions, and functions granted by name.

For each of them `needs` tells what the roles that come there lack; `unreachable` names SECURITY DEFINER routines that
nobody can call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.sql.model import quoted
from squads.gates.sql.rights.authority import Authority, Relation
from squads.gates.sql.rights.bodies import Use, read_tokens
from squads.gates.sql.rights.grants import PUBLIC, relation
from squads.gates.sql.rights.reach import Lack, Reach
from squads.gates.sql.rights.routines import Routine, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that somebody makes run, and what they lack for it."""

    what: str
    fails: str
    lacks: tuple[Lack, ...]
    routine: Routine | None = None
    """The function that runs without the right."""


def needs(authority: Authority, reach: Reach) -> list[Need]:
    """Return everything that lacks a right; what several triggers share of one function is told once."""
    found = [
        *_of_triggers(authority, reach),
        *_of_expressions(authority, reach),
        *_of_policies(authority, reach),
        *_of_bodies(authority, reach),
        *_of_granted(authority, reach),
    ]
    told: set[tuple[str, ...]] = set()
    kept: list[Need] = []
    for need in found:
        grants = tuple(sorted({lack.grant for lack in need.lacks}))
        if grants not in told:
            told.add(grants)
            kept.append(need)
    return kept


def _of_triggers(authority: Authority, reach: Reach) -> Iterator[Need]:
    for trigger in authority.triggers.values():
        functions = [r for r in authority.routines_named(trigger.function) if not r.arguments]
        if not trigger.enabled or len(functions) != 1:
            continue
        routine, lacks = functions[0], list[Lack]()
        events: set[str] = set()
        for role, fired in reach.writers(trigger).items():
            missing = [
                *reach.lacks(role, routine, hidden=trigger.transition, near=trigger.relation[0]),
                *_of_condition(reach, routine, trigger, role),
            ]
            lacks += missing
            events |= fired if missing else set()
        if lacks:
            name = quoted(trigger.relation[1])
            doing = " or ".join(sorted(e.upper() for e in events))
            yield Need(
                what=f"the trigger {quoted(trigger.name)} on {name} ({routine})",
                fails=f"every {doing} on {name} fails with permission denied, or loses what the trigger should write",
                lacks=tuple(dict.fromkeys(lacks)),
                routine=routine,
            )


def _of_condition(reach: Reach, routine: Routine, trigger: Trigger, role: str) -> Iterator[Lack]:
    if trigger.condition and routine.source is not None:
        # The condition stands in the trigger's own statement; only its names are needed here.
        for use in read_tokens(routine.source, trigger.condition).uses:
            if use.act == "execute":
                yield from reach.forbidden(role, use, place=trigger.place)


def _of_expressions(authority: Authority, reach: Reach) -> Iterator[Need]:
    """Functions in defaults, CHECKs, generated columns, indexes, views and policies need EXECUTE by who uses them."""
    grants = authority.grants
    narrow = {r.name for r in authority.routines.values() if not grants.may(PUBLIC, "execute", ("routine", r.key))}
    if not narrow:
        return
    for found in authority.relations.values():
        rights = ("select",) if found.kind == "view" else ("insert", "update")
        uses = [u for u in _calls(found) if u.name[1] in narrow]
        lacks: list[Lack] = []
        for role in _users(authority, found, rights) if uses else ():
            lacks += [k for use in uses for k in reach.forbidden(role, use)]
        for key, policy in authority.policies.items():
            if key[0] == found.name:
                conditions = read_tokens(policy.source, policy.conditions).uses
                wanted = [u for u in conditions if u.act == "execute" and u.name[1] in narrow]
                commands = ("select", "insert", "update", "delete") if policy.command == "all" else (policy.command,)
                for role in _users(authority, found, commands) if wanted else ():
                    if reach.bound(role, found.name) and not policy.roles.isdisjoint(grants.reach(role)):
                        lacks += [k for use in wanted for k in reach.forbidden(role, use)]
        if lacks:
            name = quoted(found.name[1])
            yield Need(
                what=f"an expression of {name}",
                fails=f"using {name} fails with permission denied for function",
                lacks=tuple(dict.fromkeys(lacks)),
            )


def _of_policies(authority: Authority, reach: Reach) -> Iterator[Need]:
    """A plain function in a policy runs for every row with the rights of whoever reads or writes the table."""
    grants = authority.grants
    for (name, _), policy in authority.policies.items():
        calls = [u for u in read_tokens(policy.source, policy.conditions).uses if u.act == "execute"]
        called = [found[0] for u in calls if len(found := reach.meant(u)) == 1]
        commands = ("select", "insert", "update", "delete") if policy.command == "all" else (policy.command,)
        found_at = authority.relations.get(name)
        lacks: list[Lack] = []
        for role in _users(authority, found_at, commands) if called and found_at else ():
            if reach.bound(role, name) and not policy.roles.isdisjoint(grants.reach(role)):
                lacks += [k for routine in called for k in reach.lacks(role, routine)]
        if lacks:
            on = quoted(name[1])
            yield Need(
                what=f"the policy {quoted(policy.name)} on {on}",
                fails=f"using {on} fails with permission denied",
                lacks=tuple(dict.fromkeys(lacks)),
            )


def _of_bodies(authority: Authority, reach: Reach) -> Iterator[Need]:
    """A plain function in a view, default, CHECK or generated column runs with the rights of whoever uses these."""
    for found in authority.relations.values():
        called = [here[0] for use in _calls(found) if len(here := reach.meant(use)) == 1]
        rights = ("select",) if found.kind == "view" else ("insert", "update")
        lacks = [
            k
            for role in (_users(authority, found, rights) if called else ())
            for r in called
            for k in reach.lacks(role, r)
        ]
        if lacks:
            name = quoted(found.name[1])
            yield Need(
                what=f"an expression of {name}",
                fails=f"using {name} fails with permission denied",
                lacks=tuple(dict.fromkeys(lacks)),
                routine=called[0] if len(set(map(str, called))) == 1 else None,
            )


def _calls(found: Relation) -> list[Use]:
    read = [read_tokens(source, tokens) for source, tokens in found.expressions]
    if found.query:
        read.append(read_tokens(found.source, found.query))
    return [use for body in read for use in body.uses if use.act == "execute"]


def _users(authority: Authority, found: Relation, rights: tuple[str, ...]) -> list[str]:
    grants, thing = authority.grants, relation(found.name)
    grantees = {who for right in rights for who in grants.holders(right, thing)}
    actors = {actor for who in grantees for actor in grants.actors(who)}
    return sorted(a for a in actors if not grants.above_rights(a) and not grants.owns(a, thing))


def _of_granted(authority: Authority, reach: Reach) -> Iterator[Need]:
    """A role that was granted a plain function by name is meant to get through its body."""
    for role, thing in sorted(authority.intended, key=str):
        routine = next((r for r in authority.routines.values() if ("routine", r.key) == thing), None)
        if routine is None or not routine.created or routine.fires:
            continue
        lacks: list[Lack] = []
        for actor in sorted(authority.grants.actors(role)):
            if not authority.grants.above_rights(actor):
                lacks += reach.lacks(actor, routine)
        if lacks:
            yield Need(
                what=f"{routine}",
                fails=f"the function that {quoted(role)} was granted fails with permission denied",
                lacks=tuple(dict.fromkeys(lacks)),
                routine=routine,
            )


def unreachable(authority: Authority, reach: Reach) -> list[Routine]:
    """Return SECURITY DEFINER routines that were closed to everybody, opened to nobody, and are used by nothing.

    One in a schema that no other role may look into is the owner's own business.
    """
    grants = authority.grants
    strangers = {
        who
        for thing, held in grants.held.items()
        for who, _ in held
        if thing[0] in ("relation", "routine", "schema") and who != PUBLIC and not grants.above_rights(who)
    }
    if not strangers:
        return []
    used = {t.function[1] for t in authority.triggers.values()} | authority.called
    for routine in authority.routines.values():
        used |= {u.name[1] for u in reach.body(routine).uses if u.act == "execute" and u.name[1] != routine.name}
        if reach.body(routine).dynamic is not None and routine.language not in ("sql", "plpgsql"):
            return []  # what it calls cannot be read
    for found in authority.relations.values():
        used |= {u.name[1] for u in _calls(found)}
    for policy in authority.policies.values():
        used |= {u.name[1] for u in read_tokens(policy.source, policy.conditions).uses}
    return [
        r
        for r in authority.routines.values()
        if r.definer and r.created and not r.fires and r.name not in used and not _callers(authority, r)
        if r.schema == "public" or any(grants.may(who, "usage", ("schema", r.schema)) for who in strangers)
    ]


def _callers(authority: Authority, routine: Routine) -> list[str]:
    grants = authority.grants
    holders = grants.holders("execute", ("routine", routine.key))
    return [who for who in holders if who == PUBLIC or who not in grants.reach(routine.owner)]
