"""What a value is for: which name takes it, and whether it is only a share, a text for people, or a chart."""

from __future__ import annotations

import ast
import re

from squads.gates.money.naming import DRAWN, SHOWN, is_fraction, is_share, name_of
from squads.gates.money.reading import Reading
from squads.gates.money.words import may_be_part, weight_of
from squads.gates.python import Function, Program, default_of

_AMOUNT_SAID = re.compile(
    r"(?i)\b(?:price|payment|instal?lment|fee|tax|vat|refund|payout|salary|wage|premium|fine|bill|rent|fare|commission"
    r"|interest|balance|surcharge|allowance|postage|toll|reimbursement|deposit|revenue"
    r"|euros?|dollars?|pounds|francs|cents|amount (?:due|owed|to pay))\b"
)
_PART_SAID = re.compile(
    r"(?i)(?<!total )(?<!sum )(?<!amount )\b(?:of|for|by|from|per|with|between|than|since|until|whether|how)\b"
)
_OTHER_SAID = re.compile(
    r"(?i)\b(?:share|rate|ratio|percent\w*|proportion|fraction|index|score|factor|whether|how (?:many|often|long|far)"
    r"|number|count|average|mean|median|probability|chance|growth|change|trend|weight|coordinates?|points?|position|forecast)\b"
)


class Purpose:
    """Answers what the expressions of one program are for."""

    def __init__(self, program: Program, reading: Reading) -> None:
        self._program = program
        self._reading = reading

    def target(self, node: ast.AST) -> str:
        """Return the name that takes what an expression makes; empty where it is more than one step away."""
        child, parent = node, self._program.files.parent(node)
        while isinstance(parent, ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Call | ast.Attribute) and (
            child is not getattr(parent, "func", None) or isinstance(child, ast.Attribute)
        ):
            child, parent = parent, self._program.files.parent(parent)
        match parent:
            case ast.Assign():
                return name_of(parent.targets[0])
            case ast.AnnAssign() | ast.AugAssign():
                return name_of(parent.target)
            case ast.keyword():
                return parent.arg or ""
            case ast.Return():
                around = self._program.function_of(parent)
                return around.name if around else ""
            case ast.Dict():
                for key, value in zip(parent.keys, parent.values, strict=True):
                    if value is child and isinstance(key, ast.Constant):
                        return str(key.value)
        return ""

    def target_is_money(self, node: ast.AST) -> bool:
        """Return whether a name of money takes what an expression makes."""
        name = self.target(node)
        return bool(name) and self._reading.named_money(name, node)

    def near_money(self, node: ast.AST) -> bool:
        """Return whether money is computed with an expression."""
        parent = self._program.files.parent(node)
        return isinstance(parent, ast.BinOp) and (
            self._reading.is_money(parent.left) or self._reading.is_money(parent.right)
        )

    def becomes_an_amount(self, node: ast.expr) -> bool:
        """Return whether what an expression makes is bound to a name that is money."""
        parent = self._program.files.parent(node)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            target = parent.targets[0]
            name = name_of(target)
            named = weight_of(name) == 2 and self._reading.named_money(name, node)
            return named or self._reading.used_as_money(target)
        return False

    def is_ratio(self, node: ast.expr) -> bool:
        """Return whether what is computed is a share, a rate or a score, and no amount."""
        target = self.target(node)
        # A share of money is an amount itself: what a bill is divided into.
        parted = (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div) and self._reading.is_money(node)
        )
        return bool(target) and weight_of(target) == 0 and is_share(target, surely=parted)

    def says_amount(self, function: Function) -> bool:
        """Return whether a function's documentation says first that it answers an amount of money."""
        if isinstance(function.node, ast.Lambda) or is_share(function.name) or SHOWN.search(function.name):
            return False
        said = re.split(r"[.\n]", ast.get_docstring(function.node) or "", maxsplit=1)[0]
        amount, other = _AMOUNT_SAID.search(said), _OTHER_SAID.search(said)
        # What is said first is answered: "the price at a rate of interest", and "the share of late payments".
        if amount is not None and _PART_SAID.search(said[: amount.start()]):
            return False
        first = amount is not None and (other is None or amount.start() < other.start())
        return first and self._reading.speaks(function.module, 2)

    def is_told_exact(self, node: ast.expr) -> bool:
        """Return whether `isinstance(node, Decimal)` was asked around an expression."""
        parent = self._program.files.parent(node)
        asked = re.compile(rf"isinstance\({re.escape(ast.unparse(node))}, (?:\w+\.)?Decimal\)")
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            if isinstance(parent, ast.If | ast.IfExp) and asked.search(ast.unparse(parent.test)):
                return True
            parent = self._program.files.parent(parent)
        return False

    def is_shown(self, node: ast.expr) -> bool:
        """Return whether a value only becomes a text for people, here or through one name."""
        around = self._program.function_of(node)
        if around is not None and SHOWN.search(around.name):
            return True
        if self._in_text(node):
            return True
        parent = self._program.files.parent(node)
        if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
            module = self._program.files.module_of(node)
            binding = module.scopes.by_target.get(parent.targets[0])
            loads = module.loads(binding) if binding else []
            return bool(loads) and all(self._in_text(load) for load in loads)
        return False

    def _in_text(self, node: ast.AST) -> bool:
        child, parent = node, self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.FormattedValue):
                return True
            if (
                isinstance(parent, ast.BinOp)
                and isinstance(parent.op, ast.Mod)
                and isinstance(parent.left, ast.Constant)
            ):
                return child is not parent.left and isinstance(parent.left.value, str)
            if isinstance(parent, ast.Call):
                name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
                if (
                    name in ("format", "format_currency", "print", "currency", "format_decimal")
                    and child is not parent.func
                ):
                    return True
                if name not in ("round", "abs", "float"):
                    return False
            child, parent = parent, self._program.files.parent(parent)
        return False

    def only_shown_here(self, node: ast.AST) -> bool:
        """Return whether the function around only shows or draws."""
        around = self._program.function_of(node)
        return around is not None and (bool(SHOWN.search(around.name)) or bool(DRAWN.search(around.name)))

    def is_drawn(self, node: ast.AST) -> bool:
        """Return whether only a chart or a metric gets a value."""
        around = self._program.function_of(node)
        if around is not None and DRAWN.search(around.name):
            return True
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.Call) and DRAWN.search(ast.unparse(parent.func)):
                return True
            parent = self._program.files.parent(parent)
        return False

    def is_part_of_one(self, node: ast.arg | ast.AnnAssign) -> bool:
        """Return whether a default between nothing and one says that a discount, a tax or a tip is a part of money."""
        function = self._program.function_of(node) if isinstance(node, ast.arg) else None
        default = node.value if isinstance(node, ast.AnnAssign) else default_of(function, node) if function else None
        name = node.arg if isinstance(node, ast.arg) else name_of(node.target)
        return (
            isinstance(default, ast.Constant) and may_be_part(name) and is_fraction(default) and 0 < default.value < 1
        )

    def is_beside(self, node: ast.AST, name: str) -> bool:
        """Return whether a field that may be an amount of anything stands beside one that is exact money."""
        owner = self._program.files.parent(node)
        if weight_of(name) == 2 or not isinstance(owner, ast.ClassDef):
            return False
        fields = [f for f in owner.body if isinstance(f, ast.AnnAssign) and f is not node]
        return any(
            weight_of(name_of(f.target)) == 2 and re.search(r"\b(?:int|Decimal|Money)\b", ast.unparse(f.annotation))
            for f in fields
        )

    def is_made_exact(self, node: ast.AST) -> bool:
        """Return whether all that becomes of a parameter is `Decimal(str(it))`: a border where floats end."""
        module = self._program.files.module_of(node)
        binding = module.scopes.by_target.get(node) if isinstance(node, ast.arg) else None
        loads = module.loads(binding) if binding else []
        return bool(loads) and all(
            re.fullmatch(
                rf"(?:\w+\.)?Decimal\((?:str|repr)\({re.escape(load.id)}\)\)",
                ast.unparse(module.parents.get(module.parents.get(load, load), load)),
            )
            for load in loads
        )
