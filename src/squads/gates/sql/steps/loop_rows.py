"""A loop over the rows of a query that sends a statement for each, as one statement over all of them.

`for row in conn.execute(text("SELECT id, name FROM t")):` around `UPDATE t SET x = :x WHERE id = :id` is
`UPDATE t SET x = ... FROM (SELECT id, name FROM t) AS q_ WHERE id = q_.id`. What cannot be told so raises `NotTold`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from squads.gates.sql.expressions import quietly
from squads.gates.sql.model import HOLE
from squads.gates.sql.python.embedded import EXECUTE_CALLS, runs, table_name
from squads.gates.sql.python.file import PythonFile, Sql, name
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.steps.row_values import NotTold, Values, halves

if TYPE_CHECKING:
    from sqlglot import exp

_SAME_ROWS = frozenset(("fetchall", "all", "mappings", "fetchmany", "list", "tuple", "yield_per", "execution_options"))
_SILENT = frozenset(("print", "info", "debug", "warning", "log", "write", "commit", "flush"))


@dataclass(slots=True)
class LoopRows:
    """One loop."""

    file: PythonFile
    scope: Scope
    query: str = ""
    values: Values = field(init=False)
    made: list[Sql] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.values = Values(self.scope)

    def loop(self, target: ast.expr, iterated: ast.expr, body: Sequence[ast.stmt]) -> list[Sql]:
        """Return the statements of the loop. Raises `NotTold`."""
        self.query, columns = self._source(iterated)
        if isinstance(target, ast.Name):
            self.values.rows[target.id] = _column
        elif isinstance(target, ast.Tuple) and len(target.elts) == len(columns):
            for part, column in zip(target.elts, columns, strict=True):
                if not isinstance(part, ast.Name):
                    raise NotTold
                self.values.names[part.id] = _column(column)
        else:
            raise NotTold
        self._turn(body, [])
        return self.made

    def _source(self, node: ast.expr) -> tuple[str, list[str]]:
        """Return the query that a loop goes through, and its columns."""
        import sqlglot
        from sqlglot import exp
        from sqlglot.errors import SqlglotError

        for _ in range(8):
            followed = self.scope.followed(node).node
            if not isinstance(followed, ast.Call):
                raise NotTold
            called = self.file.called(followed)
            if called in EXECUTE_CALLS:
                break
            if called not in _SAME_ROWS:
                raise NotTold
            node = followed.args[0] if followed.args and called in ("list", "tuple") else followed.func
            node = node.value if isinstance(node, ast.Attribute) else node
        else:
            raise NotTold
        given = runs(self.file, self.scope, followed)
        text = self.scope.sql(given) if given is not None else None
        if text is None or HOLE in text.text:
            raise NotTold
        try:
            with quietly():
                tree = sqlglot.parse_one(text.text, read="postgres")
        except SqlglotError:
            raise NotTold from None
        if not isinstance(tree, exp.Select) or tree.is_star:
            raise NotTold
        return text.text.strip().rstrip(";"), [s.alias_or_name.lower() for s in tree.selects]

    def _turn(self, body: Sequence[ast.stmt], guard: list[str]) -> None:
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Tuple(elts=parts)], value=ast.Call() as call):
                    self._halves(parts, call)
                case ast.Assign(targets=[ast.Name(id=known)], value=value):
                    self.values.names[known] = self.values.sql(value)
                case ast.If(test=test, body=inside, orelse=orelse):
                    shown = self.values.condition(test)
                    if len(inside) == 1 and isinstance(inside[0], ast.Continue) and not orelse:
                        guard = [*guard, f"NOT {shown}"]
                        continue
                    self._turn(inside, [*guard, shown])
                    self._turn(orelse, [*guard, f"NOT {shown}"])
                case ast.Expr(value=ast.Call() as call):
                    called = self.file.called(call)
                    if called in EXECUTE_CALLS:
                        self._sent(call, guard)
                    elif called not in _SILENT:
                        raise NotTold
                case ast.AugAssign(target=ast.Name()) | ast.Pass() | ast.Expr(value=ast.Constant()):
                    continue
                case _:
                    raise NotTold

    def _halves(self, parts: list[ast.expr], call: ast.Call) -> None:
        called = self.file.called(call)
        if called not in ("partition", "rpartition") or len(parts) != 3 or not isinstance(call.func, ast.Attribute):
            raise NotTold
        made = halves(called, self.values.sql(call.func.value), self.values.sql(call.args[0]))
        for part, shown in zip(parts, made, strict=True):
            if isinstance(part, ast.Name):
                self.values.names[part.id] = shown

    def _sent(self, call: ast.Call, guard: list[str]) -> None:
        given = runs(self.file, self.scope, call)
        if given is None:
            raise NotTold
        text = self.scope.sql(given)
        if text is None or not text.text.strip() or HOLE in text.text:
            self.made.append(self.file.at(call, self._built(given, guard)))
            return
        handed: dict[str, ast.expr] = {k.arg: k.value for k in call.keywords if k.arg}
        found = self.scope.followed(given).node
        if isinstance(found, ast.Call) and self.file.called(found) == "bindparams":
            handed |= {k.arg: k.value for k in found.keywords if k.arg}
        for pairs in (self.scope.followed(a) for a in call.args[1:2]):
            if not isinstance(pairs.node, ast.Dict):
                raise NotTold
            handed |= {str(self.scope.text(k)): v for k, v in zip(pairs.node.keys, pairs.node.values, strict=True)}
        self.made.append(self.file.at(call, self._spread(text.text, handed, guard)))

    def _spread(self, text: str, handed: dict[str, ast.expr], guard: list[str]) -> str:
        """Return a statement with parameters as one over all rows of the query."""
        import sqlglot
        from sqlglot import exp
        from sqlglot.errors import SqlglotError

        def filled(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Placeholder):
                value = handed.get(str(node.this))
                if value is None:
                    raise NotTold
                return _parsed(self.values.sql(value))
            return node

        try:
            with quietly():
                tree = sqlglot.parse_one(text, read="postgres")
                target = tree.find(exp.Table)
                if target is None or not isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
                    raise NotTold
                for column in list(tree.find_all(exp.Column)):
                    left = (
                        isinstance(column.parent, exp.EQ) and column.arg_key == "this" and column.parent.parent is tree
                    )
                    if not column.table and not left and not isinstance(tree, exp.Insert):
                        column.set("table", exp.to_identifier(target.alias or target.name, quoted=True))
                return self._over(tree.transform(filled), guard)
        except SqlglotError:
            raise NotTold from None

    def _over(self, tree: exp.Expression, guard: list[str]) -> str:
        import sqlglot
        from sqlglot import exp

        query = sqlglot.parse_one(f"SELECT * FROM ({self.query}) AS q_", read="postgres")  # noqa: S608  (read, never run)
        rows = query.args["from_"].this
        tests = [_parsed(g) for g in guard]
        if isinstance(tree, exp.Insert):
            values = tree.expression
            if not isinstance(values, exp.Values) or len(values.expressions) != 1:
                raise NotTold
            made = exp.Select(expressions=list(values.expressions[0].expressions)).from_(rows)
            for test in tests:
                made = made.where(test)
            tree.set("expression", made)
            return tree.sql("postgres")
        if isinstance(tree, exp.Update):
            if tree.args.get("from_"):
                raise NotTold
            tree.set("from_", exp.From(this=rows))
        else:
            tree.set("using", [rows])
        where = tree.args.get("where")
        parts = [*([where.this] if where is not None else []), *tests]
        if parts:
            tree.set("where", exp.Where(this=exp.and_(*parts)))
        return tree.sql("postgres")

    def _built(self, given: ast.expr, guard: list[str]) -> str:
        """Return `table.update().where(...).values(...)`, or `table.insert().values(...)`, over all rows."""
        node, where, pairs = given, list[ast.expr](), list[tuple[str, ast.expr]]()
        for _ in range(12):
            followed = self.scope.followed(node).node
            if not isinstance(followed, ast.Call):
                raise NotTold
            called = self.file.called(followed)
            if called in ("where", "filter"):
                where += followed.args
            elif called == "values":
                pairs += [(k.arg, k.value) for k in followed.keywords if k.arg]
                if followed.args:
                    if not isinstance(followed.args[0], ast.Dict):
                        raise NotTold
                    some = zip(followed.args[0].keys, followed.args[0].values, strict=True)
                    pairs += [(str(self.scope.text(k) or getattr(k, "attr", HOLE)), v) for k, v in some]
            elif called in ("update", "insert", "delete"):
                break
            if not isinstance(followed.func, ast.Attribute):
                raise NotTold
            node = followed.func.value
        else:
            raise NotTold
        owner = followed.args[0] if followed.args else getattr(followed.func, "value", None)
        table = table_name(self.scope, owner) if isinstance(owner, ast.expr) else None
        if table is None or not pairs:
            raise NotTold
        columns, shown = [name(c) for c, _ in pairs], [self.values.sql(v) for _, v in pairs]
        tail = f" WHERE {' AND '.join(guard)}" if guard else ""
        if called == "insert":
            return (f"INSERT INTO {name(table)} ({', '.join(columns)}) SELECT {', '.join(shown)} "  # noqa: S608
                    f"FROM ({self.query}) AS q_{tail}")  # fmt: skip
        tests = [self._matched(w, table) for w in where] + guard
        tail = f" WHERE {' AND '.join(tests)}" if tests else ""
        assigned = ", ".join(f"{c} = {v}" for c, v in zip(columns, shown, strict=True))
        return f"UPDATE {name(table)} SET {assigned} FROM ({self.query}) AS q_{tail}"  # noqa: S608  (read, never run)

    def _matched(self, node: ast.expr, table: str) -> str:
        """Return `t.c.id == row.id` as a condition."""
        match node:
            case ast.Compare(left=ast.Attribute(attr=column), ops=[ast.Eq()], comparators=[right]):
                return f"{name(table)}.{name(column)} = {self.values.sql(right)}"
        raise NotTold


def _parsed(text: str) -> exp.Expression:
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(f"SELECT ({text})", read="postgres")
    if not isinstance(tree, exp.Select):
        raise NotTold
    found: exp.Expression = tree.expressions[0]
    return found


def _column(called: str) -> str:
    return f"q_.{name(called)}"
