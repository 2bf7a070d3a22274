"""A shelf of facts and a charter: what a role may read is taken first, and only that is ranked.

The index is SQLite's FTS5 in memory, rebuilt from the text whenever it is asked for: nothing of a fact is left in a
file when the fact is taken away. Ranking can never widen what a role may read.

Source: BM25 as in FTS5's `bm25()`, Robertson & Zaragoza 2009; porter stems and left-out stop words are what helped most
on the plain full-text baseline.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Sequence

from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.contracts.memory import CHARTER_CHARS_MAX, EVERYBODY, Fact, Recalled

FACTS_MAX = 40
"""How many facts one role is told at most."""
FACTS_CHARS_MAX = 12_000
"""Characters of facts, sources included, that one role is told at most."""
_QUERY_WORDS_MAX = 200
_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are as at be but by can do for from has have how i if in into is it its may must no not of on one or "
        "our out so that the their then there these they this to was we what when where which who will with you your"
    )
)


class Shelf:
    """Facts and a charter of one project. Two facts of one id are a mistake that says so.

    Args:
        facts: In the order in which they are told when nothing ranks them, the most important first.
        charter: What binds every role; told to all of them.
    """

    def __init__(self, facts: Iterable[Fact] = (), *, charter: str = "") -> None:
        self.facts: tuple[Fact, ...] = tuple(facts)
        self.charter = charter.strip()
        if len(self.charter) > CHARTER_CHARS_MAX:
            raise InvalidInput(
                f"the charter has {len(self.charter):,} characters and the limit is {CHARTER_CHARS_MAX:,}; "
                "cut it to what binds every role"
            )
        seen: dict[str, Fact] = {}
        for fact in self.facts:
            if (other := seen.setdefault(fact.id, fact)) is not fact:
                raise InvalidInput(
                    f"two facts are called {fact.id!r}: {other.text[:60]!r} and {fact.text[:60]!r}; "
                    "give one of them another id"
                )

    def readable(self, scopes: Collection[str]) -> list[Fact]:
        """Return the facts that a reader of these scopes may see, in the shelf's order."""
        return [fact for fact in self.facts if fact.scope == EVERYBODY or fact.scope in scopes]

    def recall(
        self,
        query: str,
        scopes: Collection[str],
        *,
        facts_max: int = FACTS_MAX,
        facts_chars_max: int = FACTS_CHARS_MAX,
    ) -> list[Fact]:
        """Return the facts most useful for `query` among those that `scopes` allow, best first, within both bounds.

        Facts that share no word with the query come after all that do, in the shelf's order. Calling twice with the
        same arguments gives the same list; an empty query gives the shelf's order.
        """
        allowed = self.readable(scopes)
        told: list[Fact] = []
        left = facts_chars_max
        for fact in _ranked(query, allowed):
            cost = len(fact.text) + len(fact.source)
            if len(told) < facts_max and cost <= left:
                told.append(fact)
                left -= cost
        return told

    def recalled(self, query: str, scopes: Collection[str]) -> Recalled:
        """Return what one role is told."""
        return Recalled(charter=self.charter, facts=tuple(self.recall(query, scopes)))


def scopes_of(kind: str, name: str, topics: Iterable[str] = ()) -> frozenset[str]:
    """Return what a role may read: what is for everybody, for its kind, for itself, and the topics of its card."""
    return frozenset({EVERYBODY, kind, f"{kind}:{name}", *topics})


def _ranked(query: str, facts: Sequence[Fact]) -> list[Fact]:
    words = dict.fromkeys(w for w in _WORD.findall(query.lower()) if w not in _STOP_WORDS)
    if not words or not facts:
        return list(facts)
    found = _matches(" OR ".join(f'"{word}"' for word in list(words)[:_QUERY_WORDS_MAX]), facts)
    rest = set(range(len(facts))) - set(found)
    return [facts[n] for n in (*found, *sorted(rest))]


def _matches(expression: str, facts: Sequence[Fact]) -> list[int]:
    """Return the numbers of the facts that match, best first; ties keep the shelf's order."""
    try:
        connection = sqlite3.connect(":memory:")
        try:
            connection.execute("CREATE VIRTUAL TABLE fact USING fts5(text, source, tokenize='porter unicode61')")
            connection.executemany(
                "INSERT INTO fact(rowid, text, source) VALUES (?, ?, ?)",
                [(number, fact.text, fact.source) for number, fact in enumerate(facts)],
            )
            rows = connection.execute(
                "SELECT rowid FROM fact WHERE fact MATCH ? ORDER BY bm25(fact, 2.0, 1.0), rowid", (expression,)
            )
            return [number for (number,) in rows]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StorageUnavailable(
            f"facts cannot be ranked: {error}; this Python's SQLite needs FTS5, which most builds have"
        ) from error
