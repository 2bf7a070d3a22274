"""What a value is for: which name takes it, and whether it is only a share, a text for people, or a chart."""

from __future__ import annotations

import ast
import re

from squads.gates.money.reading import Reading
from squads.gates.money.words import weight_of
from squads.gates.python import Program
from squads.gates.secrets.words import words_of

_SHOWN = re.compile(
    r"(?i)^(?:format|display|render|humani[sz]e|print|pretty|as_text|to_text|describe|label|show)|_(?:text|label|display|str)$"
)
_SHARES = (
    "rate", "ratio", "percent", "pct", "share", "score", "weight", "margin", "growth", "fraction", "change", "index",
    "progress", "factor", "probab", "utili", "usage", "normal", "relative", "rank", "priority", "similar", "feature",
    "occupancy", "density", "average_rating",
)  # fmt: skip
_DRAWN = re.compile(
    r"(?i)plot|chart|metric|gauge|histogram|observe|statsd|figure|axis|axes|draw|telemetry|dashboard|graph|increment"
)
_KEEPS = re.compile(r"(?:^|\.)(?:quantize|normalize|int|round|abs|max|min|Decimal|to_integral_value|str|format)$")


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

    def becomes_money(self, node: ast.expr) -> bool:
        """Return whether money is computed with the name that takes what is made, or it is given back as money."""
        parent = self._program.files.parent(node)
        if not isinstance(parent, ast.Assign) or not isinstance(parent.targets[0], ast.Name):
            return False
        module = self._program.files.module_of(node)
        binding = module.scopes.by_target.get(parent.targets[0])
        for load in module.loads(binding) if binding else ():
            around = module.parents.get(load)
            while isinstance(around, ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Call):
                if isinstance(around, ast.BinOp) and self._reading.is_money(around):
                    return True
                if isinstance(around, ast.Call) and not _KEEPS.search(ast.unparse(around.func)):
                    break
                around = module.parents.get(around)
            if isinstance(around, ast.Return | ast.Assign | ast.keyword | ast.Dict) and self.target_is_money(load):
                return True
        return False

    def is_ratio(self, node: ast.expr) -> bool:
        """Return whether what is computed is a share, a rate or a score, and no amount."""
        target = self.target(node)
        return bool(target) and weight_of(target) == 0 and any(word.startswith(_SHARES) for word in words_of(target))

    def is_shown(self, node: ast.expr) -> bool:
        """Return whether a value only becomes a text for people, here or through one name."""
        around = self._program.function_of(node)
        if around is not None and _SHOWN.search(around.name):
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
        return around is not None and (bool(_SHOWN.search(around.name)) or bool(_DRAWN.search(around.name)))

    def is_drawn(self, node: ast.AST) -> bool:
        """Return whether only a chart or a metric gets a value."""
        around = self._program.function_of(node)
        if around is not None and _DRAWN.search(around.name):
            return True
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.Call) and _DRAWN.search(ast.unparse(parent.func)):
                return True
            parent = self._program.files.parent(parent)
        return False

    @staticmethod
    def is_share(name: str) -> bool:
        """Return whether a name says that it is a share, a rate or a score, and no amount."""
        return any(word.startswith(_SHARES) for word in words_of(name))


def name_of(node: ast.expr) -> str:
    """Return the last word of what is assigned to; empty for what has no name."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
    return ""
