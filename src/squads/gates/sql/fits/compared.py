"""Words that a column is compared with although it can never hold them: in indexes, views, policies, routines, WHERE.

`WHERE state = 'waiting_driver'` on varchar(9) is never true, and a label that an enum does not have is an error. Either
the word is stored somewhere, and fails there, or what asks for it finds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from squads.gates.sql.fits.bounds import column_type, misfit
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.fitting import Unfit, unfit
from squads.gates.sql.fits.routines import bodies, closes
from squads.gates.sql.lex import Source, Token
from squads.gates.sql.model import Column, Schema, Table
from squads.gates.words import word_set

_ASKS = frozenset(("(", ",", *word_set("where and or when not on if elsif then select using check having")))
_MAKES = word_set("index view policy trigger rule")


def compared(schema: Schema) -> Iterator[Unfit]:
    """Yield the words that columns are compared with and cannot hold."""
    tables: dict[str, list[Table]] = {}
    for table in schema.tables:
        tables.setdefault(table.name, []).append(schema.resolved(table))
    for source, tokens, hidden in _asking(schema):
        names = {t.value for t in tokens if t.kind in ("word", "quoted")}
        meant = [t for name in names & tables.keys() for t in tables[name]]
        for at, token in enumerate(tokens) if meant else ():
            if token.kind not in ("word", "quoted") or token.value in hidden:
                continue
            held = [(t, c) for t in meant if (c := t.column(token.value)) is not None]
            if held and _begins(tokens, at):
                for word in _words(tokens, at + 1):
                    yield from _judged(schema, source, held, word)


def _asking(schema: Schema) -> Iterator[tuple[Source, Sequence[Token], frozenset[str]]]:
    """Yield the statements that may ask, each with the names in them that are no columns."""
    for spoken in schema.spoken:
        source, tokens = spoken.statement
        if tokens[0].value == "create" and not _MAKES.isdisjoint(t.value for t in tokens[1:5]):
            yield source, tokens, frozenset()
    for body in bodies(schema):
        hidden = frozenset(body.parameters) | body.changed
        for part in body.parts:
            yield body.source, part, hidden


def _begins(tokens: Sequence[Token], at: int) -> bool:
    """Return whether an operand begins at a name, or at the table in front of it."""
    if at > 1 and tokens[at - 1].text == ".":
        if tokens[at - 2].value in ("new", "old", "excluded"):
            return at > 2 and tokens[at - 3].value in _ASKS
        at -= 2
    return at > 0 and tokens[at - 1].value in _ASKS


def _words(tokens: Sequence[Token], at: int) -> Iterator[Token]:
    """Yield the texts behind `=`, `<>`, `IN (` and `NOT IN (`."""
    rest = tokens[at : at + 4]
    if len(rest) > 1 and rest[0].text in ("=", "<>", "!=") and rest[1].kind == "string":
        after = rest[2] if len(rest) > 2 else None
        if after is None or after.text not in ("||", "::") or (len(rest) > 3 and rest[3].value == "text"):
            yield rest[1]
    skip = 1 if rest and rest[0].value == "not" else 0
    if len(rest) > skip + 1 and rest[skip].value == "in" and rest[skip + 1].text == "(":
        inside = tokens[at + skip + 2 : closes(tokens, at + skip + 1)]
        if all(t.kind == "string" or t.text == "," for t in inside):
            yield from (t for t in inside if t.kind == "string")


def _judged(schema: Schema, source: Source, held: Sequence[tuple[Table, Column]], word: Token) -> Iterator[Unfit]:
    """Yield the misfit of a word that none of the columns that may be meant can hold."""
    found = []
    for table, column in held:
        target = column_type(schema, table, column)
        if target.array or (target.text_length is None and target.labels is None):
            return
        problem = misfit(Constant("literal", text=word.value), target)
        if problem is None:
            return
        found.append((table, column, problem))
    table, column, problem = found[0]
    yield unfit("compared", table, column, problem, source.place(word.start, word.end))
