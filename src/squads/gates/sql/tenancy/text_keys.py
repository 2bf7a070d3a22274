"""Which tables have which key, by how the SQL of a program asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from squads.gates.sql.tenancy.words import AMBIGUOUS, is_strong_key, many_of, may_be_key, root_of

_EQUALS = re.compile(
    r"(?:\b\w+\.)?\"?\b(\w+)\"?\s*=\s*(?:%s|%\(\w+\)s|:\w+|\$\d+|\?|ʘ|any\b)|\b(\w+)\"?\s+in\s*\(", re.IGNORECASE
)
_SETS = re.compile(r"\bset\b.*?\bwhere\b", re.IGNORECASE | re.DOTALL)
_OWN = re.compile(
    r"(?<![\w.])(\w+)\.(\w+)\s*(?:=\s*(?:%s|%\(\w+\)s|:\w+|\$\d+|\?|ʘ|any\b|\w+\.\2\b)|is\s+not\s+null)", re.IGNORECASE
)
_ALIASED = re.compile(
    r"\b(?:from|join|update|into|,)\s+(?:only\s+)?(?:\w+\.)?\"?([A-Za-z_]\w*)\"?\s+(?:as\s+)?\"?([A-Za-z_]\w*)",
    re.IGNORECASE,
)
_INSERTED = re.compile(r"insert\s+into\s+(?:\w+\.)?\"?(\w+)\"?\s*\(([^)]*)\)", re.IGNORECASE)
TABLES = re.compile(r"\b(?:from|join|update|into)\s+(?:only\s+)?(?:\w+\.)?\"?(\w+)\"?", re.IGNORECASE)
Every = tuple[frozenset[str], frozenset[str]]
"""The keys that every table has, and the words of what is the same for all."""


def learned_keys(
    texts: Iterable[str], keyed: dict[str, frozenset[str]], roots: frozenset[str]
) -> dict[str, frozenset[str]]:
    """Return the keys of tables: those of the schema, and those by which the queries of this file filter."""
    counts: dict[tuple[str, str], int] = {}
    for text in texts:
        tables = {t.lower() for t in TABLES.findall(text)}
        keys = {
            k.lower() for pair in _EQUALS.findall(_SETS.sub(" where ", text)) for k in pair if k and _is_key(k, roots)
        }
        shown = {w.lower() for w in re.findall(r"\b[A-Za-z_]\w*", text) if root_of(w) in roots and _column(w)}
        for table, columns in _INSERTED.findall(text):
            for column in columns.split(","):
                name = column.strip(' "\n').lower()
                if _is_key(name, roots) and (is_strong_key(name) or root_of(name) in roots):
                    counts[table.lower(), name] = counts.get((table.lower(), name), 0) + 1
        names = {t: t for t in tables} | {
            a.lower(): t.lower() for t, a in _ALIASED.findall(text) if t.lower() in tables
        }
        for alias, key in _OWN.findall(text) if len(tables) > 1 else ():
            if _is_key(key, roots) and alias.lower() in names:
                pair = (names[alias.lower()], key.lower())
                counts[pair] = counts.get(pair, 0) + 1
        for alias, key in re.findall(r"\b(\w+)\.(\w+)\b", text) if len(tables) > 1 else ():
            if key.lower() in shown and alias.lower() in names:
                pair = (names[alias.lower()], key.lower())
                counts[pair] = counts.get(pair, 0) + 1
        for table in tables if len(tables) == 1 else ():
            for key in keys | shown:
                counts[table, key] = counts.get((table, key), 0) + 1
    told = {t: set(k) for t, k in keyed.items()}
    for (table, key), number in counts.items():
        if table in keyed or root_of(key) == root_of(table.rstrip("s")) or table in many_of(root_of(key)):
            continue
        if is_strong_key(key) or root_of(key) in roots or (number > 1 and root_of(key) not in AMBIGUOUS):
            told.setdefault(table, set()).add(key)
    return {t: frozenset(k) for t, k in told.items()}


def _is_key(name: str, roots: frozenset[str]) -> bool:
    return may_be_key(name) or root_of(name) in roots


def _column(word: str) -> bool:
    """Return whether a word of a query looks like a key's column, not like a table of tenants."""
    return "_" in word or is_strong_key(word)


def with_every(told: dict[str, frozenset[str]], names: Iterable[str], every: Every) -> dict[str, frozenset[str]]:
    """Return what is keyed, with all that has the key because every table has it."""
    keys, common = every
    own = {n for k in keys for n in (*many_of(root_of(k)), root_of(k))}
    more = {n: keys for n in names if n not in told and n.lower() not in own | common} if keys else {}
    return {**more, **told}
