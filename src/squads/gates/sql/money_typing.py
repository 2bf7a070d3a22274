"""What an SQL expression comes out as: an amount of money or not, a binary fraction or not, and made how.

PostgreSQL's types decide: one double precision operand makes a sum or product one, whatever the others are, and a cast
of the result mends nothing. Money times a number is money; money divided by money is a share; what is counted, ranked
or compared is neither. Nothing is run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from squads.gates.sql.expressions import parsed
from squads.gates.sql.lex import Token, text_of
from squads.gates.words import word_set

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of a value."""

    money: bool = False
    floating: bool = False
    """Whether its type is a binary fraction."""
    spoiled: bool = False
    """Whether it is money that was a binary fraction on its way."""
    meant: bool = False
    """Whether it was averaged or estimated on purpose."""

    def with_operand(self, other: Made) -> Made:
        """Return what arithmetic makes of both."""
        money, floating = self.money or other.money, self.floating or other.floating
        spoiled = self.spoiled or other.spoiled or (money and floating)
        return Made(money, floating, spoiled, self.meant or other.meant)


NOTHING = Made()
Look = Callable[[str], Made]
"""What is known of a name: a column, a parameter, a variable, the result of a routine of the artifact."""

_FLOATS = word_set("FLOAT DOUBLE REAL FLOAT4 FLOAT8")
_SAME = word_set("Paren Neg Abs Ceil Floor Trunc Max Min Sum Filter Window Order Ordered Distinct Any First Last Alias")
_CHOICES = word_set("Coalesce Greatest Least Nullif If")
_SPREAD = word_set("Avg Stddev StddevPop StddevSamp Variance VariancePop Median PercentileDisc")
_NUMBERLESS = word_set(
    "Count CountIf Corr CovarPop CovarSamp Ln Log Exp Sqrt Rank RowNumber Extract Length GT GTE LT LTE EQ NEQ And Or "
    "Not Between In Is Like ILike Exists CumeDist PercentRank Ntile WidthBucket ToChar"
)
_FLOAT_CALLS = word_set("date_part_ random drandom setseed cbrt erf degrees radians sin cos pi float8 float4 dfloat8")
_MONEY_MAX_DEPTH = 80


def made_of(tokens: Sequence[Token], look: Look, is_money_type: Callable[[str], bool]) -> Made:
    """Return what an expression comes out as; `NOTHING` where it cannot be read."""
    renamed = [t._replace(text="date_part_", value="date_part_") if t.value == "date_part" else t for t in tokens]
    try:
        tree = parsed(text_of(renamed))
    except (ValueError, RecursionError):
        return NOTHING
    return _Reader(look, is_money_type).made(tree)


class _Reader:
    def __init__(self, look: Look, is_money_type: Callable[[str], bool]) -> None:
        self.look, self.is_money_type = look, is_money_type

    def made(self, node: exp.Expression | None, depth: int = 0) -> Made:
        """Return what a tree comes out as."""
        if node is None or depth > _MONEY_MAX_DEPTH:
            return NOTHING
        kind = type(node).__name__
        if kind == "Column":
            return self.look(node.name)
        if kind in ("Cast", "TryCast"):
            return self._cast(node, depth)
        if kind in ("JSONExtractScalar", "JSONExtract"):
            return replace(self.look(_key(node)), floating=False)
        if kind in ("Mul", "Add", "Sub", "Mod"):
            return self.made(node.args["this"], depth + 1).with_operand(self.made(node.args["expression"], depth + 1))
        if kind == "Div":
            left, right = self.made(node.args["this"], depth + 1), self.made(node.args["expression"], depth + 1)
            if right.money:
                return Made(floating=left.floating or right.floating)
            floating = left.floating or right.floating
            return left.with_operand(replace(right, money=False)) if left.money else Made(floating=floating)
        if kind in _NUMBERLESS:
            return NOTHING
        if kind in _SPREAD:
            return replace(self._joined([node.this], depth), meant=True)
        if kind == "WithinGroup":
            inside = self.made(node.expression, depth + 1)
            cont = type(node.this).__name__ == "PercentileCont"
            return Made(inside.money, inside.floating or cont, inside.spoiled or (cont and inside.money))
        if kind == "Round":
            return self.made(node.this, depth + 1)
        if kind == "Case":
            branches = [i.args.get("true") for i in node.args.get("ifs") or []]
            return self._joined([*branches, node.args.get("default")], depth)
        if kind in _CHOICES:
            given = [node.args.get("true"), node.args.get("false")] if kind == "If" else [node.this, *node.expressions]
            return self._joined(given, depth)
        if kind in ("Anonymous", "Dot"):
            return self._called(node, depth)
        if kind == "Subquery":
            return self.made(node.this, depth + 1)
        if kind == "Select":
            return self.made(node.expressions[0], depth + 1) if len(node.expressions) == 1 else NOTHING
        if kind in _SAME:
            return self._joined([node.this, *node.expressions], depth)
        return NOTHING

    def _joined(self, nodes: Sequence[exp.Expression | None], depth: int) -> Made:
        """Return what may be any of several."""
        found = [self.made(n, depth + 1) for n in nodes if n is not None]
        money, floating = any(f.money for f in found), any(f.floating for f in found)
        return Made(money, floating, any(f.spoiled for f in found), any(f.meant for f in found))

    def _cast(self, node: exp.Expression, depth: int) -> Made:
        inner = self.made(node.args["this"], depth + 1)
        target = node.args["to"]
        name = getattr(target.args.get("this"), "value", "")
        if name in _FLOATS:
            return replace(inner, floating=True, spoiled=inner.spoiled or inner.money)
        if name == "USERDEFINED":
            return replace(inner, money=inner.money or self.is_money_type(str(target.args.get("kind") or "")))
        return replace(inner, floating=False)

    def _called(self, node: exp.Expression, depth: int) -> Made:
        call = node.args["expression"] if type(node).__name__ == "Dot" else node
        name = str(call.name).lower()
        given = [self.made(a, depth + 1) for a in getattr(call, "expressions", [])]
        if name in _FLOAT_CALLS:
            money = any(g.money for g in given) and name.startswith(("float", "dfloat"))
            return Made(money, floating=True, spoiled=money)
        own = self.look(f"{name}()")
        if own is NOTHING:
            return NOTHING
        money = own.money or any(g.money for g in given)
        return Made(money, own.floating, own.spoiled or (money and own.floating))


def _key(node: exp.Expression) -> str:
    """Return the last key of `document ->> 'price'`."""
    path = node.args.get("expression")
    parts = [p for p in getattr(path, "expressions", []) if type(p).__name__ == "JSONPathKey"]
    return str(parts[-1].args.get("this")) if parts else str(getattr(path, "name", ""))
