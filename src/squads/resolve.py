"""From a role as somebody wrote it to the record that a packet freezes: name, kind, prior, and what it may cost.

The prior's digest covers prose, class source, model and tools. Where there is no source to read (a REPL, a frozen
program) the compiled code stands in for it: two roles that behave alike still get one digest.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Iterable, Sequence
from types import CodeType
from typing import Any

from pydantic import ValidationError

from squads.contracts.base import canonical, digest_of
from squads.contracts.errors import DuplicateRole, InvalidSquad, NoGates, SelfGate
from squads.contracts.messages import RUNNER
from squads.contracts.records import Independence, MemberRecord, ModelRecord, RoleRecord
from squads.kernel.model_ports import Model
from squads.kernel.ports import Role
from squads.kernel.registry import LEVELS, apart, independence, judged_by, models_apart, readers_in, too_near
from squads.minds.families import family_of, model_of, models_in
from squads.thinking import allowance_of, left_to_a_model

NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")


def name_of(role: Any) -> str:
    """Return what the squad calls a role: its `name`, or its class's name in lower case with dashes."""
    given = getattr(role, "name", "")
    name = given or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(role).__name__).lower().strip("_")
    if not NAME.fullmatch(name):
        raise InvalidSquad(
            f"{name!r} is no name for a role; use lower-case letters, digits, '.', '_' and '-', starting with a letter"
        )
    if name == RUNNER:
        raise InvalidSquad(f"no role may be called {RUNNER!r}: it is the runner's own address; rename it")
    return name


def check_role(role: Any, kind: str, example: str) -> None:
    """Raise `InvalidSquad` unless `role` is an instance of a role of this kind."""
    if inspect.isclass(role):
        raise InvalidSquad(f"{role.__name__} is a class; hand over an instance: {role.__name__}()")
    if (verb := left_to_a_model(role)) and not models_in(getattr(role, "model", None)):
        raise InvalidSquad(
            f"{type(role).__name__} has no `{verb}` of its own and no model; write `{verb}`, or give model='...'"
        )
    if getattr(role, "kind", None) != kind or not callable(getattr(role, "answer", None)):
        what = f"the function {role.__name__}" if inspect.isfunction(role) else f"{type(role).__name__} {role!r:.60}"
        raise InvalidSquad(f"{what} is no {kind}; {example}")


def prior_of(role: Any) -> str:
    """Return the digest of what a role brings to its reading."""
    subject = getattr(role, "__wrapped__", None) or type(role)
    parts = {
        "prior": getattr(role, "prior", ""),
        "code": _code_of(subject),
        "model": list(models_in(getattr(role, "model", None))),
        "tools": [str(t) for t in (*getattr(role, "tools", ()), *getattr(role, "run", ()))],
        "servers": [s.model_dump(mode="json") for s in getattr(role, "servers", ())],
        "covers": [str(t) for t in getattr(role, "covers", ())],
        "card": getattr(role, "card", ""),
        "members": [prior_of(m) for m in getattr(role, "members", ())],
    }
    return digest_of(canonical(parts))


def _code_of(subject: Any) -> str:
    """Return a digest of a class's or function's source, its bases outside the library included."""
    pieces = []
    for part in inspect.getmro(subject) if inspect.isclass(subject) else (subject,):
        module = getattr(part, "__module__", "") or ""
        pieces.append(f"{module}.{getattr(part, '__qualname__', part)}")
        if module.split(".")[0] in ("builtins", "abc", "typing"):
            continue
        try:
            pieces.append(inspect.getsource(part))
        except (OSError, TypeError):
            pieces.append(_compiled(part))
    return hashlib.sha256("\0".join(pieces).encode()).hexdigest()


def _compiled(part: Any) -> str:
    functions = vars(part).values() if inspect.isclass(part) else (part,)
    return "".join(_bytecode(f.__code__) for f in functions if hasattr(f, "__code__"))


def _bytecode(code: CodeType) -> str:
    inner = "".join(_bytecode(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts)
    return f"{code.co_code.hex()}({inner}){code.co_names}"


def models_of(role: Any) -> tuple[ModelRecord, ...]:
    """Return the models that may answer for a role: what each is called, and what it is.

    A `family` of the role's own is for models whose names do not say theirs. Raises `InvalidSquad` for what is no model
    string, and for a family that a name contradicts: saying so would make no weights another's.
    """
    said = getattr(role, "family", None)
    try:
        known = {model: family_of(model) for model in models_in(getattr(role, "model", None))}
        if said and known and None not in known.values() and said not in known.values():
            held = ", ".join(f"{model!r} is {family}" for model, family in known.items())
            raise InvalidSquad(f"{name_of(role)!r} says family {said!r}, and {held}; leave `family` out")
        return tuple(ModelRecord(called=m, name=model_of(m), family=f or said) for m, f in known.items())
    except (TypeError, AttributeError, ValidationError):
        raise InvalidSquad(
            f"{name_of(role)!r} names the model {getattr(role, 'model', None)!r:.80} (family {said!r:.40}); a model is "
            "written 'provider:name', such as 'anthropic:claude-sonnet-5-5', and fallbacks are a list of those"
        ) from None


def members_of(gate: Any) -> list[MemberRecord]:
    """Return the gates that a panel is made of, those of panels inside it included."""
    found = []
    for member in getattr(gate, "members", ()):
        found.append(
            MemberRecord(
                name=name_of(member),
                prior=prior_of(member),
                models=models_of(member),
            )
        )
        found += members_of(member)
    return found


def is_unsafe(role: Any) -> bool:
    """Return whether a role approves without reading, or is a panel with such a member."""
    return bool(getattr(role, "unsafe", False)) or any(map(is_unsafe, getattr(role, "members", ())))


def record_of_role(role: Role, model: Model | None = None) -> RoleRecord:
    """Return the frozen record of a role, with what one answer may cost at most."""
    tokens, microusd, wait_ms = allowance_of(role, model)
    return RoleRecord(
        name=name_of(role),
        kind=role.kind,
        prior=prior_of(role),
        reads=tuple(getattr(role, "reads", ())) if role.kind == "gate" else (),
        refuse_at=getattr(role, "refuse_at", "major"),
        models=models_of(role),
        members=tuple(members_of(role)),
        unsafe=is_unsafe(role),
        call_tokens_max=tokens,
        call_microusd_max=microusd,
        call_ms_max=wait_ms,
    )


def resolve(
    coordinator: Any, builders: Sequence[Any], gates: Sequence[Any], *, model: Model | None = None
) -> dict[str, tuple[Role, RoleRecord]]:
    """Return every role by name, with its record. Raises an `InvalidSquad` that names the mistake.

    `model` knows prices: what one answer may cost is reserved from them where a role does not say.
    """
    if not gates:
        raise NoGates(
            "a squad without gates lets everything through, so it is refused; give gates=[...], "
            "or say it with its name: gates=[UnsafeNoGate()]"
        )
    if not builders:
        raise InvalidSquad("nobody builds in this squad; give builder=YourBuilder()")
    check_role(coordinator, "coordinator", "subclass squads.Coordinator and hand over an instance")
    for builder in builders:
        check_role(builder, "builder", "subclass squads.Builder and hand over an instance")
    for gate in gates:
        check_role(gate, "gate", "subclass squads.Gate, or decorate a function with @check('an.invariant-id')")
    return _distinct([coordinator, *builders, *gates], model)


def _distinct(roles: Iterable[Any], model: Model | None) -> dict[str, tuple[Role, RoleRecord]]:
    resolved: dict[str, tuple[Role, RoleRecord]] = {}
    for role in roles:
        record = record_of_role(role, model)
        if record.name in resolved:
            other = resolved[record.name][1]
            raise DuplicateRole(
                f"two roles are called {record.name!r} (a {other.kind} and a {record.kind}); give one another `name`"
            )
        resolved[record.name] = (role, record)
    records = [record for _, record in resolved.values()]
    for gate in (r for r in records if r.kind == "gate"):
        for author in (r for r in records if r.kind != "gate"):
            if independence(gate, author) is None:
                raise SelfGate(
                    f"the gate {gate.name!r} brings the very prior of the {author.kind} {author.name!r}; "
                    "no one judges their own work: give the gate another prior, model or class"
                )
    return resolved


def check_independence(records: Iterable[RoleRecord], demanded: Independence) -> None:
    """Raise unless every gate is as independent as is demanded of everybody whose attempts it reads.

    The kernel asks again when a packet is opened and for every ticket; this says it before anything is begun.
    Raises `SelfGate` with the gate, the author, what was reached and the way out; `InvalidSquad` for an unknown demand.
    """
    if demanded not in LEVELS:
        raise InvalidSquad(f"{demanded!r:.60} is no independence; known: {', '.join(LEVELS)}")
    roles = {record.name: record for record in records}
    for gate in (r for r in roles.values() if r.kind == "gate"):
        for author in judged_by(gate, roles):
            if too_near(gate, author, demanded):
                reached = independence(gate, author)
                raise SelfGate(
                    f"the gate {gate.name!r} is independent of the {author.kind} {author.name!r} by {reached!r}, and "
                    f"this squad demands {demanded!r}: {_why_near(gate, author, demanded)}"
                )


def _why_near(gate: RoleRecord, author: RoleRecord, demanded: Independence) -> str:
    """Return what brings a gate and an author together, and the way out."""
    reader = min(readers_in(gate), key=lambda r: LEVELS.index(apart(r, author) or "identity"))
    whose = "" if reader is gate else f"its member {reader.name!r}: "
    if not reader.models or not author.models:
        return f"{whose}both are code; give one of them a model, or demand 'prior'"
    pairs = [(one, other) for one in reader.models for other in author.models]
    one, other = min(pairs, key=lambda pair: LEVELS.index(models_apart(*pair)))
    if one.name == other.name:
        return f"{whose}{one.called!r} and {other.called!r} are one model, {one.name}; give the gate another"
    unknown = next((model.called for model in (one, other) if not model.family), None)
    if unknown is not None:
        return f"{whose}nobody knows the family of {unknown!r}; say `family:` in the card, or give another model"
    return f"{whose}{one.called!r} and {other.called!r} are both {one.family}; give the gate a model of another family"


def people_of(people: Iterable[str]) -> tuple[str, ...]:
    """Return the names of people, each once. Raises `InvalidSquad` for what names nobody's key."""
    names = tuple(dict.fromkeys(several(people, "people")))
    for person in names:
        if not isinstance(person, str) or not NAME.fullmatch(person):
            raise InvalidSquad(
                f"{person!r} is no name for a person's key; use lower-case letters, digits, '.', '_' and '-', "
                "starting with a letter"
            )
    return names


def several(given: Any, what: str) -> list[Any]:
    """Return what was given as a list; one thing where several belong is a mistake that a loop would hide."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidSquad(f"{what}={given!r:.60} is one thing where several belong; write {what}=[...]")
    return list(given)
