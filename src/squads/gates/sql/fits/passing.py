"""Values that pass through routines on their way into a column: parameters, local names, calls, NEW in triggers.

A routine stores what its names stand for; a call with constants stores what the routine makes of them. A parameter that
is stored in two columns must fit both: where one lists its words, the other must hold them. So must the words that the
body compares the parameter with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.fits.bounds import column_type, misfit, type_of
from squads.gates.sql.fits.constants import Constant, DoesNotFit
from squads.gates.sql.fits.evaluate import constant
from squads.gates.sql.fits.fitting import Unfit, fired, judged, unfit
from squads.gates.sql.fits.intervals import too_far
from squads.gates.sql.fits.routines import Body, arguments_of, bodies, closes, inlined
from squads.gates.sql.fits.rows import stored
from squads.gates.sql.fits.spans import words
from squads.gates.sql.lex import Source, Statement, Token, text_of
from squads.gates.sql.model import Column, Schema, Table
from squads.gates.sql.rights.routines import body_tokens
from squads.gates.sql.writes import Write

_CALLS = frozenset(("select", "call", "do", "perform"))
_GIVES = frozenset((":=", "="))
_COMPARED = frozenset(("if", "elsif", "and", "or", "when", "not"))

Sink = tuple[Table, Column, Sequence[Token], Place]
"""A column, the expression that is stored in it, and where."""


def passed(schema: Schema) -> Iterator[Unfit]:
    """Yield what routines store that does not fit: by themselves, for what they are called with, and in two columns."""
    found = bodies(schema)
    routines = {b.name: b for b in found}
    triggers = fired(schema)
    given: dict[str, list[Sink]] = {}
    for body in found:
        tables = [t for t in schema.tables if t.name in triggers.get(body.name, [])]
        sinks = [*_stored(schema, body), *_of_new_row(schema, body, tables)]
        names = dict(body.named)
        names |= {n: v for n, v in body.defaults.items() if n not in body.changed}
        for table, column, tokens, place in sinks:
            made = inlined(tokens, names, routines)
            target = column_type(schema, table, column)
            problem = judged(schema, made, target) or too_far(schema, made, tables, target)
            if problem:
                yield unfit("row", table, column, problem, place)
        yield from _in_two(schema, body, sinks)
        yield from _in_variables(schema, body, names, routines)
        given[body.name] = sinks
    yield from _called(schema, found, routines, given)


def _stored(schema: Schema, body: Body) -> list[Sink]:
    """Return what the statements of a body store."""
    found: list[Sink] = []
    for part in body.parts:
        write = Write(Statement(body.source, part), schema, "public")
        try:
            values = list(stored(write, schema))
        except CannotLook:
            continue
        found += [(v.table, v.column, v.tokens, v.place) for v in values if v.constant is None]
    return found


def _of_new_row(schema: Schema, body: Body, tables: Sequence[Table]) -> list[Sink]:
    """Return what a trigger function assigns to the columns of NEW."""
    found: list[Sink] = []
    for part in body.parts if tables else ():
        for at in range(len(part) - 4):
            texts = [t.value for t in part[at : at + 4]]
            compared = at > 0 and part[at - 1].value in _COMPARED
            if texts[:2] != ["new", "."] or texts[3] not in (":=", "=") or compared:
                continue
            place = body.source.place(part[at].start, part[-1].end)
            found += [
                (table, column, part[at + 4 :], place)
                for table in tables
                if (column := schema.resolved(table).column(texts[2])) is not None
            ]
    return found


def _in_variables(
    schema: Schema, body: Body, names: Mapping[str, Sequence[Token]], routines: Mapping[str, Body]
) -> Iterator[Unfit]:
    """Yield the values that do not fit the local variables that they are given to: a body fails there already."""
    for part in body.parts:
        words = [t.value for t in part]
        start = 1 if words[0] == "declare" else 0
        name = words[start] if len(words) > start + 1 else ""
        if words[0] == "begin" or name not in body.named:
            if "begin" in words:
                return
            continue
        end = next((n for n, t in enumerate(part) if n > start and (t.text in _GIVES or t.value == "default")), None)
        written = text_of(part[start + 1 : end]).lower().replace(" ", "")
        target = type_of(schema, written.replace("charactervarying", "varchar").removeprefix("constant"))
        if target.text_length is None and not target.is_number:
            continue
        given = body.named[name]
        problem = judged(schema, inlined(given, {n: v for n, v in names.items() if n != name}, routines), target)
        if problem is not None and problem.loses == "all":
            place = body.source.place(part[0].start, part[-1].end)
            other = body.source.place(given[0].start, given[-1].end)
            yield Unfit(source="row", column=name, type=str(target), misfit=problem, place=place, also=(other,))


def _in_two(schema: Schema, body: Body, sinks: Sequence[Sink]) -> Iterator[Unfit]:
    """Yield the columns that are too narrow for words that another column of the same parameter lists."""
    by_name: dict[str, list[Sink]] = {}
    for sink in sinks:
        tokens = sink[2]
        if len(tokens) == 1 and tokens[0].value in body.parameters and tokens[0].value not in body.changed:
            by_name.setdefault(tokens[0].value, []).append(sink)
    for name, held in by_name.items():
        said: dict[str, str] = dict.fromkeys(_asked(body.tokens, name), "the body asks for it")
        for table, column, _, _ in held:
            for word in words(schema, schema.resolved(table), column):
                said[word] = f"{table}.{column.name} may hold it"
        for table, column, _, place in held:
            target = column_type(schema, table, column)
            for most in _let_through(body.parts, name):
                if target.is_number and (over := misfit(most, target)) and over.loses == "all":
                    yield unfit(
                        "row", table, column, replace(over, reason=f"{over.reason}; the body lets it in"), place
                    )
            for word, reason in said.items():
                if target.text_length is not None and (found := misfit(Constant("literal", text=word), target)):
                    found = replace(found, reason=f"{found.reason}; {reason}")
                    yield unfit("copy", table, column, found, place)
                    break


def _asked(tokens: Sequence[Token], name: str) -> Iterator[str]:
    """Yield the words that a body compares a name with."""
    for at, token in enumerate(tokens):
        if token.value != name or token.kind not in ("word", "quoted"):
            continue
        rest = tokens[at + 1 : at + 4]
        if len(rest) > 1 and rest[0].text == "=" and rest[1].kind == "string":
            yield rest[1].value
        skip = 1 if rest and rest[0].value == "not" else 0
        if len(rest) > skip + 1 and rest[skip].value == "in" and rest[skip + 1].text == "(":
            inside = tokens[at + skip + 3 : closes(tokens, at + skip + 2)]
            yield from (t.value for t in inside if t.kind == "string")


def _let_through(parts: Sequence[Sequence[Token]], name: str) -> Iterator[Constant]:
    """Yield the largest numbers that a body does not refuse: `IF p_seats > 60000 THEN RAISE`."""
    for part in parts:
        words = [t.value for t in part]
        if "if" not in words or "raise" not in words:
            continue
        for at, token in enumerate(part[:-2]):
            if token.value != name:
                continue
            rest = [t.text.lower() for t in part[at + 1 : at + 6]]
            end = part[at + 2] if rest[0] in (">", ">=") else None
            if rest[:2] == ["not", "between"] and len(rest) == 5 and rest[3] == "and":
                end = part[at + 5]
            value = constant([end], lambda v, _: v) if end is not None and end.kind == "number" else None
            if value is not None and value.number is not None:
                yield value if rest[0] != ">=" else replace(value, number=value.number - 1, text="")


# Calls


def _called(
    schema: Schema, found: Sequence[Body], routines: Mapping[str, Body], given: Mapping[str, Sequence[Sink]]
) -> Iterator[Unfit]:
    """Yield what calls with constants make routines store."""
    told: set[tuple[str, str, int]] = set()
    for source, tokens in _calling(schema, found):
        for at, token in enumerate(tokens[:-1]):
            body = routines.get(token.value) if token.kind in ("word", "quoted") else None
            if body is None or tokens[at + 1].text != "(" or not given.get(body.name):
                continue
            close = closes(tokens, at + 1)
            arguments = arguments_of(body, tokens[at + 2 : close])
            arguments = {n: v for n, v in arguments.items() if n not in body.changed and _is_constant(schema, v)}
            if not arguments:
                continue
            place = source.place(token.start, tokens[close].end)
            for table, column, expression, _ in given[body.name]:
                made = inlined(expression, {**body.named, **arguments}, routines)
                if made == list(expression) or (str(table), column.name, token.start) in told:
                    continue
                if problem := judged(schema, made, column_type(schema, table, column)):
                    told.add((str(table), column.name, token.start))
                    yield unfit("row", table, column, problem, place)


def _is_constant(schema: Schema, tokens: Sequence[Token]) -> bool:
    try:
        return constant(tokens, lambda value, _: value) is not None
    except DoesNotFit:
        return False


def _calling(schema: Schema, found: Sequence[Body]) -> Iterator[tuple[Source, Sequence[Token]]]:
    """Yield the statements that may call routines."""
    for spoken in schema.spoken:
        source, tokens = spoken.statement
        if tokens[0].value not in _CALLS:
            continue
        yield source, tokens
        for token in tokens if tokens[0].value == "do" else ():
            if token.kind == "dollar":
                try:
                    yield body_tokens(source, token)
                except CannotLook:
                    continue
    for write in schema.writes:
        if write.statement.tokens[0].value in ("insert", "update", "with", "merge"):
            yield write.statement.source, write.statement.tokens
    for body in found:
        yield body.source, body.tokens
