"""Plants defects into right code, one invariant at a time, and keeps what an oracle says is broken.

Planted defects are reported apart from written and real ones: they are nearer to the code they came from, and easier.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from squads.bench.planting.keep import Tried, tried
from squads.bench.planting.mutation import Edit, Mutation, Operator, Span
from squads.bench.planting.plant import Planted, plant
from squads.bench.planting.write import write_families
from squads.contracts.errors import InvalidInput

__all__ = [
    "Edit",
    "Mutation",
    "Operator",
    "Planted",
    "Span",
    "Tried",
    "operators",
    "plant",
    "tried",
    "write_families",
]


def operators(names: Iterable[str] = ()) -> tuple[Operator, ...]:
    """Return the operators with these names, or whose names begin so (`sql`, `python`); all where none is named.

    Raises `InvalidInput` for a name that is no operator's, and names the nearest one.
    """
    from squads.bench.planting import python_trust, python_work, sql_access, sql_schema

    known = {
        operator.name: operator
        for module in (sql_schema, sql_access, python_trust, python_work)
        for operator in module.OPERATORS
    }
    wanted = dict.fromkeys(names)
    for name in wanted:
        if not any(name in (known_name, operator.language) for known_name, operator in known.items()):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InvalidInput(f"no operator is called {name!r:.60}; {hint}known: sql, python, {', '.join(known)}")
    return tuple(o for o in known.values() if not wanted or {o.name, o.language} & wanted.keys())
