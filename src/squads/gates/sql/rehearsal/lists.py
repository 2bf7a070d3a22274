"""Lists that become rows in a query: unnest, splitting functions, and VALUES beside each row, as SQLite can say them.

Each becomes `json_each(...)` over a JSON list, and its columns what stands in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from squads.gates.sql.rehearsal.value import NotKnown

if TYPE_CHECKING:
    from sqlglot import exp

_SPLIT = {"regexp_split_to_table": "regexp_split_to_array", "string_to_table": "string_to_array"}
_ELEMENTS = ("jsonb_array_elements", "json_array_elements", "jsonb_array_elements_text", "json_array_elements_text")
EACH = "json_each"


def in_rows(tree: exp.Expression) -> exp.Expression:
    """Return a statement in which lists stand as SQLite reads them."""
    from sqlglot import exp

    if not tree.find(exp.Lateral, exp.Unnest, exp.Explode, exp.Anonymous):
        return tree
    for select in list(tree.find_all(exp.Select)):
        for number, shown in enumerate(list(select.expressions)):
            listed = _list_of(shown.unalias())
            if listed is not None:
                alias = f"list_{number}_"
                shown.unalias().replace(exp.column("value", table=alias))
                select.append("joins", exp.Join(this=_each(listed, alias), kind="CROSS"))
        sources = [j.this for j in select.args.get("joins") or []]
        origin = select.args.get("from_")
        for source in [*([origin.this] if origin is not None else []), *sources]:
            _source(select, source)
    return tree


def _source(select: exp.Select, source: exp.Expression) -> None:
    from sqlglot import exp

    inner = source.this if isinstance(source, exp.Lateral) else source
    alias = source.args.get("alias")
    if alias is None and isinstance(inner, exp.Expression):
        alias = inner.args.get("alias")
    if isinstance(inner, exp.Subquery) and isinstance(inner.this, exp.Values) and isinstance(source, exp.Lateral):
        rows = [exp.Anonymous(this="jsonb_build_array", expressions=t.expressions) for t in inner.this.expressions]
        listed: exp.Expression | None = exp.Anonymous(this="jsonb_build_array", expressions=rows)
        columns = [c.name.lower() for c in alias.columns] if alias is not None else []
        wide = True
    else:
        called = inner.this if isinstance(inner, exp.Table) and isinstance(inner.this, exp.Expression) else inner
        listed = _list_of(called) if isinstance(called, exp.Expression) else None
        columns = [c.name.lower() for c in alias.columns] if alias is not None else []
        wide = False
    if listed is None:
        return
    name = alias.name.lower() if alias is not None and alias.name else "list_"
    offset = inner.args.get("offset") if isinstance(inner, exp.Unnest) else None
    position = offset.name.lower() if isinstance(offset, exp.Identifier) else ""
    if wide and not columns:
        raise NotKnown
    found: dict[str, exp.Expression] = {}
    for number, column in enumerate(columns if wide else columns[:1] or [name]):
        value = exp.column("value", table=name)
        found[column] = (
            exp.Anonymous(this="squads_member", expressions=[value, exp.Literal.number(number), exp.Literal.number(1)])
            if wide
            else value
        )
    if position or (not wide and len(columns) > 1):
        key = exp.Paren(this=exp.Add(this=exp.column("key", table=name), expression=exp.Literal.number(1)))
        found[position or columns[1]] = key
    source.replace(_each(listed, name))
    for column in list(select.find_all(exp.Column)):
        told = found.get(column.name.lower())
        if told is not None and column.table.lower() in ("", name) and not column.find_ancestor(exp.TableAlias):
            if column.name == "value" and column.table.lower() == name and not wide:
                continue
            column.replace(told.copy())


def _each(listed: exp.Expression, alias: str) -> exp.Table:
    from sqlglot import exp

    return exp.Table(
        this=exp.Anonymous(this=EACH, expressions=[listed.copy()]), alias=exp.TableAlias(this=exp.to_identifier(alias))
    )


def _list_of(node: exp.Expression) -> exp.Expression | None:
    """Return the list whose members become rows; None for anything else."""
    from sqlglot import exp

    if isinstance(node, exp.Explode):
        found: exp.Expression = node.this
        return found
    if isinstance(node, exp.Unnest) and len(node.expressions) == 1:
        first: exp.Expression = node.expressions[0]
        return first
    if isinstance(node, exp.Anonymous):
        name = node.name.lower()
        if name in _SPLIT:
            return exp.Anonymous(this=_SPLIT[name], expressions=node.expressions)
        if name in _ELEMENTS and len(node.expressions) == 1:
            only: exp.Expression = node.expressions[0]
            return only
    return None
