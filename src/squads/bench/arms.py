"""What is compared: arms, each a gate with its levels of factors, and the contexts in which they judge."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from squads.contracts.base import canonical, digest_of
from squads.contracts.errors import InvalidInput
from squads.gates.gate import Gate
from squads.resolve import NAME

RESERVED = ("context", "author")
"""Factors that a run writes itself: in which context a gate judged, and how far it is from the case's maker."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One gate of a run, under a name of its own, with the levels of the factors that it stands for.

    `gate` is a gate (a check, a tool, a role with a model, a panel, a person), or a function that makes one. Two arms
    may hold gates of one prior: that is what a comparison with more calls of the same gate needs.
    """

    name: str
    gate: Any
    factors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """One level of the factor `context`: what every gate is told besides the case itself."""

    name: str = "plain"
    told: str = ""
    """A paragraph below the brief of every case."""
    base: bool = True
    """Whether gates see what stood before a change."""
    author: str | None = None
    """The model that made the cases, as `provider:name`. The receipts then say how independent each gate is of it, and
    the factor `author` has these levels: `prior` for the same model, `model`, `family`."""


def arms_of(gates: Iterable[Any]) -> list[Arm]:
    """Return gates as arms of their own names, and arms as they are."""
    from squads.resolve import name_of

    return [g if isinstance(g, Arm) else Arm(name_of(g), g) for g in gates]


def seats(arms: Sequence[Arm]) -> dict[str, Gate]:
    """Return each arm's gate by the arm's name, made where a function makes it. Raises `InvalidInput`."""
    if not arms:
        raise InvalidInput("a run without gates measures nothing; give it at least one")
    found: dict[str, Gate] = {}
    for arm in arms:
        if not NAME.fullmatch(arm.name):
            raise InvalidInput(f"{arm.name!r:.80} is no name for a gate; use lower-case letters, digits, '.' and '-'")
        if arm.name in found:
            raise InvalidInput(f"two gates of the run are called {arm.name!r}; give each arm a name of its own")
        if taken := sorted(set(arm.factors) & set(RESERVED)):
            raise InvalidInput(f"the factor {taken[0]!r} of {arm.name!r} is written by the run; call yours otherwise")
        found[arm.name] = _made(arm)
    return found


def contexts_of(contexts: Iterable[Context]) -> tuple[Context, ...]:
    """Return the contexts, each of a name of its own. Raises `InvalidInput`."""
    given = tuple(contexts)
    names = [c.name for c in given]
    if not given or len(set(names)) != len(names):
        raise InvalidInput(f"a run has one context or several of different names; got {', '.join(names) or 'none'}")
    return given


def version_of(gate: Any) -> str:
    """Return which code gives a gate's verdicts: the library's version, and a digest of the code around the gate.

    The digest of a prior covers the gate's own class or function; a version covers what those call as well, in the
    library and in the gate's own module. Verdicts of another version are never reused.
    """
    from squads import __version__

    parts = sorted({_source_of(part) for part in _everyone(gate)})
    return f"{__version__}+{digest_of(canonical(parts))[:12]}"


def _everyone(gate: Any) -> list[Any]:
    return [gate, *(inner for member in getattr(gate, "members", ()) for inner in _everyone(member))]


def _source_of(gate: Any) -> str:
    subject = getattr(gate, "__wrapped__", None) or type(gate)
    own = "" if subject.__module__.startswith("squads.") else _module_digest(subject)
    return f"{_library_digest()} {own}".strip()


def _module_digest(subject: Any) -> str:
    module = inspect.getmodule(subject)
    try:
        return digest_of(inspect.getsource(module if module is not None else subject).encode())
    except (OSError, TypeError):  # a REPL, a project's card: its prior covers what there is
        return ""


@cache
def _library_digest() -> str:
    """Return a digest of all of the library's own code: about 20 ms, once."""
    top = Path(str(import_module("squads").__file__)).parent
    whole = hashlib.sha256()
    for path in sorted(top.rglob("*.py")):
        whole.update(f"{path.relative_to(top).as_posix()}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _made(arm: Arm) -> Gate:
    made: Any = arm.gate
    if not isinstance(made, Gate) and isinstance(made, Callable):  # type: ignore[arg-type]
        made = made()
    if not isinstance(made, Gate):
        raise InvalidInput(
            f"the arm {arm.name!r} holds {made!r:.60}, which is no gate; give a gate, or a function that makes one"
        )
    return made
