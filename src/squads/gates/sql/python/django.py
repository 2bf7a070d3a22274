"""Django's migrations and models as SQL: what the schema editor would send to PostgreSQL.

Migrations of one artifact run in order and share what they know of each model (`State`), because a constraint names
fields and the database has columns. `RunSQL` runs as SQL; `RunPython` changes rows, and SQL in its functions is found
where the file hands it to a cursor. An operation that is not known raises `CannotLook`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from squads.gates.sql.python.columns import flag, keyword
from squads.gates.sql.python.django_fields import (
    Model,
    column_of,
    constraint,
    field_sql,
    field_type,
    is_field,
    is_positive,
    is_unique,
    positive_name,
    together,
)
from squads.gates.sql.python.embedded import counts
from squads.gates.sql.python.file import PythonFile, Sql, listed, name
from squads.gates.sql.python.scope import Bound, Scope
from squads.gates.words import word_set

_NO_NEWS = word_set(
    "RunPython AlterModelOptions AlterModelManagers AlterOrderWithRespectTo AddIndex RemoveIndex RenameIndex "
    "AlterIndexTogether AlterModelTableComment AddIndexConcurrently RemoveIndexConcurrently ValidateConstraint "
    "CreateExtension TrigramExtension UnaccentExtension HStoreExtension CITextExtension BtreeGinExtension "
    "BtreeGistExtension CryptoExtension BloomExtension CreateCollation RemoveCollation"
)
_DEPTH_MAX = 8


@dataclass(slots=True)
class State:
    """What the migrations that ran so far know of models, by app and name."""

    models: dict[tuple[str, str], Model] = field(default_factory=dict)

    def model(self, app: str, called: str) -> Model:
        """Return a model; one that no migration here creates has the table that Django would choose."""
        key = (app, called.lower())
        return self.models.setdefault(key, Model(f"{app}_{called.lower()}"))


def is_migration(file: PythonFile) -> bool:
    """Return whether a file is a Django migration."""
    return any(isinstance(s, ast.ClassDef) and s.name == "Migration" for s in file.tree.body)


def read_migration(file: PythonFile, module: Scope, state: State) -> list[Sql]:
    """Return the statements of a migration, and enter its models into `state`."""
    made: list[Sql] = []
    for node in file.tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "Migration":
            inner = Scope(file, module)
            inner.read(node.body)
            for part in operations(inner, ast.Name(id="operations", ctx=ast.Load())):
                made += MigrationReader(file, part.scope, state).operation(part.node)
    return made


def operations(scope: Scope, node: ast.AST) -> list[Bound]:
    """Return the operations of a migration's list."""
    if isinstance(node, ast.Name) and scope.find(node.id) is None:
        return []
    items = scope.items(node)
    if items is None:
        scope.file.fail(scope.followed(node).node or node, "these operations are only known when the code runs")
    return items


class MigrationReader:
    """Turns the operations of one migration into statements."""

    def __init__(self, file: PythonFile, scope: Scope, state: State) -> None:
        self.file = file
        self.scope = scope
        self.state = state
        self.app = app_of(file.path)

    def operation(self, given: ast.AST | None, *, only_state: bool = False, depth: int = 0) -> list[Sql]:
        """Return one operation as statements; none of them with `only_state`."""
        node = self.scope.followed(given).node if given is not None else None
        if not isinstance(node, ast.Call):
            self.file.fail(given or self.file.tree, "this operation is only known when the code runs; write it out")
        called = self.file.called(node)
        if called == "SeparateDatabaseAndState":
            database = keyword(node, "database_operations") or (node.args[0] if node.args else None)
            stated = keyword(node, "state_operations") or (node.args[1] if len(node.args) > 1 else None)
            made: list[Sql] = []
            for part in operations(self.scope, database) if database is not None and depth < _DEPTH_MAX else ():
                made += self.operation(part.node, only_state=only_state, depth=depth + 1)
            for part in operations(self.scope, stated) if stated is not None and depth < _DEPTH_MAX else ():
                self.operation(part.node, only_state=True, depth=depth + 1)
            return made
        if called in _NO_NEWS:
            return []
        step = getattr(self, f"_{_snake(called)}", None)
        if step is None:
            self.file.fail(node, f"the operation {called!r} is not known; write it as SQL in RunSQL")
        made = list(step(node))
        return [] if only_state else made

    def _text(self, node: ast.Call, place: int, word: str) -> str:
        given = keyword(node, word) or (node.args[place] if place < len(node.args) else None)
        text = self.scope.text(given)
        if text is None:
            self.file.fail(node, f"{word} is only known when the code runs; write it as a plain string")
        return text

    def _argument(self, node: ast.Call, place: int, word: str) -> ast.Call:
        given = keyword(node, word) or (node.args[place] if place < len(node.args) else None)
        found = self.scope.followed(given).node if given is not None else None
        if not isinstance(found, ast.Call):
            self.file.fail(node, f"{word} is only known when the code runs; write it out")
        return found

    def _model(self, node: ast.Call, word: str = "model_name") -> Model:
        return self.state.model(self.app, self._text(node, 0, word))

    def _create_model(self, node: ast.Call) -> Iterator[Sql]:
        called = self._text(node, 0, "name")
        given = keyword(node, "options") or (node.args[2] if len(node.args) > 2 else None)
        options = self.scope.followed(given).node if given is not None else None
        chosen: dict[str, ast.expr] = {}
        if isinstance(options, ast.Dict):
            pairs = zip(options.keys, options.values, strict=True)
            chosen = {k.value: v for k, v in pairs if isinstance(k, ast.Constant) and isinstance(k.value, str)}
        model = Model(self.scope.text(chosen.get("db_table")) or f"{self.app}_{called.lower()}")
        self.state.models[self.app, called.lower()] = model
        written = keyword(node, "fields") or (node.args[1] if len(node.args) > 1 else None)
        fields = self.scope.items(written) if written is not None else None
        if fields is None:
            self.file.fail(node, "the fields of this model are only known when the code runs; write them out")
        columns: list[Sql] = []
        for part in fields:
            pair = part.scope.items(part) or []
            shown = pair[0].scope.text(pair[0].node) if len(pair) == 2 else None
            if shown is None or pair[1].node is None:
                self.file.fail(node, "a field of this model is only known when the code runs; write it out")
            found = pair[1].scope.followed(pair[1].node).node
            if isinstance(found, ast.Call) and is_field(pair[1].scope, found):
                columns.append(field_sql(pair[1].scope, model, shown, found, part.node))
        if self.scope.value(chosen.get("proxy")) is True or self.scope.value(chosen.get("managed")) is False:
            return
        yield self.file.at(node, f"CREATE TABLE {model.sql} (", listed(columns), ")")
        if "unique_together" in chosen:
            yield from together(self.scope, model, chosen["unique_together"])
        for part in self.scope.items(chosen["constraints"]) or [] if "constraints" in chosen else []:
            yield from constraint(part.scope, model, part.node or node)

    def _delete_model(self, node: ast.Call) -> Iterator[Sql]:
        model = self._model(node, "name")
        self.state.models.pop((self.app, self._text(node, 0, "name").lower()), None)
        yield self.file.at(node, f"DROP TABLE {model.sql}")

    def _rename_model(self, node: ast.Call) -> Iterator[Sql]:
        old, new = self._text(node, 0, "old_name"), self._text(node, 1, "new_name")
        model = self.state.model(self.app, old)
        self.state.models[self.app, new.lower()] = self.state.models.pop((self.app, old.lower()))
        if model.table == f"{self.app}_{old.lower()}":
            yield from self._renamed(node, model, f"{self.app}_{new.lower()}")

    def _alter_model_table(self, node: ast.Call) -> Iterator[Sql]:
        model, called = self._model(node, "name"), self._text(node, 0, "name")
        given = keyword(node, "table") or (node.args[1] if len(node.args) > 1 else None)
        yield from self._renamed(node, model, self.scope.text(given) or f"{self.app}_{called.lower()}")

    def _renamed(self, node: ast.Call, model: Model, new: str) -> Iterator[Sql]:
        if new != model.table:
            before, model.table = model.sql, new
            yield self.file.at(node, f"ALTER TABLE {before} RENAME TO {model.sql}")

    def _add_field(self, node: ast.Call) -> Iterator[Sql]:
        model, shown, made = self._model(node), self._text(node, 1, "name"), self._argument(node, 2, "field")
        if is_field(self.scope, made):
            yield self.file.at(
                node, f"ALTER TABLE {model.sql} ADD COLUMN ", field_sql(self.scope, model, shown, made, node)
            )

    def _remove_field(self, node: ast.Call) -> Iterator[Sql]:
        model, shown = self._model(node), self._text(node, 1, "name")
        yield self.file.at(node, f"ALTER TABLE {model.sql} DROP COLUMN {name(model.columns.pop(shown, shown))}")

    def _alter_field(self, node: ast.Call) -> Iterator[Sql]:
        model, shown, made = self._model(node), self._text(node, 1, "name"), self._argument(node, 2, "field")
        if not is_field(self.scope, made):
            return
        old, column = model.columns.get(shown), column_of(self.scope, shown, made)
        if old and old != column:
            yield self.file.at(node, f"ALTER TABLE {model.sql} RENAME COLUMN {name(old)} TO {name(column)}")
        model.columns[shown] = column
        head = f"ALTER TABLE {model.sql} ALTER COLUMN {name(column)} "
        yield self.file.at(node, head, f"TYPE {field_type(self.scope, made)}")
        null = flag(self.scope, made, "null", False) is True and flag(self.scope, made, "primary_key") is not True
        yield self.file.at(node, head, "DROP NOT NULL" if null else "SET NOT NULL")
        guard, unique = positive_name(model, column), f"{model.table}_{column}_alter_uniq"
        if old:
            for known in (guard, unique, f"{model.table}_{column}_key"):
                yield self.file.at(node, f"ALTER TABLE {model.sql} DROP CONSTRAINT IF EXISTS {name(known)}")
        if is_positive(self.scope, made):
            yield self.file.at(
                node, f"ALTER TABLE {model.sql} ADD CONSTRAINT {name(guard)} CHECK ({name(column)} >= 0)"
            )
        if is_unique(self.scope, made):
            yield self.file.at(node, f"ALTER TABLE {model.sql} ADD CONSTRAINT {name(unique)} UNIQUE ({name(column)})")

    def _rename_field(self, node: ast.Call) -> Iterator[Sql]:
        model, old, new = self._model(node), self._text(node, 1, "old_name"), self._text(node, 2, "new_name")
        before = model.columns.pop(old, old)
        after = model.columns[new] = f"{new}_id" if before == f"{old}_id" else new if before == old else before
        if before != after:
            yield self.file.at(node, f"ALTER TABLE {model.sql} RENAME COLUMN {name(before)} TO {name(after)}")

    def _alter_unique_together(self, node: ast.Call) -> Iterator[Sql]:
        model = self._model(node, "name")
        for known in model.together:
            yield self.file.at(node, f"ALTER TABLE {model.sql} DROP CONSTRAINT IF EXISTS {name(known)}")
        model.together.clear()
        given = keyword(node, "unique_together") or (node.args[1] if len(node.args) > 1 else None)
        if given is not None and not (isinstance(given, ast.Call) and not given.args):
            yield from together(self.scope, model, given)

    def _add_constraint(self, node: ast.Call) -> Iterator[Sql]:
        yield from constraint(self.scope, self._model(node), self._argument(node, 1, "constraint"))

    def _add_constraint_not_valid(self, node: ast.Call) -> Iterator[Sql]:
        yield from self._add_constraint(node)

    def _remove_constraint(self, node: ast.Call) -> Iterator[Sql]:
        model, called = self._model(node), self._text(node, 1, "name")
        if called in model.indexes:
            yield self.file.at(node, f"DROP INDEX {name(called)}")
        else:
            yield self.file.at(node, f"ALTER TABLE {model.sql} DROP CONSTRAINT {name(called)}")

    def _run_sql(self, node: ast.Call) -> Iterator[Sql]:
        given = keyword(node, "sql") or (node.args[0] if node.args else None)
        if given is None:
            return
        for part in self.scope.items(given) or [Bound(given, self.scope)]:
            inside = part.scope.items(part)
            first = inside[0] if inside else part
            made = first.scope.sql(first.node)
            if made is None:
                self.file.fail(given, "this SQL is only known when the code runs; write it as a string here")
            if counts(made):
                yield replace(self.file.at(node, made), raw=True)


def app_of(path: str) -> str:
    """Return the app that a file belongs to: the folder above `migrations`, or around `models.py`."""
    parts = path.split("/")
    for mark in ("migrations", "models"):
        if mark in parts[1:-1]:
            return parts[parts.index(mark) - 1]
    return parts[-2] if len(parts) > 1 else "app"


def django_models(file: PythonFile, module: Scope) -> list[Sql]:
    """Return a CREATE TABLE, and the constraints behind it, for every model class of a file."""
    if "django" not in file.source.text and "models.Model" not in file.source.text:
        return []
    made: list[Sql] = []
    for node in file.tree.body:
        if isinstance(node, ast.ClassDef):
            made += _of_model(file, module, node)
    return made


def _of_model(file: PythonFile, module: Scope, node: ast.ClassDef) -> list[Sql]:
    bodies = list(_bodies(module, node))
    if not any(file.called(b).endswith("Model") for _, c in bodies for b in c.bases) and not _is_model(module, node):
        return []
    own_meta = _meta(node)
    inherited = [m for _, c in bodies if (m := _meta(c)) is not None]
    if own_meta is not None and _meta_value(module, own_meta, ("abstract",)) is True:
        return []
    if own_meta is not None and (
        _meta_value(module, own_meta, ("proxy",)) is True or _meta_value(module, own_meta, ("managed",)) is False
    ):
        return []
    shown = _meta_value(module, own_meta, ("db_table",)) if own_meta is not None else None
    model = Model(shown if isinstance(shown, str) else f"{app_of(file.path)}_{node.name.lower()}")
    columns: list[Sql] = []
    for scope, inner in bodies:
        for statement in inner.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                target, value = statement.targets[0], statement.value
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
                target, value = statement.target, statement.value
            else:
                continue
            found = scope.followed(value).node
            if isinstance(found, ast.Call) and is_field(scope, found) and target.id not in model.columns:
                columns.append(field_sql(scope, model, target.id, found, statement))
    if not columns:
        return []
    if not any(c.text.find(" PRIMARY KEY") >= 0 for c in columns):
        columns.insert(0, file.at(node, '"id" bigserial PRIMARY KEY'))
    made = [file.at(node, f"CREATE TABLE {model.sql} (", listed(columns), ")")]
    for meta in [own_meta] if own_meta is not None else inherited[:1]:
        scope = Scope(file, module)
        scope.read(meta.body)
        if "unique_together" in scope.names:
            made += together(scope, model, scope.names["unique_together"].node or meta)
        parts = scope.items(ast.Name(id="constraints", ctx=ast.Load())) if "constraints" in scope.names else []
        if parts is None:
            file.fail(meta, "the constraints of this model are only known when the code runs; write them out")
        for part in parts:
            made += constraint(part.scope, model, part.node or meta)
    return made


def _bodies(module: Scope, node: ast.ClassDef) -> Iterator[tuple[Scope, ast.ClassDef]]:
    """Yield a model and its abstract bases, as far as they are in the artifact."""
    waiting: list[Bound] = [Bound(node, module)]
    seen: set[int] = set()
    while waiting and len(seen) < 60:
        bound = waiting.pop(0)
        if not isinstance(bound.node, ast.ClassDef) or id(bound.node) in seen:
            continue
        meta = _meta(bound.node)
        abstract = meta is not None and _meta_value(bound.scope, meta, ("abstract",)) is True
        if seen and not abstract and any("Model" in bound.scope.file.called(b) for b in bound.node.bases):
            continue  # a model of its own: its columns stand in its own table
        seen.add(id(bound.node))
        inner = Scope(bound.scope.file, bound.scope)
        inner.read(bound.node.body)
        yield inner, bound.node
        waiting += [bound.scope.followed(b) for b in bound.node.bases]


def _is_model(module: Scope, node: ast.ClassDef) -> bool:
    """Return whether a class whose base is not in the artifact is a model: it has fields of `models`, as in Django."""
    unseen = any(not isinstance(module.followed(b).node, ast.ClassDef) for b in node.bases)
    return unseen and any(
        isinstance(s, (ast.Assign, ast.AnnAssign))
        and isinstance(s.value, ast.Call)
        and isinstance(s.value.func, ast.Attribute)
        and isinstance(s.value.func.value, ast.Name)
        and s.value.func.value.id == "models"
        and is_field(module, s.value)
        for s in node.body
    )


def _meta(node: ast.ClassDef) -> ast.ClassDef | None:
    return next((s for s in node.body if isinstance(s, ast.ClassDef) and s.name == "Meta"), None)


def _meta_value(scope: Scope, meta: ast.ClassDef, words: tuple[str, ...]) -> object:
    inner = Scope(scope.file, scope)
    inner.read(meta.body)
    return next((inner.value(inner.names[w].node) for w in words if w in inner.names), None)


def _snake(called: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", called.replace("SQL", "Sql")).lower()
