"""What a SAML check knows of a value on one way through a program, and of the world on that way.

A value that comes from outside is `Data`: where it came from, and what has been made of it so far. Whether it may be
believed is no property of the value but of the way: `State.trust` says what has been verified before this point.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Literal

from squads.gates.python.module import Class, Function, Module

Form = Literal["text", "tree", "unclear", "opaque", "metadata", "signed", "own"]
"""What data is: a message as text, a tree parsed from it, something an unknown function made of it, anything from
outside, a metadata document, what a signature covers, or what this program wrote itself."""

Grade = Literal["verified", "elsewhere", "half", "digest", "unclear"]
"""How far an origin may be believed: its signature was verified; something in it is signed, perhaps not what is read;
only the list of digests is signed; only a digest fits; somebody outside of the artifact was asked."""

_WORST: tuple[Form, ...] = ("tree", "text", "unclear", "opaque", "metadata", "signed", "own")


@dataclass(frozen=True, slots=True)
class Const:
    """A value that stands in the source."""

    value: str | bytes | int | float | complex | bool | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that whoever runs the program may set; `default` is what it is when nobody does."""

    default: str | bytes | int | float | complex | bool | None


@dataclass(frozen=True, slots=True)
class Items:
    """A list, tuple, set or dict that was written out; lists have no keys."""

    entries: tuple[tuple[Const | None, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Data:
    """Something that is not known before the program runs."""

    origins: frozenset[str] = frozenset()
    """Where it came from, as it is called in the source: `request.form['SAMLResponse']`."""
    form: Form = "opaque"
    reads: frozenset[ast.AST] = frozenset()
    """Where identity was read that this value holds."""
    key: bool = False
    """It is a key or certificate that a message brought along."""
    tag: str = ""
    """The last attribute's name that was asked for, such as `URI`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of a verification: while it is true (or false, when negated) the origins have this grade."""

    origins: frozenset[str]
    grade: Grade = "verified"
    negated: bool = False
    certificate: bool = True
    """False where the key came with the message: then a yes says nothing."""


@dataclass(frozen=True, slots=True)
class Callee:
    """A function of the artifact, with the object it is bound to and the names around it."""

    function: Function
    owner: Value | None = None
    closure: int = -1


@dataclass(frozen=True, slots=True)
class Type:
    """A class of the artifact."""

    made_by: Class


@dataclass(frozen=True, slots=True)
class Object:
    """An object of a class of the artifact; its attributes are in `State.attributes`."""

    made_by: Class
    number: int


@dataclass(frozen=True, slots=True)
class Imported:
    """A module of the artifact."""

    module: Module


Value = Const | Setting | Items | Data | Verdict | Callee | Type | Object | Imported

NONE = Const(None)
OWN = Data(form="own")


def outside(origin: str) -> Data:
    """Return a value of which only a name is known."""
    return Data(frozenset((origin[:120],)))


@dataclass(slots=True)
class State:
    """One way up to one point: local names, attributes of objects, what was verified, and what went wrong before."""

    env: dict[str, Value] = field(default_factory=dict)
    trust: dict[str, Grade] = field(default_factory=dict)
    attributes: dict[tuple[int | str, str], Value] = field(default_factory=dict)
    remarks: frozenset[str] = frozenset()
    """Why a verification on this way counts for nothing, as `reason:origin`."""

    def copy(self) -> State:
        """Return a state that may go another way."""
        return State(dict(self.env), dict(self.trust), dict(self.attributes), self.remarks)

    def same(self) -> tuple[object, ...]:
        """Return what two states have in common when nothing can tell them apart any more."""
        return (
            frozenset(self.env.items()),
            frozenset(self.trust.items()),
            frozenset(self.attributes.items()),
            self.remarks,
        )

    def believe(self, origins: frozenset[str], grade: Grade) -> None:
        """Raise the grade of origins; what is verified stays so."""
        for origin in origins:
            known = self.trust.get(origin)
            if known != "verified":
                # What is signed is a list of digests; with the digest of what is read, the two halves make a whole.
                self.trust[origin] = "verified" if {known, grade} == {"half", "digest"} else grade

    def remark(self, reason: str) -> None:
        """Remember why a verification counts for nothing on this way."""
        self.remarks |= {reason}


def distinct(states: list[State]) -> list[State]:
    """Return states without those that nothing can tell from another."""
    if len(states) < 2:
        return states
    return list({s.same(): s for s in states}.values())


def parts(value: Value, state: State, depth: int = 3) -> list[Data]:
    """Return all data inside of a value: of lists, dicts and objects too."""
    if isinstance(value, Data):
        return [value]
    if depth and isinstance(value, Items):
        return [d for _, v in value.entries for d in parts(v, state, depth - 1)]
    if depth and isinstance(value, Object):
        held = [v for (number, _), v in state.attributes.items() if number == value.number]
        return [d for v in held for d in parts(v, state, depth - 1)]
    return []


def derived(*values: Data) -> Data:
    """Return what is made of several pieces: as doubtful as the most doubtful of them."""
    if not values:
        return OWN
    worst = min(values, key=lambda d: _WORST.index(d.form)).form
    doubtful = [d for d in values if d.form not in ("signed", "own")] or list(values)
    return Data(
        origins=frozenset().union(*(d.origins for d in doubtful)),
        form=worst,
        reads=frozenset().union(*(d.reads for d in values)),
        key=any(d.key for d in values),
        tag=values[0].tag if len(values) == 1 else "",
    )


def shaped(data: Data, form: Form) -> Data:
    """Return `data` as another form; what was signed, or written here, stays so."""
    return data if data.form in ("signed", "own") else replace(data, form=form)


def texts(value: Value | None, depth: int = 3) -> list[str]:
    """Return the strings that a value holds for sure, keys included."""
    if isinstance(value, Const | Setting):
        held = value.value if isinstance(value, Const) else value.default
        return [held] if isinstance(held, str) else [held.decode("latin-1")] if isinstance(held, bytes) else []
    if isinstance(value, Items) and depth:
        return [t for k, v in value.entries for t in (*texts(k), *texts(v, depth - 1))]
    return []
