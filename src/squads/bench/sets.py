"""Sets of cases as people name them: the built-in one, a folder of families, or a public set at a path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from squads.bench.case import Case, Split
from squads.bench.families import cases
from squads.bench.loaders import loader_named, loaders
from squads.contracts.errors import InvalidCase

BUILT_IN = "built-in"


def cases_at(where: str, *, splits: Iterable[Split] = ()) -> list[Case]:
    """Return the cases of `built-in`, of a folder of families, or of `NAME:PATH`, where NAME is a loader's.

    `splits` keeps those of some splits; empty keeps all. A folder whose name begins like a loader's is meant by
    `./NAME:...`. Raises `InvalidCase`.
    """
    name, colon, path = where.partition(":")
    if colon and path and name in {loader.name for loader in loaders()}:
        wanted = frozenset(splits)
        return [case for case in loader_named(name).load(Path(path)) if not wanted or case.split in wanted]
    try:
        return cases(None if where == BUILT_IN else Path(where), splits=splits)
    except InvalidCase as error:
        if not colon or Path(where).exists():
            raise
        known = ", ".join(loader.name for loader in loaders())
        raise InvalidCase(f"{error}; nor is {name!r:.40} a public set, which are {known}") from None
