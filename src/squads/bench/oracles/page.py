"""Reads a family's mapping `oracle`: what is run against its variants. Strict, so that a slip is not half a proof."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from squads.contracts.base import Content
from squads.contracts.errors import InvalidCase
from squads.kernel.scratch_ports import APP, OWNER

DEFAULT_SECONDS_MAX = 20


class PythonOracle(Content):
    """`attack.py` in the family's folder: exit code 0 holds, 10 is broken, all else is unknown."""

    kind: Literal["python"] = "python"
    seconds_max: int = Field(default=DEFAULT_SECONDS_MAX, gt=0, le=60)


class Step(Content):
    """One thing that is tried on the database, as one role."""

    role: str = Field(alias="as")
    do: str = Field(min_length=1)
    """One or more statements, run one after the other; what they say is the last one's."""
    expect: Literal["works", "fails", "any"] = "works"
    """Against it the answer is unknown: `any` for what the answer itself depends on."""
    session: str = ""
    """Steps of one session share a connection; without a name it is the role's own."""
    name: str = ""
    """What `squads_probe.steps` calls it; its number, counted from 1, where it has none."""
    set: Mapping[str, str] = Field(default_factory=dict)
    """Settings of its session, from this step on."""


class SqlOracle(Content):
    """What is done on a database of the variant's own, and the one question that decides."""

    kind: Literal["sql"] = "sql"
    roles: tuple[str, ...] = ()
    """Further roles that can connect, beside `owner` and `app`."""
    seed_before: str = ""
    """SQL as the owner, before anything."""
    seed: str = ""
    """SQL as the owner, after `base/` and before the variant."""
    migrate: tuple[str, ...] = ()
    """The variant's files that are applied, in this order; without it every *.sql by its path."""
    autocommit: bool = False
    """Each statement is a transaction of its own, instead of each file."""
    migration_fails: Literal["broken", "unknown"] = "unknown"
    """What it means that the variant's own SQL does not apply."""
    attack: tuple[Step, ...] = ()
    broken_if: str = Field(min_length=1)
    """One boolean, asked of a reader of everything once all steps have ended."""

    @field_validator("migrate", "roles", mode="before")
    @classmethod
    def _one_is_a_list(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

    @model_validator(mode="after")
    def _steps_fit(self) -> SqlOracle:
        known = {OWNER, APP, *self.roles}
        of: dict[str, str] = {}
        names: set[str] = set()
        for number, step in enumerate(self.attack, 1):
            if step.role not in known:
                raise ValueError(f"attack step {number}: as {step.role!r}, who is none of {', '.join(sorted(known))}")
            session = step.session or f"of {step.role}"
            if of.setdefault(session, step.role) != step.role:
                raise ValueError(f"attack step {number}: session {step.session!r} belongs to {of[session]} already")
            name = step.name or str(number)
            if name in names:
                raise ValueError(f"attack step {number}: another step is called {name!r}")
            names.add(name)
        return self


def oracle_of(mapping: Mapping[str, Any], *, family: str) -> PythonOracle | SqlOracle:
    """Return the oracle that a family's page describes. Raises `InvalidCase` naming the nearest known key."""
    match mapping.get("kind"):
        case "python":
            page: type[PythonOracle] | type[SqlOracle] = PythonOracle
        case "sql":
            page = SqlOracle
        case other:
            raise InvalidCase(f"{family}: an oracle's kind is python or sql; got {other!r:.40}")
    _known_keys(mapping, page, f"{family}: oracle")
    attack = mapping.get("attack")
    for number, step in enumerate(attack if isinstance(attack, list) else (), 1):
        if isinstance(step, Mapping):
            _known_keys(step, Step, f"{family}: attack step {number}")
    try:
        return page.model_validate(dict(mapping))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidCase(
            f"{family}: oracle{f'.{where}' if where else ''}: {first['msg'].removeprefix('Value error, ')}"
        ) from None


def _known_keys(mapping: Mapping[str, Any], page: type[Content], where: str) -> None:
    known = [field.alias or name for name, field in page.model_fields.items()]
    for key in mapping:
        if key not in known:
            near = get_close_matches(str(key), known, n=1, cutoff=0.0)
            raise InvalidCase(f"{where} has no key {key!r:.60}; did you mean {near[0]!r}? known: {', '.join(known)}")
