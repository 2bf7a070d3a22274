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

from squads.contracts.base import canonical, digest_of
from squads.contracts.errors import DuplicateRole, InvalidSquad, NoGates, SelfGate
from squads.contracts.messages import RUNNER
from squads.contracts.records import MemberRecord, RoleRecord
from squads.kernel.ports import Role
from squads.kernel.registry import independence

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
    if getattr(role, "kind", None) != kind or not callable(getattr(role, "answer", None)):
        what = f"the function {role.__name__}" if inspect.isfunction(role) else f"{type(role).__name__} {role!r:.60}"
        raise InvalidSquad(f"{what} is no {kind}; {example}")


def prior_of(role: Any) -> str:
    """Return the digest of what a role brings to its reading."""
    subject = getattr(role, "__wrapped__", None) or type(role)
    parts = {
        "prior": getattr(role, "prior", ""),
        "code": _code_of(subject),
        "model": getattr(role, "model", None),
        "tools": [str(t) for t in getattr(role, "tools", ())],
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


def members_of(gate: Any) -> list[MemberRecord]:
    """Return the gates that a panel is made of, those of panels inside it included."""
    found = []
    for member in getattr(gate, "members", ()):
        found.append(
            MemberRecord(
                name=name_of(member),
                prior=prior_of(member),
                model=getattr(member, "model", None),
                family=getattr(member, "family", None),
            )
        )
        found += members_of(member)
    return found


def is_unsafe(role: Any) -> bool:
    """Return whether a role approves without reading, or is a panel with such a member."""
    return bool(getattr(role, "unsafe", False)) or any(map(is_unsafe, getattr(role, "members", ())))


def record_of_role(role: Role) -> RoleRecord:
    """Return the frozen record of a role."""
    return RoleRecord(
        name=name_of(role),
        kind=role.kind,
        prior=prior_of(role),
        reads=tuple(getattr(role, "reads", ())) if role.kind == "gate" else (),
        refuse_at=getattr(role, "refuse_at", "major"),
        model=getattr(role, "model", None),
        family=getattr(role, "family", None),
        members=tuple(members_of(role)),
        unsafe=is_unsafe(role),
        call_tokens_max=getattr(role, "call_tokens_max", 0),
        call_microusd_max=getattr(role, "call_microusd_max", 0),
    )


def resolve(coordinator: Any, builders: Sequence[Any], gates: Sequence[Any]) -> dict[str, tuple[Role, RoleRecord]]:
    """Return every role by name, with its record. Raises an `InvalidSquad` that names the mistake."""
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
    return _distinct([coordinator, *builders, *gates])


def _distinct(roles: Iterable[Any]) -> dict[str, tuple[Role, RoleRecord]]:
    resolved: dict[str, tuple[Role, RoleRecord]] = {}
    for role in roles:
        record = record_of_role(role)
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
