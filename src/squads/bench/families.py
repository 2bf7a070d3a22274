"""Reads families of cases from folders, as `benchmarks/cases/` has them.

    <family>/family.yaml     what the family is, its oracle, and where a finding must point in each variant
             defect/         the files of the variant `defect`, by their paths in the artifact; so for every variant
             defect-view/    a further variant with the label `defect`
             base/           what stood before, for changes and migrations
             tests/          the code's own tests, which pass on every variant; no gate sees them
             attack.py       the oracle of Python families; no gate sees it

What is unknown, missing or unreadable raises `InvalidCase` and names the file: a set is read whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from squads.bench.case import Case, Label, Origin, Place, Split
from squads.bench.strip import stripped
from squads.contracts.base import Content, Name, canonical, digest_of
from squads.contracts.errors import InvalidCase
from squads.contracts.finding import Severity

FAMILY = "family.yaml"
_NOT_VARIANTS = ("base", "tests")


class Variant(Content):
    """One variant's line in `family.yaml`."""

    places: tuple[Place, ...] = ()
    """Where a finding must point; needed for defects and cosmetic fixes."""
    removals: tuple[str, ...] = ()
    note: str = ""
    """Why it is what it is, for people."""


class Family(Content):
    """The page `family.yaml`."""

    invariant: Name
    also: tuple[Name, ...] = ()
    """Further invariants that are the right reason too."""
    title: str
    """What goes wrong, as one sentence."""
    why: str
    """What happens to whom."""
    cwe: int | None = None
    severity: Severity = Severity.MAJOR
    language: Literal["sql", "python"]
    kind: Literal["schema", "migration", "module", "change"]
    split: Split
    origin: Origin = "written"
    source: str = ""
    licence: str = "Apache-2.0"
    brief: str
    oracle: dict[str, Any]
    """What proves the labels; `squads.bench.oracles` reads it. Its `kind` is `python` or `sql`."""
    variants: dict[str, Variant] = Field(min_length=2)


def built_in_folder() -> Path:
    """Return the folder of the cases that come with the library."""
    packaged = Path(str(resources("squads.bench"))) / "cases"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "benchmarks" / "cases"


def family_at(folder: Path) -> Family:
    """Return the page of the family in `folder`. Raises `InvalidCase`."""
    page = folder / FAMILY
    try:
        return Family.model_validate(yaml.safe_load(page.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise InvalidCase(f"{folder.name}/{FAMILY} cannot be read as a family: {error}") from None


def cases_of(folder: Path) -> list[Case]:
    """Return the cases of the family in `folder`, by variant. Raises `InvalidCase`."""
    if linked := next((path for path in (folder, *sorted(folder.rglob("*"))) if path.is_symlink()), None):
        # It could lead to any file of this machine, and what is read here is shown to models and published.
        raise InvalidCase(f"{folder.name}: {linked.name} is a symbolic link; put the file itself there")
    family = family_at(folder)
    there = {p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith((".", "__"))} - {*_NOT_VARIANTS}
    if odd := there.symmetric_difference(family.variants):
        raise InvalidCase(f"{folder.name}: {sorted(odd)[0]!r} is a folder or a variant of {FAMILY}, and must be both")
    base = _texts(folder / "base")
    return [_case(folder, family, name, base) for name in sorted(family.variants)]


def cases(folder: Path | None = None, *, splits: Iterable[Split] = ()) -> list[Case]:
    """Return the cases of every family below `folder` (the built-in ones by default), by family and variant.

    `splits` keeps those of some splits; empty keeps all. Raises `InvalidCase`, for an empty folder too.
    """
    top = built_in_folder() if folder is None else folder
    homes = sorted(page.parent for page in top.glob(f"*/{FAMILY}"))
    if not homes:
        raise InvalidCase(f"{os.fspath(top)} holds no family: no folder in it has a {FAMILY}")
    wanted = frozenset(splits)
    return [c for home in homes for c in cases_of(home) if not wanted or c.split in wanted]


def set_digest(given: Iterable[Case]) -> str:
    """Return SHA-256 over all cases with their labels: what a manifest of a held-out split publishes."""
    return digest_of(canonical(sorted((c.id, c.digest, c.label.value, c.invariant) for c in given)))


def _case(folder: Path, family: Family, name: str, base: Mapping[str, str]) -> Case:
    try:
        label = Label(name.partition("-")[0])
    except ValueError:
        raise InvalidCase(
            f"{folder.name}/{name}: a variant is called {', '.join(Label)}, or one of them and `-<word>`"
        ) from None
    variant = family.variants[name]
    if label.broken and not variant.places:
        raise InvalidCase(f"{folder.name}/{name} is a defect without `places`: nobody could be right about where")
    files = _texts(folder / name)
    for place in variant.places:
        lines = (files.get(place.path) or base.get(place.path, "")).count("\n") + 1
        if place.path not in {*files, *variant.removals} or (place.end_line or place.line or 1) > lines:
            raise InvalidCase(f"{folder.name}/{name} says the place {place.path}:{place.line}, which is not there")
    try:
        return Case(
            family=folder.name,
            variant=name,
            label=label,
            invariants=(family.invariant, *family.also),
            places=variant.places,
            severity=family.severity,
            cwe=family.cwe,
            language=family.language,
            kind=family.kind,
            split=family.split,
            origin=family.origin,
            licence=family.licence,
            source=family.source,
            brief=family.brief.strip(),
            files=files,
            base=base,
            removals=variant.removals,
        )
    except ValidationError as error:
        raise InvalidCase(f"{folder.name}/{name} is no case: {error}") from None


def _texts(folder: Path) -> dict[str, str]:
    """Return the stripped files below a folder; an absent folder has none."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or "__pycache__" in path.parts:
            continue
        name = path.relative_to(folder).as_posix()
        try:
            found[name] = stripped(path.name, path.read_text("utf-8"))
        except UnicodeDecodeError:
            raise InvalidCase(f"{folder.parent.name}/{folder.name}/{name} is not UTF-8") from None
    return found
