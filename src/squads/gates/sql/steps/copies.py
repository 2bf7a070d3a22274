"""The texts of copies: what a query takes, from where, and whether it leaves something out."""

from __future__ import annotations

import re

from squads.gates.sql.steps.act import Act

_LOSSY = re.compile(
    r"\b(left|right|substr|substring|split_part|trunc|floor|ceil|ceiling|date_trunc|md5|sha256|min|max|length"
    r"|count|hashtext|sign|round|extract|date_part|to_char)\s*\(|->|::\s*(date|smallint|int2|boolean)\b"
    r"|::\s*(varchar|char|character varying)\s*\(\s*\d",
    re.IGNORECASE,
)


def lossy(expression: str) -> bool:
    """Return whether an expression gives less than its columns hold."""
    return _LOSSY.search(expression) is not None and "*" not in expression


def only_nulls(where: str) -> bool:
    """Return whether a condition leaves out nothing but rows without a value, or with one already."""
    parts = re.split(r"\band\b", where.lower().replace('"', ""))
    either = [p.strip(" ()") for p in re.split(r"\bor\b", where.lower().replace('"', ""))]
    if len(either) > 1 and all(re.fullmatch(r"(\w+ \. )?\w+ is not null", p) for p in either):
        return True
    return all(
        re.fullmatch(r"\(?\s*(\w+ \. )?\w+ (is (not )?null|<> '')\s*\)?", p.strip()) or _joined(p) for p in parts
    )


def _joined(part: str) -> bool:
    """Return whether a condition only says which rows of two tables belong together."""
    return re.fullmatch(r"\(?\s*\w+ \. \w+ = \w+ \. \w+\s*\)?", part.strip()) is not None


def moves_on(act: Act) -> bool:
    """Return whether an act stores rows that it reads elsewhere."""
    if act.kind == "create_table":
        return bool(act.text) and re.search(r"\bwith no data\b", act.text, re.IGNORECASE) is None
    return act.kind in ("insert_select", "moved")


def compared(column: str, text: str) -> bool:
    """Return whether a join looks a column up in another table, so that what it finds stands for the value."""
    name = re.escape(column)
    return (
        re.search(rf"\bjoin\b.* = (\w+ \. )?\"?{name}\b|\bjoin\b.*\b{name}\"? = \w+ \. \w+", text, re.IGNORECASE)
        is not None
    )


def bare(text: str) -> str:
    """Return a condition without names of tables in front of columns."""
    return " ".join(re.sub(r"\b\w+ \. ", "", text.lower().replace('"', "")).strip(" ;()").split())


def selects(text: str) -> list[str]:
    """Return the queries of a text, the branches of UNION apart."""
    return [t for t in re.split(r"\bunion(?: all)?\b", text, flags=re.IGNORECASE) if t.strip()]


def members(head: str) -> list[str]:
    """Return the members of a list, brackets kept whole."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(head):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append(head[start:at])
            start = at + 1
    return [*parts, head[start:]]
