"""Django's fields, constraints and `Q` objects as PostgreSQL has them, each piece with its place in the Python file."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from squads.gates.sql.model import HOLE
from squads.gates.sql.python.columns import flag, keyword
from squads.gates.sql.python.file import Sql, listed, name, sql, string
from squads.gates.sql.python.scope import UNKNOWN, Scope
from squads.gates.words import word_set

_TYPES = {
    "serial": "AutoField SmallAutoField",
    "bigserial": "BigAutoField",
    "text": "TextField",
    "integer": "IntegerField PositiveIntegerField",
    "bigint": "BigIntegerField PositiveBigIntegerField ForeignKey OneToOneField ParentalKey",
    "smallint": "SmallIntegerField PositiveSmallIntegerField",
    "double precision": "FloatField",
    "boolean": "BooleanField NullBooleanField",
    "date": "DateField",
    "timestamptz": "DateTimeField AutoCreatedField AutoLastModifiedField CreationDateTimeField",
    "time": "TimeField",
    "interval": "DurationField",
    "uuid": "UUIDField ShortUUIDField",
    "jsonb": "JSONField HStoreField",
    "bytea": "BinaryField",
    "inet": "GenericIPAddressField IPAddressField",
    "tsvector": "SearchVectorField",
    "geometry": "PointField PolygonField GeometryField MultiPolygonField LineStringField",
    "tstzrange": "DateTimeRangeField DateRangeField IntegerRangeField DecimalRangeField BigIntegerRangeField",
}
_LENGTHS = {"CharField": 0, "SlugField": 50, "EmailField": 254, "URLField": 200, "FileField": 100, "ImageField": 100}
_LENGTHS |= {"FilePathField": 100, "CICharField": 0, "CIEmailField": 254}
_KNOWN = {word: text for text, words in _TYPES.items() for word in words.split()}
_POSITIVE = word_set("PositiveIntegerField PositiveBigIntegerField PositiveSmallIntegerField")
_KEYS = word_set("ForeignKey OneToOneField ParentalKey")
_NO_COLUMN = word_set("ManyToManyField GenericForeignKey GenericRelation TaggableManager ParentalManyToManyField")
_COMPARED = {"exact": "=", "gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
_LIKE = {"startswith": "{}%", "istartswith": "{}%", "endswith": "%{}", "contains": "%{}%", "icontains": "%{}%"}
_DEPTH_MAX = 40


@dataclass(slots=True)
class Model:
    """What is known of one model while migrations run."""

    table: str
    columns: dict[str, str] = field(default_factory=dict)
    """Column names by field names."""
    together: list[str] = field(default_factory=list)
    """Names of the constraints that unique_together made."""
    indexes: set[str] = field(default_factory=set)
    """Names of unique constraints that are indexes in the database."""
    relations: dict[str, tuple[str, str]] = field(default_factory=dict)
    """For a column that refers to a row: (model, what happens when that row goes)."""
    many: dict[str, str] = field(default_factory=dict)
    """For a field of many rows, whose table Django makes: the model."""
    key: str = "id"
    """The column of the primary key."""
    indexed: set[str] = field(default_factory=set)
    """Fields that say `db_index=True`."""

    @property
    def sql(self) -> str:
        """The table's name as SQL; `db_table` may hold a schema in quotes."""
        return '"' + self.table.replace('"."', "\0").replace('"', "").replace("\0", '"."') + '"'

    def column(self, called: str) -> str:
        """Return the column of a field; of one that is not known, the field's own name."""
        return self.columns.get(called, called)


def is_field(scope: Scope, node: ast.AST | None) -> bool:
    """Return whether `node` makes a field of a model that is a column."""
    found = scope.followed(node).node if node is not None else None
    called = scope.file.called(found)
    return (
        isinstance(found, ast.Call)
        and called not in _NO_COLUMN
        and (called in _KNOWN or called.endswith(("Field", "Key")))
    )


def field_type(scope: Scope, node: ast.Call) -> str:
    """Return the SQL type of a field."""
    called = scope.file.called(node)
    if called in _LENGTHS:
        length = flag(scope, node, "max_length", _LENGTHS[called])
        return f"varchar({length})" if isinstance(length, int) and length else "varchar"
    if called in ("DecimalField", "MoneyField"):
        digits, places = flag(scope, node, "max_digits"), flag(scope, node, "decimal_places")
        return f"numeric({digits},{places})" if isinstance(digits, int) and isinstance(places, int) else "numeric"
    if called == "ArrayField" and node.args:
        inside = scope.followed(node.args[0])
        return f"{field_type(inside.scope, inside.node)}[]" if isinstance(inside.node, ast.Call) else "text[]"
    if called == "GeneratedField" and isinstance(output := keyword(node, "output_field"), ast.Call):
        return field_type(scope, output)
    return _KNOWN.get(called, name(called))


def is_positive(scope: Scope, node: ast.Call) -> bool:
    """Return whether Django adds a CHECK that the column is not negative."""
    return scope.file.called(node) in _POSITIVE


def column_of(scope: Scope, called: str, node: ast.Call) -> str:
    """Return the column that a field has."""
    given = scope.text(keyword(node, "db_column"))
    return given or (f"{called}_id" if scope.file.called(node) in _KEYS else called)


def field_sql(scope: Scope, model: Model, called: str, node: ast.Call, around: ast.AST | None = None) -> Sql:
    """Return a field as a column definition, and enter its name into `model`."""
    column = model.columns[called] = column_of(scope, called, node)
    nullable = flag(scope, node, "null", False)
    if nullable is UNKNOWN:
        scope.file.fail(node, f"whether {called!r} may be NULL is only known when the code runs; write True or False")
    primary = flag(scope, node, "primary_key") is True
    if primary:
        model.key = column
    if flag(scope, node, "db_index") is True:
        model.indexed.add(called)
    if scope.file.called(node) in _KEYS and (to := scope.text(keyword(node, "to") or next(iter(node.args), None))):
        model.relations[column] = (to, scope.file.called(keyword(node, "on_delete")))
    pieces: list[str | Sql] = [f"{name(column)} {field_type(scope, node)}", _default(scope, node)]
    pieces.append(" PRIMARY KEY" if primary else "" if nullable else " NOT NULL")
    if is_unique(scope, node) and not primary:
        pieces.append(" UNIQUE")
    if is_positive(scope, node):
        pieces.append(f" CONSTRAINT {name(positive_name(model, column))} CHECK ({name(column)} >= 0)")
    return scope.file.at(around or node, *pieces)


def is_unique(scope: Scope, node: ast.Call) -> bool:
    """Return whether a field's column is unique on its own."""
    return flag(scope, node, "unique") is True or scope.file.called(node) == "OneToOneField"


def positive_name(model: Model, column: str) -> str:
    """Return what the CHECK of a positive field is called here; Django adds a hash to it."""
    return f"{model.table}_{column}_positive_check"


def _default(scope: Scope, node: ast.Call) -> str:
    value = flag(scope, node, "db_default", flag(scope, node, "default"))
    if isinstance(value, bool):
        return f" DEFAULT {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f" DEFAULT {value}"
    return f" DEFAULT {string(value)}" if isinstance(value, str) else ""


def together(scope: Scope, model: Model, node: ast.AST) -> list[Sql]:
    """Return `unique_together` as constraints: one tuple of fields, or several."""
    items = scope.items(node)
    if items is None:
        if scope.value(node) is None:
            return []
        scope.file.fail(node, "unique_together is only known when the code runs; write it out")
    keys = [items] if items and isinstance(items[0].scope.value(items[0].node), str) else []
    sets = [[b.scope.text(b.node) for b in key] for key in keys] or [
        [m.scope.text(m.node) for m in b.scope.items(b) or []] for b in items
    ]
    made: list[Sql] = []
    for index, fields in enumerate(sets):
        if not fields or None in fields:
            scope.file.fail(node, "the fields of unique_together are only known when the code runs; write them out")
        columns = [model.column(f or "") for f in fields]
        called = f"{'_'.join([model.table, *columns])}_uniq"
        model.together.append(called)
        place = node if keys else items[index].node or node
        members = ", ".join(map(name, columns))
        made.append(
            scope.file.at(
                place,
                f"ALTER TABLE {model.sql} ADD ",
                scope.file.at(place, f"CONSTRAINT {name(called)} UNIQUE ({members})"),
            )
        )
    return made


def constraint(scope: Scope, model: Model, node: ast.AST) -> list[Sql]:
    """Return `UniqueConstraint(...)` or `CheckConstraint(...)` as a statement; other constraints are no news."""
    found = scope.followed(node)
    scope, call = found.scope, found.node
    if not isinstance(call, ast.Call):
        scope.file.fail(node, "this constraint is only known when the code runs; write it out")
    called = scope.text(keyword(call, "name"))
    head = f"CONSTRAINT {name(called)} " if called else ""
    kind = scope.file.called(call)
    if kind == "CheckConstraint":
        given = keyword(call, "check") or keyword(call, "condition")
        if given is None:
            scope.file.fail(call, "a CheckConstraint without a condition; give it one")
        made = scope.file.at(call, f"{head}CHECK (", q_sql(scope, model, given), ")")
        return [scope.file.at(call, f"ALTER TABLE {model.sql} ADD ", made)]
    if kind != "UniqueConstraint":
        return []
    fields = keyword(call, "fields")
    items = scope.items(fields) if fields is not None else []
    texts = [b.scope.text(b.node) for b in items or []]
    if None in texts or (fields is not None and not texts) or (fields is None and not call.args):
        scope.file.fail(call, "the fields of this constraint are only known when the code runs; write them out")
    distinct = flag(scope, call, "nulls_distinct")
    if distinct is UNKNOWN:
        scope.file.fail(call, "whether NULLs are distinct here is only known when the code runs; write True or False")
    nulls = " NULLS NOT DISTINCT" if distinct is False else ""
    condition = keyword(call, "condition")
    members = [sql(name(model.column(t or ""))) for t in texts] or [
        _expression(scope, model, a, top=True) for a in call.args
    ]
    if condition is None and not call.args:
        made = scope.file.at(call, f"{head}UNIQUE{nulls} (", listed(members), ")")
        return [scope.file.at(call, f"ALTER TABLE {model.sql} ADD ", made)]
    if called:
        model.indexes.add(called)
    where = sql(" WHERE ", q_sql(scope, model, condition)) if condition is not None else ""
    index = f"{name(called)} " if called else ""
    return [
        scope.file.at(call, f"CREATE UNIQUE INDEX {index}ON {model.sql} (", listed(members), f"){nulls}", where),
    ]


def q_sql(scope: Scope, model: Model, node: ast.AST, depth: int = 0) -> Sql:
    """Return a `Q` object as SQL; what cannot be told is a `HOLE`, which no check trusts."""
    if depth > _DEPTH_MAX:
        return sql(HOLE)
    found = scope.followed(node)
    scope, node = found.scope, found.node or node
    match node:
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as op, right=right):
            word = " AND " if isinstance(op, ast.BitAnd) else " OR "
            return sql("(", q_sql(scope, model, left, depth + 1), word, q_sql(scope, model, right, depth + 1), ")")
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return sql("(NOT ", q_sql(scope, model, operand, depth + 1), ")")
        case ast.Call() if scope.file.called(node) == "Q":
            parts: list[Sql] = []
            for argument in node.args:
                pair = scope.items(argument)
                looked = scope.text(pair[0].node) if pair and len(pair) == 2 else None
                if looked and pair and pair[1].node is not None:
                    parts.append(_lookup(scope, model, looked, pair[1].node))
                else:
                    parts.append(q_sql(scope, model, argument, depth + 1))
            for given in node.keywords:
                if given.arg is None:
                    parts += _unpacked(scope, model, given.value)
                elif given.arg not in ("_connector", "_negated"):
                    parts.append(_lookup(scope, model, given.arg, given.value))
            if not parts:
                return sql("true")
            mark = " OR " if flag(scope, node, "_connector") == "OR" else " AND "
            made = sql("(", listed(parts, mark), ")")
            return sql("(NOT ", made, ")") if flag(scope, node, "_negated") is True else made
        case _:
            return sql(HOLE)


def _unpacked(scope: Scope, model: Model, node: ast.expr) -> list[Sql]:
    """Return `**{"balance__gte": 0}` as conditions."""
    found = scope.followed(node)
    if not isinstance(found.node, ast.Dict):
        return [sql(HOLE)]
    made: list[Sql] = []
    for key, value in zip(found.node.keys, found.node.values, strict=True):
        looked = found.scope.text(key)
        made.append(_lookup(found.scope, model, looked, value) if looked else sql(HOLE))
    return made


def _lookup(scope: Scope, model: Model, looked: str, node: ast.AST) -> Sql:
    """Return `balance__gte=0` as `"balance" >= 0`."""
    called, _, lookup = looked.rpartition("__")
    if not called:
        called, lookup = looked, "exact"
    if lookup in model.columns or lookup == "id" or "__" in called:
        return sql(HOLE)
    column = name(model.column(called))
    if lookup in _COMPARED:
        if lookup == "exact" and isinstance(node, ast.Constant) and node.value is None:
            return sql(f"({column} IS NULL)")
        return sql(f"({column} {_COMPARED[lookup]} ", _expression(scope, model, node), ")")
    if lookup == "isnull":
        value = scope.value(node)
        return sql(f"({column} IS {'' if value else 'NOT '}NULL)") if isinstance(value, bool) else sql(HOLE)
    if lookup in ("in", "range"):
        items = scope.items(node)
        values = [_expression(b.scope, model, b.node) for b in items or [] if b.node is not None]
        if not values or (lookup == "range" and len(values) != 2):
            return sql(HOLE)
        if lookup == "range":
            return sql(f"({column} BETWEEN ", values[0], " AND ", values[1], ")")
        return sql(f"({column} IN (", listed(values), "))")
    text = scope.text(node)
    if text is not None and lookup in _LIKE:
        return sql(f"({column} LIKE {string(_LIKE[lookup].format(text))})")
    return sql(f"({column} ~ {string(text)})") if text is not None and lookup in ("regex", "iregex") else sql(HOLE)


def _expression(scope: Scope, model: Model, node: ast.AST, *, top: bool = False, depth: int = 0) -> Sql:
    """Return a value or an expression: `0`, `F("a") + 1`, `Lower("name")`; with `top` a string names a field."""
    if depth > _DEPTH_MAX:
        return sql(HOLE)
    value = scope.value(node)
    if isinstance(value, bool) or value is None:
        return sql("NULL" if value is None else str(value).lower())
    if isinstance(value, (int, float)):
        return sql(str(value))
    found = scope.followed(node)
    scope, node = found.scope, found.node or node
    if isinstance(value, str):
        number = isinstance(node, ast.Call) and scope.file.called(node) == "Decimal"
        return sql(name(model.column(value.lstrip("-"))) if top else value if number else string(value))
    operators = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
    if isinstance(node, ast.BinOp) and type(node.op) in operators:
        left = _expression(scope, model, node.left, depth=depth + 1)
        right = _expression(scope, model, node.right, depth=depth + 1)
        return sql("(", left, f" {operators[type(node.op)]} ", right, ")")
    if not isinstance(node, ast.Call):
        return sql(HOLE)
    called = scope.file.called(node)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if called in ("asc", "desc") and owner is not None:
        return _expression(scope, model, owner, top=top, depth=depth + 1)
    if called == "F" and node.args:
        text = scope.text(node.args[0])
        return sql(name(model.column(text))) if text else sql(HOLE)
    if called in ("Value", "OrderBy") and node.args:
        return _expression(scope, model, node.args[0], depth=depth + 1)
    if called in ("Lower", "Upper", "Trim", "Length", "Coalesce", "Greatest", "Least", "Abs", "Concat", "MD5"):
        word = "lower" if called == "Lower" else called.lower()
        return sql(f"{word}(", listed(_expression(scope, model, a, top=True, depth=depth + 1) for a in node.args), ")")
    return sql(HOLE)
