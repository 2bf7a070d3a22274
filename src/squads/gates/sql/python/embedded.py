"""SQL that Python holds in strings and hands to a database: `cursor.execute("CREATE TABLE ...")`, `SCHEMA = "..."`.

A string counts where it goes into a call that runs SQL, or where a module or a class keeps it under a name (somebody
runs it, perhaps another file). Docstrings, arguments of other calls and what is only returned do not count. Of its
statements those count that make or change tables, keys, routines or rights, and rows that are written out; queries are
nobody's schema. A piece that only running the code would tell is a `HOLE`: it may stand in a condition, where no check
trusts it, in data, and in a part of a table's name (`{prefix}_wallets`); as the whole name of a table that is made or
changed it ends in `CannotLook`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from squads.gates.sql.lex import Statement
from squads.gates.sql.model import HOLE
from squads.gates.sql.python.file import PythonFile, Sql, listed, name, read_statements, string
from squads.gates.sql.python.scope import Bound, Scope
from squads.gates.words import word_set

EXECUTE_CALLS = word_set(
    "execute executescript exec_driver_sql execute_sql run_sql execute_query execute_script execute_batch executemany"
)
"""Methods that run the SQL they are given."""

_MAKES = re.compile(
    r"\b(create\s+(or\s+replace\s+|global\s+|local\s+|temp\s+|temporary\s+|unlogged\s+|unique\s+|foreign\s+"
    r"|materialized\s+)*(table|index|domain|function|procedure|trigger|type|view)"
    r"|alter\s+(table|domain|function|procedure|index|type)"
    r"|drop\s+(table|schema|index|constraint|domain|trigger|function|procedure)|grant\s+\w|revoke\s+\w"
    r"|alter\s+default\s+privileges)",
    re.IGNORECASE,
)
_STARTS = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|;)*(create|alter|drop|grant|revoke|do|comment|insert|begin|start|set|pragma|use"
    rf"|{HOLE})\b",
    re.IGNORECASE | re.DOTALL,
)
_ROWS = re.compile(r"(?:\s|--[^\n]*\n)*insert\b", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"%s|%\(|\?|:\w|\$\d")
_HARMLESS_DROPS = word_set("table schema database role user view materialized sequence type extension")
_BUILT = word_set(
    "select insert update delete values where returning values_list on_conflict_do_nothing on_conflict_do_update "
    "with_for_update options join from_select order_by limit CreateSchema DropSchema CreateSequence DropTable "
    "schema create_view drop_view union filter"
)
"""What SQLAlchemy's queries are made with: they change rows, never the schema."""
_ROWS_MAX = 5_000


def script(file: PythonFile, scope: Scope, node: ast.Call, *, sure: bool) -> list[Sql]:
    """Return the SQL that an execute call runs, if any of it may change the schema or stores rows.

    Args:
        file: The file it stands in.
        scope: What its names mean.
        node: The call.
        sure: Whether the text is a migration's, so that one that cannot be known raises `CannotLook`.
    """
    given = runs(file, scope, node)
    if given is None:
        return []
    made = scope.sql(given)
    if made is None or not made.text.strip(f" \n{HOLE};"):
        if sure and not _is_query(scope, given):
            file.fail(
                given,
                "this SQL is only known when the code runs; write it as a string here, or as a constant of this file",
            )
        return []
    return [replace(file.at(node, made), raw=True)] if counts(made) else []


def counts(made: Sql) -> bool:
    """Return whether a text may change the schema, or stores rows that are written out."""
    if not _STARTS.match(made.text) and not _MAKES.search(made.text):
        return False
    if _ROWS.match(made.text) and not _MAKES.search(made.text):
        return HOLE not in made.text and not _PLACEHOLDER.search(made.text)
    return bool(_MAKES.search(made.text) or re.match(r"\s*(do|comment)\b", made.text, re.IGNORECASE))


def parsed(file: PythonFile, made: Sql) -> list[Statement]:
    """Return the statements of a text that Python holds; those that no hole makes doubtful.

    Raises `CannotLook` when the text cannot be read and may change the schema.
    """
    found = read_statements(file, made)
    return [s for s in found if not _harmless(s)]


def strings(file: PythonFile, module: Scope) -> list[Sql]:
    """Return the SQL texts that a file runs, or keeps under a name for somebody to run, in their order."""
    if not _MAKES.search(file.source.text):
        return []
    run = list(_executed(file, module, file.tree.body))
    # A text that nobody here runs is SQL only if it begins as SQL does: it may be a program, or a page, about SQL.
    kept = [s for s in _kept(file, module, file.tree.body) if counts(s) and _STARTS.match(s.text)]
    told: set[tuple[object, ...]] = set()
    found: list[Sql] = []
    for made in (*kept, *run):
        key = (made.text, min((s.python_start for s in made.spans if s.exact), default=-len(found)))
        if key not in told:
            told.add(key)
            found.append(made)
    return found


def insert(file: PythonFile, scope: Scope, node: ast.Call) -> list[Sql]:
    """Return `bulk_insert(table, rows)` as INSERT statements; values that are not known are left out."""
    table = table_name(scope, node.args[0]) if node.args else None
    rows = scope.items(node.args[1]) if len(node.args) > 1 else None
    if table is None or rows is None:
        return []
    made = []
    for row in rows[:_ROWS_MAX]:
        inside = row.scope.followed(row.node).node if row.node is not None else None
        if not isinstance(inside, ast.Dict):
            continue
        pairs = [(row.scope.value(k), row.scope.value(v)) for k, v in zip(inside.keys, inside.values, strict=True)]
        known = [(k, v) for k, v in pairs if isinstance(k, str) and (v is None or isinstance(v, (str, int, float)))]
        if known:
            columns = listed(name(k) for k, _ in known)
            values = listed(_value(v) for _, v in known)
            made.append(file.at(inside, f"INSERT INTO {name(table)} (", columns, ") VALUES (", values, ")"))
    return made


def _value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "NULL" if value is None else str(value).lower()
    return str(value) if isinstance(value, (int, float)) else string(str(value))


def table_name(scope: Scope, node: ast.expr) -> str | None:
    """Return the table that a table object stands for."""
    found = scope.followed(node)
    if isinstance(found.node, ast.Attribute) and found.node.attr == "__table__":
        return found.scope.text(ast.Attribute(value=found.node.value, attr="__tablename__", ctx=ast.Load()))
    if isinstance(found.node, ast.Call) and found.node.args:
        return found.scope.text(found.node.args[0])
    return None


def _is_query(scope: Scope, node: ast.expr) -> bool:
    """Return whether `node` is a query built from objects, which changes no schema."""
    found = scope.followed(node)
    for _ in range(40):
        if not isinstance(found.node, ast.Call):
            return False
        if found.scope.file.called(found.node) in _BUILT:
            return True
        if not isinstance(found.node.func, ast.Attribute):
            return False
        found = found.scope.followed(found.node.func.value)
    return False


def _harmless(statement: Statement) -> bool:
    """Return whether a statement with holes can hide nothing: rows, and DROP of something whole."""
    words = [t.value for t in statement.tokens[:3]]
    if not any(HOLE in t.text for t in statement.tokens):
        return False
    if words[0] == "drop" and len(words) > 1:
        return words[1] in _HARMLESS_DROPS
    if words[0] in ("create", "alter"):
        return words[1] in ("index", "schema", "database", "role", "user", "sequence", "view", "extension")
    if HOLE in words[0]:
        return not _MAKES.search(" ".join(t.text for t in statement.tokens))
    return words[0] not in ("grant", "revoke", "do")


def _executed(file: PythonFile, scope: Scope, body: Iterable[ast.stmt], depth: int = 0) -> Iterator[Sql]:
    """Yield what the execute calls in `body` run, functions and classes included, loops over lists written out."""
    for statement in body if depth < 30 else ():
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                inner = Scope(file, scope)
                for argument in (*statement.args.args, *statement.args.kwonlyargs):
                    inner.names.setdefault(argument.arg, scope.names.get(f"{argument.arg}.class", Bound(None, inner)))
                yield from _executed(file, inner, statement.body, depth + 1)
                yield from _left(file, inner, statement)
            case ast.ClassDef():
                inner = Scope(file, scope)
                inner.names |= {f"{word}.class": Bound(statement, scope) for word in ("self", "cls")}
                yield from _executed(file, inner, statement.body, depth + 1)
            case (
                ast.For(target=target, iter=iterated, body=inside)
                | ast.AsyncFor(target=target, iter=iterated, body=inside)
            ):
                items = scope.items(iterated)
                for item in items if items is not None else [Bound(None, scope)]:
                    scope.bind(target, item)
                    yield from _executed(file, scope, inside, depth + 1)
            case _:
                for node in _own_expressions(statement):
                    if isinstance(node, ast.Call) and runs(file, scope, node) is not None:
                        yield from script(file, scope, node, sure=False)
                _assign(scope, statement)
                blocks = [s for s in ast.iter_child_nodes(statement) if isinstance(s, ast.stmt)]
                handlers = [s for h in getattr(statement, "handlers", []) for s in h.body]
                cases = [s for c in getattr(statement, "cases", []) for s in c.body]
                yield from _executed(file, scope, [*blocks, *handlers, *cases], depth + 1)


def runs(file: PythonFile, scope: Scope, node: ast.Call) -> ast.expr | None:
    """Return the SQL that a call runs: it is an execute call, or a function of this file that hands it to one."""
    if file.called(node) in EXECUTE_CALLS:
        given = (k.value for k in node.keywords if k.arg != "parameters")
        return node.args[0] if node.args else next(given, None)
    target = scope.find(node.func.id) if isinstance(node.func, ast.Name) else None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        target = Bound(scope.followed(node.func).node, scope)
    if target is None or not isinstance(target.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    parameters = [a.arg for a in target.node.args.args if a.arg not in ("self", "cls")]
    handed = {
        c.args[0].id
        for c in ast.walk(target.node)
        if isinstance(c, ast.Call) and file.called(c) in EXECUTE_CALLS and c.args and isinstance(c.args[0], ast.Name)
    }
    for parameter, argument in zip(parameters, node.args, strict=False):
        if parameter in handed:
            return argument
    return next((k.value for k in node.keywords if k.arg in handed), None)


def _assign(scope: Scope, statement: ast.stmt) -> None:
    """Bind what a statement assigns, in the order in which it runs."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                scope.bind(target, Bound(value, scope))
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            scope.bind(target, Bound(value, scope))
        case ast.AugAssign(target=ast.Name(id=known), op=op, value=value):
            grown = ast.BinOp(left=ast.Name(id=known, ctx=ast.Load()), op=op, right=value)
            scope.bind(statement.target, Bound(ast.copy_location(grown, statement), scope))


def _left(file: PythonFile, scope: Scope, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Sql]:
    """Yield strings that a function names and runs, which following its branches did not reach."""
    run = {
        a.id
        for c in ast.walk(function)
        if isinstance(c, ast.Call) and file.called(c) in EXECUTE_CALLS
        for a in c.args[:1]
        if isinstance(a, ast.Name)
    }
    for node in ast.walk(function) if run else ():
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in run for t in node.targets):
            yield from (s for s in _in_display(file, scope, node.value) if counts(s))


def _own_expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the expressions of one statement, without those of the statements inside it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            c
            for c in reversed(list(ast.iter_child_nodes(node)))
            if not isinstance(c, (ast.stmt, ast.ExceptHandler, ast.match_case))
        ]


def _kept(file: PythonFile, scope: Scope, body: Iterable[ast.stmt]) -> Iterator[Sql]:
    """Yield the strings that a module or a class keeps under a name, unless something in this file ran them."""
    for statement in body:
        match statement:
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                yield from _in_display(file, scope, value)
            case ast.ClassDef(body=inside):
                yield from _kept(file, scope, inside)
            case ast.If() | ast.Try():
                yield from _kept(file, scope, (s for s in ast.iter_child_nodes(statement) if isinstance(s, ast.stmt)))


def _in_display(file: PythonFile, scope: Scope, node: ast.expr, depth: int = 0) -> Iterator[Sql]:
    """Yield the strings in a list, tuple or dict as it is written."""
    if depth > 6:
        return
    match node:
        case ast.List(elts=inside) | ast.Tuple(elts=inside) | ast.Set(elts=inside):
            parts = list(inside)
        case ast.Dict(values=inside):
            parts = list(inside)
        case ast.Constant(value=str()) | ast.JoinedStr() | ast.BinOp() | ast.Call():
            if not file.is_taken(node) and (made := scope.sql(node)):
                yield replace(file.at(node, made), raw=True)
            return
        case _:
            return
    for part in parts:
        if not isinstance(part, ast.Starred):
            yield from _in_display(file, scope, part, depth + 1)
