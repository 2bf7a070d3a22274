"""Loaders of public sets, by name. Nothing is copied: each reads from the folder that its user gives."""

from __future__ import annotations

import difflib

from squads.bench.loaders.loader import Loader
from squads.contracts.errors import InvalidCase


def loaders() -> tuple[Loader, ...]:
    """Return all loaders, by name."""
    from squads.bench.loaders.cweval import CWEval
    from squads.bench.loaders.eugene import Eugene
    from squads.bench.loaders.real_vuln import RealVuln
    from squads.bench.loaders.sven import Sven

    return (CWEval(), Eugene(), RealVuln(), Sven())


def loader_named(name: str) -> Loader:
    """Return the loader called `name`. Raises `InvalidCase` and names the nearest one."""
    known = {loader.name: loader for loader in loaders()}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise InvalidCase(f"no loader is called {name!r}; {hint}known: {', '.join(known)}")
