"""How sure it is that a query of a program is wrong, and where it is told."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.python.queries import Query
from squads.gates.sql.tenancy.at_hand import Hand
from squads.gates.sql.tenancy.functions import Function, arguments_of
from squads.gates.sql.tenancy.shared import Crossing
from squads.gates.sql.tenancy.words import root_of, sweeps

_NEAR = 3
"""So many lines away from what is wrong a place still is a right one."""
_OFFICE = re.compile(r"(^|[/_])(back_?office|admin\w*|staff|internal|superusers?|operations)(/|_|\.py)", re.IGNORECASE)
_OFFICE_ROUTES = re.compile(r"(Router|Blueprint)\(.*(admin|staff|back-?_?office|internal|superuser)", re.IGNORECASE)
_SWEEPING = re.compile(
    r"\b(all|every|across|each|any)\s+(of\s+)?(the\s+)?(\w+\s+)?(tenants?|organi[sz]ations?|accounts?|customers|companies|clubs"
    r"|schools|shops|workspaces)\b|\bnightly\b|\bcron\b|\bstaff only\b|\bback ?office\b",
    re.IGNORECASE,
)
_JOB = re.compile(r"\b(shared_task|task|job|cron|actor|periodic|scheduled|scheduler|on_event|dramatiq|background)\b")
LOOKED_UP = re.compile(
    r"token|email|hash|api_key|secret|webhook|username|login|domain|host|slug|invite|signature|tenant|stripe|external",
    re.IGNORECASE,
)


def told_at(
    file: PythonFile,
    node: ast.expr,
    table: str,
    key: str,
    why: str,
    holder: str,
    certain: bool,
    query: Query | None = None,
) -> Iterator[Crossing]:
    """Yield a query that reaches every tenant, at each place where it shows.

    Args:
        file: The program.
        node: The query.
        table: What it reaches.
        key: What it should ask for.
        why: As in `Use`; `chosen`: the client names the tenant; `open`: it need not be given.
        holder: What gives the tenant to the function; may be empty.
        certain: Whether it is refused.
        query: The query with its text.
    """
    reason = {
        "itself": f"compares {key} with nothing of the caller's",
        "or": f"asks for {key} in one branch of an OR only",
        "joined": f"does not tie {table} to the caller's {key}",
        "chosen": f"takes {key} from what the client sends",
        "open": f"asks for {key} only where one is given",
    }.get(why, f"leaves out {key}")
    message = f"This query over {table} {reason}" + (
        f", though {holder} is at hand: it reaches every tenant." if holder else ", so it reaches every tenant."
    )
    places = [file.source.place(*file.offsets(node))]
    for first in (query.made.spans[0], query.made.spans[-1]) if query is not None and query.made.spans else ():
        text = file.source.place(first.python_start, first.python_end)
        if not places[0].line <= text.line <= places[0].end_line:
            places.append(text)
    for at in _spots(query, table, key, why) if query is not None else ():
        spot = file.source.place(at, at + 1)
        if not any(abs(p.line - spot.line) <= _NEAR for p in places):
            places.append(spot)
    for place in places:
        yield Crossing(place, message, f"AND {key} = ...", certain=certain)


def _spots(query: Query, table: str, key: str, why: str) -> Iterator[int]:
    """Yield where a long query names the table, or says of the key what does not bind it."""
    text = query.made.text
    words = [rf"\b(?:from|join|update|using|,)\s+(?:only\s+)?(?:\w+\.)?\"?(?P<at>{re.escape(table)})\b"]
    words += [rf"\b(?P<at>{re.escape(key)})\b"] if why in ("itself", "or") else []
    for found in (m for w in words for m in re.finditer(w, text, re.IGNORECASE)):
        at = found.start("at")
        inside = [
            s for s in query.made.spans if s.start <= at < s.end and s.python_end - s.python_start >= s.end - s.start
        ]
        if inside:
            span = min(inside, key=lambda s: s.end - s.start)
            yield span.python_start + min(at - span.start, span.python_end - span.python_start)


def stands_above_all(file: PythonFile) -> bool:
    """Return whether a module serves those who are meant to see every tenant: by its name, or by its routes' prefix."""
    if _OFFICE.search(file.path):
        return True
    made = (n.value for n in file.tree.body if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call))
    return any(_OFFICE_ROUTES.search(ast.unparse(c)) for c in made)


def is_certain(hand: Hand, function: Function | None, holder: str, *, asks: bool, siblings: bool) -> bool:
    """Return whether a query without the tenant is wrong for sure.

    Args:
        hand: The module.
        function: Where the query stands.
        holder: What gives the tenant to it.
        asks: Whether it asks for rows by a value that it is given.
        siblings: Whether others ask the same table by tenant.
    """
    if function is None:
        return False
    if holder in {a.arg for a in arguments_of(function)} and root_of(holder) in hand.roots:
        return True
    if any(_JOB.search(ast.unparse(d)) for d in function.decorator_list):
        return False
    if (not hand.answers(function) and sweeps(function.name)) or _SWEEPING.search(ast.get_docstring(function) or ""):
        return False
    if holder:
        return True
    given = {a.arg for a in arguments_of(function)} - {"self", "cls", "conn", "db", "session", "connection", "cursor"}
    return (
        siblings
        and asks
        and bool(given)
        and not LOOKED_UP.search(" ".join(given))
        and not hand.asked_by_others(function)
    )
