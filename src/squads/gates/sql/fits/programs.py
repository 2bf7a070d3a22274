"""Values that Python code of an artifact gives to columns: parameters of SQL, keywords, dicts, constants by name.

The code is parsed and never run. A value counts where it certainly reaches the column: it stands for the column in an
INSERT or UPDATE of the same call, or it carries the column's name in code that names the table. A constant of the
column's name that the code only computes with is left to a person.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from squads.contracts.artifact import Artifact
from squads.gates.check import CannotLook
from squads.gates.sql.fits.bounds import Type, column_type, misfit
from squads.gates.sql.fits.constants import Constant, number_of
from squads.gates.sql.fits.documents import Names as Spoken
from squads.gates.sql.fits.documents import distinctive, prose_claims
from squads.gates.sql.fits.fitting import Unfit, judged, unfit
from squads.gates.sql.fits.orm import declared, defined
from squads.gates.sql.fits.python_bounds import admitted
from squads.gates.sql.fits.python_calls import (
    arguments,
    defaults,
    dumped,
    expects_an_error,
    identifiers,
    numbered,
    parameter_number,
)
from squads.gates.sql.fits.python_modules import Module, modules, names_of_tables, normal, plain_name
from squads.gates.sql.fits.python_names import Names, called, items_of, looping, names_in, pairs_of
from squads.gates.sql.fits.python_values import text_of, value_of, values_of
from squads.gates.sql.fits.rows import stored
from squads.gates.sql.lex import Source, Statement, statements
from squads.gates.sql.model import Column, Schema, Table, TableName
from squads.gates.sql.writes import Write
from squads.gates.words import word_set

_WRITES = re.compile(r"\s*(?:--[^\n]*\s+|/\*.*?\*/\s*)*(?:insert|update|merge|with)\b", re.IGNORECASE | re.DOTALL)
_ASKS = word_set(
    "filter filter_by exclude get get_or_none Q where having find find_one find_by select first count exists"
)
"""Calls whose keywords look for rows and store nothing."""
_STORES_ROWS = word_set(
    "values execute insert insert_many bulk_insert_mappings bulk_insert update update_or_create get_or_create "
    "on_conflict_do_update on_duplicate_key_update executemany bulk_update_mappings"
)
"""Calls whose dicts are rows."""
_MANY = re.compile(r"\(([^()]*)\)\s*VALUES\s+%s", re.IGNORECASE)


Columns = dict[str, list[tuple[Table, Column, Type]]]
"""Every column that an artifact leaves, by its name."""


def programmed(artifact: Artifact, schema: Schema) -> Iterator[Unfit]:
    """Yield the values that Python code gives to columns which cannot hold them."""
    try:
        # Once for all modules: a large artifact has hundreds of both.
        columns: Columns = {}
        for table in schema.tables:
            for column in schema.resolved(table).columns:
                columns.setdefault(column.name, []).append((table, column, column_type(schema, table, column)))
        tables = names_of_tables(artifact, schema)
        spoken_of = Spoken(schema)
        read = modules(artifact, schema, tables)
        for module in read:
            for table, types in declared(module.tree, module.names, module.place):
                tables.setdefault(normal(table.name), set()).add(table.full_name)
                for column in table.columns:
                    columns.setdefault(column.name, []).append((table, column, types[column.name]))
        for module in read:
            yield from _docstrings(module, spoken_of)
            yield from _Reader(module, schema, columns, tables).read()
            yield from defined(module.tree, module.names, module.place, module.text)
    except RecursionError as error:
        raise CannotLook("the Python is nested too deeply to be read; flatten its expressions") from error


def _docstrings(module: Module, columns: Spoken) -> Iterator[Unfit]:
    """Judge what docstrings say of columns, as any document."""
    for node in ast.walk(module.tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        text = ast.get_docstring(node)
        if text and any(name in text for name in columns.entries):
            for part in _paragraphs(text):
                if "```" not in part and "::" not in part and ">>>" not in part:
                    yield from prose_claims(columns, part.replace("``", "`"), "", module.place(node.body[0]))


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs and list items of a docstring, each as one line."""
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        words = line.split()
        if not words or words[0] in ("-", "*"):
            if lines:
                yield " ".join(lines)
            lines = []
        if words:
            lines.append(" ".join(words))


class _Reader:
    """Walks one module, function by function."""

    def __init__(self, module: Module, schema: Schema, columns: Columns, tables: Mapping[str, set[TableName]]) -> None:
        self.module = module
        self.schema = schema
        self.columns = columns
        self.tables = tables
        self.answers: set[int] = set()
        self.spoken = {name for word in module.said & tables.keys() for name in tables[word]}
        self.spoken_tables = [t for t in schema.tables if normal(t.name) in module.said]

    def read(self) -> Iterator[Unfit]:
        if not self.columns:
            return
        yield from self._body(self.module.tree, self.module.names)

    def _body(self, node: ast.AST, names: Names) -> Iterator[Unfit]:
        for child in ast.iter_child_nodes(node):
            inner = names
            if isinstance(child, (ast.With, ast.AsyncWith)) and any(map(expects_an_error, child.items)):
                continue
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                parameters = child.args
                every = [*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs]
                inner = names_in(child.body, names, frozenset(a.arg for a in every))
                again = names_in(child.body)
                given: dict[str, list[ast.expr]] = {n: list(v) for n, v in getattr(child, "given", {}).items()}
                for argument, default in defaults(parameters):
                    given.setdefault(argument.arg, []).append(default)
                kept = {n: v for n, v in given.items() if n not in again.bound and n not in again.hidden}
                kinds = {a.arg: a.annotation for a in every if a.annotation is not None}
                inner = replace(inner, given=kept, kinds={**kinds, **inner.kinds})
                yield from self._parameters(child.args, names)
            elif isinstance(child, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
                inner = looping(child, names)
            elif isinstance(child, ast.ClassDef):
                inner = replace(names, kinds={**names.kinds, "self": ast.Name(child.name)}, outer=names.outer)
            yield from self._node(child, inner)
            yield from self._body(child, inner)

    def _node(self, node: ast.AST, names: Names) -> Iterator[Unfit]:
        match node:
            case ast.Call():
                yield from self._sql(node, names)
                chain = {normal(w) for w in identifiers(node)}
                for word in node.keywords if called(node) not in _ASKS else ():
                    if word.arg:
                        yield from self._given(word.arg, word.value, names, node, chain)
                    else:
                        for name, value in (pairs_of(word.value, names) or dumped(word.value, names)).items():
                            yield from self._given(name, value, names, node, chain)
                yield from self._rows_given(node, names, chain)
            case ast.If() | ast.Assert():
                yield from self._admitted(node, names, node.test)
            case ast.Return(value=ast.Dict() as answer):
                self.answers.add(id(answer))  # what a caller is told, more often than a row
            case ast.Dict() if id(node) not in self.answers:
                yield from self._dict(node, names)
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from self._admitted(node, names, value)
                yield from self._assigned(target, value, names, node)

    def _admitted(self, node: ast.stmt, names: Names, where: ast.expr) -> Iterator[Unfit]:
        for name, most in admitted(node, names):
            for table, column, target in self.columns.get(name, ()):
                if table.full_name in self.spoken:
                    yield from self._judge(table, column, target, most, where)

    def _rows_given(self, node: ast.Call, names: Names, chain: set[str]) -> Iterator[Unfit]:
        """Judge rows in dicts: `values([{...}])`, `execute(insert(Score), [{...}])`, `defaults={...}`."""
        if called(node) not in _STORES_ROWS:
            return
        of = chain.union(*({normal(w) for w in identifiers(a)} for a in node.args if isinstance(a, ast.Call)))
        of |= {word for a in node.args if isinstance(a, ast.Name) and (word := normal(a.id)) in self.tables}
        given = [
            *node.args,
            *(k.value for k in node.keywords if k.arg in ("defaults", "create_defaults", "set_", "values")),
        ]
        for argument in given:
            for row in items_of(argument, names) or [argument]:
                for name, value in (pairs_of(row, names) or {}).items():
                    yield from self._given(name, value, names, value, of)

    def _given(
        self, name: str, value: ast.expr, names: Names, node: ast.expr | ast.stmt, chain: set[str]
    ) -> Iterator[Unfit]:
        """Judge a value that carries a column's name."""
        constants: list[tuple[Constant, ast.expr]] | None = None
        meant = {full_name for word in chain for full_name in self.tables.get(word, ())}
        if distinctive(name):
            meant |= self.spoken
        if not meant:
            return
        for table, column, target in self.columns.get(name, ()):
            if table.full_name not in meant:
                continue
            constants = values_of(value, names) if constants is None else constants
            for constant, written in constants:
                yield from self._judge(table, column, target, constant, node, written=written)

    def _judge(
        self,
        table: Table,
        column: Column,
        target: Type,
        constant: Constant,
        node: ast.expr | ast.stmt,
        *,
        certain: bool = True,
        written: ast.expr | None = None,
    ) -> Iterator[Unfit]:
        if constant.kind == "literal" and target.is_number and number_of(constant.text) is None:
            return  # an expression of a library, more likely than a number that is none
        found = misfit(constant, target)
        if found is not None:
            one = unfit("program", table, column, found, self.module.place(node), certain=certain)
            also = (self.module.place(written),) if written is not None and hasattr(written, "lineno") else ()
            yield replace(one, also=(*also, *one.also))

    def _parameters(self, arguments: ast.arguments, names: Names) -> Iterator[Unfit]:
        """Judge the defaults of parameters that are called like a column."""
        for argument, default in defaults(arguments):
            yield from self._given(argument.arg, default, names, default, set())

    def _dict(self, node: ast.Dict, names: Names) -> Iterator[Unfit]:
        pairs = pairs_of(node, names) or {}
        entire = len(pairs) > 1 and len(pairs) == len(node.keys)
        for table in self.spoken_tables if entire else ():
            row = set(pairs) <= {c.name for c in table.columns}
            for name, value in pairs.items() if row else ():
                yield from self._given(name, value, names, value, {normal(table.name)})
        for name, value in pairs.items():
            if distinctive(name):
                yield from self._given(name, value, names, value, set())

    def _assigned(self, target: ast.expr, value: ast.expr, names: Names, node: ast.stmt) -> Iterator[Unfit]:
        """Judge `DECAY_FACTOR = 30.0`, `score.decay_factor = 30.0` and `row["decay_factor"] = 30.0`."""
        match target:
            case ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str() as name)):
                chain = self._kind_of(target.value, names) if isinstance(target, ast.Attribute) else set[str]()
                yield from self._given(name, value, names, node, chain)
                return
            case ast.Name(id=name):
                pass
            case _:
                return
        plain = plain_name(name)
        if not distinctive(plain) or isinstance(value, ast.Call):
            return
        constant = value_of(value, names)
        for table, column, kind in self.columns.get(plain, ()) if constant else ():
            alone = len(self.columns[plain]) == 1
            if constant is not None and (alone or table.full_name in self.spoken):
                certain = not self._computed_with(name)
                yield from self._judge(table, column, kind, constant, node, certain=certain)

    def _kind_of(self, owner: ast.expr, names: Names) -> set[str]:
        """Return the words that say of which table a row is: those of what it comes from, or of its annotation."""
        if not isinstance(owner, ast.Name):
            return set()
        made = [names.find(owner.id), names.kind(owner.id), *(b.value for b in names.several.get(owner.id, ()))]
        found: set[str] = set()
        for one in made:
            inside = [n for n in ast.walk(one) if isinstance(n, ast.Name)] if one is not None else []
            found |= {word for n in inside if (word := normal(n.id)) in self.tables and n.id[:1].isupper()}
            found |= {normal(w) for w in identifiers(one)} if isinstance(one, ast.Call) else set()
        return found

    def _computed_with(self, name: str) -> bool:
        """Return whether the code computes with the name, so that what is stored is something else."""
        for node in ast.walk(self.module.tree):
            if isinstance(node, (ast.BinOp, ast.Compare)):
                inside = ast.walk(node)
                if any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in inside):
                    return True
        return False

    def _sql(self, node: ast.Call, names: Names) -> Iterator[Unfit]:
        """Judge what the SQL in a call stores, its parameters included."""
        for position, argument in enumerate(node.args[:3]):
            text = text_of(argument, names)
            if text is None or not _WRITES.match(text):
                continue
            rest = node.args[position + 1 :]
            if isinstance(argument, ast.Call) and called(argument) == "bindparams":
                given = [k for k in argument.keywords if k.arg]
                rest = [ast.Dict([ast.Constant(k.arg) for k in given], [k.value for k in given])]
            yield from self._statement(text, rest, names, node)
            return

    def _statement(self, text: str, rest: list[ast.expr], names: Names, node: ast.Call) -> Iterator[Unfit]:
        if called(node) == "execute_values" and (listed := _MANY.search(text)):
            marks = ", ".join(["%s"] * len(listed[1].split(",")))
            text = f"{text[: listed.start()]}({listed[1]}) VALUES ({marks}){text[listed.end() :]}"
        counted, labels = numbered(text)
        source = Source(self.module.path, counted)
        try:
            parsed = list(statements(source))
            for statement in parsed:
                yield from self._rows(statement, rest, labels, names, node)
        except CannotLook:
            return  # no SQL, or another database's; whoever reads the SQL itself says so

    def _rows(
        self, statement: Statement, rest: list[ast.expr], labels: list[str], names: Names, node: ast.Call
    ) -> Iterator[Unfit]:
        for value in stored(Write(statement, self.schema), self.schema):
            target = column_type(self.schema, value.table, value.column)
            number = parameter_number(value.tokens)
            if number is None:
                if found := judged(self.schema, list(value.tokens), target):
                    yield unfit("program", value.table, value.column, found, self.module.place(node))
                continue
            for given in arguments(rest, number, labels, names):
                for constant, written in values_of(given, names):
                    yield from self._judge(value.table, value.column, target, constant, node, written=written)
