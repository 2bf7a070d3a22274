"""Tables that SQLAlchemy and SQLModel declare, as CREATE TABLE: model classes, and `Table(...)` objects.

A model's columns come from its own body and from its bases, as far as these are in the artifact. `Mapped[int | None]`,
`Annotated` and `Optional` say what may be NULL, as they do to SQLAlchemy. A model is what the application believes;
whether it counts beside migrations is decided in `read.py`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.sql.python.annotations import Annotation, annotation
from squads.gates.sql.python.columns import Definition, column, index, keyword, parts_of
from squads.gates.sql.python.file import PythonFile, Sql, listed, name
from squads.gates.sql.python.scope import Bound, Scope
from squads.gates.words import word_set

_BASES_MAX = 60
_FIELD_WORDS = word_set("primary_key nullable unique index default sa_type server_default")


def declared_tables(file: PythonFile, module: Scope) -> list[Sql]:
    """Return a CREATE TABLE, and what follows it, for every table that a file declares."""
    if not re.search(r"sqlalchemy|sqlmodel|\bdb\.Model\b|\bDeclarativeBase\b", file.source.text):
        return []
    made: list[Sql] = []
    tables: dict[str, Definition] = {}
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef):
            made += _of_class(file, module, node, tables)
        elif isinstance(node, ast.Assign) and file.called(node.value) == "Table":
            targets = [t.id for t in node.targets if isinstance(t, ast.Name)]
            made += _of_object(file, module, node.value, tables, targets)
        elif isinstance(node, (ast.Expr, ast.AnnAssign, ast.Return)) and file.called(node.value) == "Table":
            made += _of_object(file, module, node.value, tables, [])
    for statement in file.tree.body:
        call = getattr(statement, "value", None)
        if isinstance(call, ast.Call) and file.called(call) == "Index":
            made += _index_behind(module, call, tables)
    return made


def _of_object(
    file: PythonFile, scope: Scope, node: ast.expr | None, tables: dict[str, Definition], targets: list[str]
) -> list[Sql]:
    """Return `Table("name", metadata, ...)` as SQL, and enter it under the names it gets."""
    if not isinstance(node, ast.Call):
        return []
    table = scope.text(node.args[0]) if len(node.args) > 2 else None
    if table is None or not any(file.called(c) == "Column" for a in node.args for c in ast.walk(a)):
        if table is None and len(node.args) > 2 and any(file.called(a) == "Column" for a in node.args[2:]):
            file.fail(node, "this table's name is only known when the code runs; write it as a plain string")
        return []
    definition = Definition(_full(scope.text(keyword(node, "schema")), table))
    for argument in sorted(node.args[2:], key=lambda a: file.called(a) != "Column"):
        definition.add(Bound(argument, scope))
    tables |= dict.fromkeys(targets, definition)
    return [_create(file, node, definition), *definition.after]


def _of_class(file: PythonFile, module: Scope, node: ast.ClassDef, tables: dict[str, Definition]) -> list[Sql]:
    """Return a model class as SQL; nothing for a class that is none."""
    bodies = list(_bodies(module, node))
    attributes = Scope(file, module)
    for inner in reversed(bodies):
        attributes.names |= inner.names
    own = Scope(file, module)
    own.read(node.body)
    if own.value(ast.Name(id="__abstract__", ctx=ast.Load())) is True:
        return []
    table = _table_name(own, attributes, node, file)
    parent = next((tables[c] for c in (file.called(b) for b in node.bases) if c in tables), None)
    args = attributes.names.get("__table_args__")
    definition = Definition(table or (parent.table if parent else ""))
    if not definition.table:
        return []
    if table is not None:
        definition.table = _full(_schema(args), table)
    seen: set[str] = set()
    for inner in bodies if table is not None else [own]:
        for attribute, made in _columns(inner, definition, seen):
            seen.add(attribute)
            definition.items.append(made[0])
            definition.after += made[1]
    if table is None:  # single-table inheritance: its columns stand in the parent's table
        head = f"ALTER TABLE {definition.table} ADD COLUMN "
        return [file.at(node, head, item) for item in definition.items]
    tables[node.name] = definition
    if args is not None:
        for part in _table_args(args):
            definition.add(Bound(part.node, _with_names(part.scope, attributes)))
    return [_create(file, node, definition), *definition.after] if definition.items else []


def _create(file: PythonFile, node: ast.AST, definition: Definition) -> Sql:
    return file.at(node, f"CREATE TABLE {definition.table} (", listed(definition.items), ")")


def _bodies(module: Scope, node: ast.ClassDef) -> Iterator[Scope]:
    """Yield the names that a class and its bases define, its own first."""
    waiting: list[Bound] = [Bound(node, module)]
    seen: set[int] = set()
    while waiting and len(seen) < _BASES_MAX:
        bound = waiting.pop(0)
        found = bound.node
        if not isinstance(found, ast.ClassDef) or id(found) in seen:
            continue
        if seen and _has_table(found):
            continue  # joined inheritance: the parent's columns stand in the parent's table
        seen.add(id(found))
        inner = Scope(bound.scope.file, bound.scope)
        inner.read(found.body)
        inner.body = found.body
        yield inner
        waiting += [bound.scope.followed(b) for b in found.bases]


def _has_table(node: ast.ClassDef) -> bool:
    """Return whether a class names a table of its own."""
    named = any(
        isinstance(t, ast.Name) and t.id == "__tablename__"
        for s in node.body
        for t in (s.targets if isinstance(s, ast.Assign) else [s.target] if isinstance(s, ast.AnnAssign) else [])
    )
    return named or any(k.arg == "table" for k in node.keywords)


def _table_name(own: Scope, attributes: Scope, node: ast.ClassDef, file: PythonFile) -> str | None:
    """Return the table of a class, None if it has none of its own."""
    if "__tablename__" in own.names and not isinstance(own.names["__tablename__"].node, ast.FunctionDef):
        text = own.text(ast.Name(id="__tablename__", ctx=ast.Load()))
        if text is None:
            file.fail(node, f"the table of {node.name} is only known when the code runs; write its name")
        return text
    if any(k.arg == "table" and getattr(k.value, "value", None) is True for k in node.keywords):
        return node.name.lower()
    flask = any(ast.unparse(b) == "db.Model" for b in node.bases)
    made_by_base = isinstance(getattr(attributes.names.get("__tablename__"), "node", None), ast.FunctionDef)
    if flask or (made_by_base and not _is_mixin(node)):
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", node.name).lower()
    return None


def _is_mixin(node: ast.ClassDef) -> bool:
    return not node.bases or "Mixin" in node.name or node.name.endswith("Base")


def _full(schema: str | None, table: str) -> str:
    return f"{name(schema)}.{name(table)}" if schema else name(table)


def _table_args(args: Bound) -> list[Bound]:
    """Return the constraints in `__table_args__`, also where a function gives them."""
    node = args.node
    if isinstance(node, ast.FunctionDef):
        returns = [s.value for s in ast.walk(node) if isinstance(s, ast.Return) and s.value is not None]
        node = returns[0] if len(returns) == 1 else None
    parts = parts_of(args.scope, node) if node is not None and not isinstance(node, ast.Dict) else []
    return [p for p in parts or [] if not isinstance(p.node, ast.Dict)]


def _schema(args: Bound | None) -> str | None:
    """Return the schema that the dict in `__table_args__` names."""
    if args is None or args.node is None:
        return None
    for part in (args.node, *ast.walk(args.node)):
        if isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "schema":
                    return args.scope.text(value)
    return None


def _with_names(scope: Scope, attributes: Scope) -> Scope:
    inner = Scope(scope.file, scope)
    inner.names = {k: v for k, v in attributes.names.items() if k not in scope.names}
    return inner


def _columns(inner: Scope, definition: Definition, seen: set[str]) -> Iterator[tuple[str, tuple[Sql, list[Sql]]]]:
    """Yield the columns of one class body: (attribute, (definition, statements after it))."""
    for statement in inner.body:
        said: Annotation | None = None
        value: ast.expr | None = None
        match statement:
            case ast.Assign(targets=[ast.Name(id=attribute)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=attribute), annotation=written, value=value):
                said = annotation(inner, written)
            case ast.FunctionDef(name=attribute) if any(
                inner.file.called(d) in ("declared_attr", "directive", "cascading") for d in statement.decorator_list
            ):
                returns = [s.value for s in ast.walk(statement) if isinstance(s, ast.Return)]
                value = returns[0] if len(returns) == 1 else None
            case _:
                continue
        if attribute.startswith("__") or attribute in seen:
            continue
        call = _call(inner, value, said)
        if call is None:
            continue
        made = column(
            call.scope,
            call.node,
            definition.names,
            called=attribute,
            annotated=said.type if said else "",
            nullable=said.optional if said else True,
            around=statement,
        )
        yield attribute, (made.item, made.after(definition.table))


class _Column:
    """The call that makes a column, and where its names mean something."""

    def __init__(self, scope: Scope, node: ast.Call) -> None:
        self.scope = scope
        self.node = node


def _call(inner: Scope, value: ast.expr | None, said: Annotation | None) -> _Column | None:
    """Return the call that makes a column, with what its annotation adds; None where it is no column."""
    found = inner.followed(value) if value is not None else Bound(None, inner)
    called = inner.file.called(found.node) if isinstance(found.node, ast.Call) else ""
    if said is None:
        is_column = isinstance(found.node, ast.Call) and called in ("Column", "mapped_column")
        return _Column(found.scope, found.node) if is_column and isinstance(found.node, ast.Call) else None
    if called in ("relationship", "column_property", "Relationship", "synonym", "composite", "association_proxy"):
        return None
    if said.mapped and said.collection and called != "mapped_column":
        return None
    if isinstance(found.node, ast.Call) and called in ("Column", "mapped_column"):
        return _Column(found.scope, _merged(found.node, said))
    if isinstance(found.node, ast.Call) and called == "Field":
        given = keyword(found.node, "sa_column")
        inside = found.scope.followed(given).node if given is not None else None
        if isinstance(inside, ast.Call):
            return _Column(found.scope, inside)
        return _Column(found.scope, _merged(_field(found.node), said))
    if said.mapped or said.field:
        plain = ast.Call(func=ast.Name(id="mapped_column", ctx=ast.Load()), args=[], keywords=[])
        return _Column(inner, _merged(ast.copy_location(plain, value or said.node), said))
    return None


def _field(node: ast.Call) -> ast.Call:
    """Return SQLModel's `Field(...)` as a column call: first comes its default; pydantic's words say nothing in SQL."""
    kept = [k for k in node.keywords if k.arg in _FIELD_WORDS]
    extra = keyword(node, "sa_column_kwargs")
    if isinstance(extra, ast.Dict):
        kept += [
            ast.keyword(arg=str(k.value), value=v)
            for k, v in zip(extra.keys, extra.values, strict=True)
            if isinstance(k, ast.Constant)
        ]
    if node.args and not isinstance(getattr(node.args[0], "value", None), type(...)):
        kept.append(ast.keyword(arg="default", value=node.args[0]))
    extras = keyword(node, "sa_column_args")
    args = list(extras.elts) if isinstance(extras, (ast.List, ast.Tuple)) else []
    made = ast.Call(func=ast.Name(id="mapped_column", ctx=ast.Load()), args=args, keywords=kept)
    return ast.copy_location(made, node)


def _merged(node: ast.Call, said: Annotation) -> ast.Call:
    """Return a column call with the arguments that an `Annotated` alias brings along."""
    if said.call is None:
        return node
    own = {k.arg for k in node.keywords}
    keywords = [*node.keywords, *(k for k in said.call.keywords if k.arg not in own)]
    return ast.copy_location(ast.Call(func=node.func, args=[*node.args, *said.call.args], keywords=keywords), node)


def _index_behind(module: Scope, node: ast.Call, tables: dict[str, Definition]) -> list[Sql]:
    """Return an `Index(...)` that stands behind its model: `Index("i", Wallet.owner, unique=True)`."""
    owners = {
        n.value.id
        for a in node.args
        for n in ast.walk(a)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)
    }
    found = next((tables[o] for o in owners if o in tables), None)
    return index(module, node, found.table, found.names) if found else []
