"""Shapes of what is written out: objects that show their fields, numbers in a message, a few letters of a text."""

from __future__ import annotations

import ast
import re

from squads.gates.python import Class, Program
from squads.gates.secrets.words import reveals

_FEW = 8


def shown_field(program: Program, made_by: Class, *, everything: bool = False) -> str:
    """Return the secret field that the text of an object shows; empty where its class hides it or has none.

    `everything`: the object is taken apart, as `asdict` does, and `repr=False` hides nothing.
    """
    family = program.names.family(made_by)
    if not everything and any({"__repr__", "__str__"} & set(c.methods) for c in family):
        return ""
    bases = [n for c in family for b in c.node.bases for n in program.names.names(b)]
    decorators = " ".join(ast.unparse(d) for c in family for d in c.node.decorator_list)
    shows = re.search(r"dataclass|attr\.s|define|frozen", decorators) and (everything or "repr=False" not in decorators)
    if not shows and not any(re.search(r"BaseModel|BaseSettings|NamedTuple|Struct|TypedDict", n) for n in bases):
        return ""
    for home in family:
        for statement in home.node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                written = ast.unparse(statement.value) if statement.value is not None else ""
                hidden = "exclude=True" in written or ("repr=False" in written and not everything)
                if re.search(r"Secret|bool|int\b", ast.unparse(statement.annotation)) or hidden:
                    continue
                if reveals(statement.target.id):
                    return f"{statement.target.id} of {made_by.node.name}"
    return ""


def numbers_in(values: list[ast.expr]) -> set[int]:
    """Return which arguments of a log call are written as numbers: `%d` shows no text."""
    pattern = values[0].value if values and isinstance(values[0], ast.Constant) else ""
    places = re.findall(r"%[-#0 +]*\d*(?:\.\d+)?([a-zA-Z])", pattern) if isinstance(pattern, str) else []
    return {n for n, kind in enumerate(places, start=1) if kind in "dixXfeg"}


def few(part: ast.Slice) -> bool:
    """Return whether a slice takes only a few letters, from the beginning or the end."""

    def number(node: ast.expr | None) -> int | None:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = number(node.operand)
            return -inner if inner is not None else None
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int) else None

    low, high = number(part.lower), number(part.upper)
    if high is not None and 0 <= high <= _FEW:
        return True
    return part.upper is None and low is not None and -_FEW <= low < 0


def cleaned(program: Program, node: ast.Name) -> bool:
    """Return whether what is secret in a dict is taken out of it, or written over, before it is shown."""
    around = program.function_of(node)
    text = ast.unparse(around.node) if around is not None else ""
    name = re.escape(node.id)
    gone = rf"\b{name}\.pop\('([\w-]+)'|del {name}\['([\w-]+)'\]|\b{name}\['([\w-]+)'\] = '"
    return any(reveals(w) or w.lower() in ("authorization", "cookie") for m in re.findall(gone, text) for w in m if w)


def keys_only(program: Program, call: ast.Call) -> bool:
    """Return whether a call goes through a dict, which gives its keys and nothing more."""
    named = [a for a in call.args if isinstance(a, ast.Name | ast.Attribute)]
    boxes = [b.value for a in named for b in program.values.all_bindings(a)]
    return bool(boxes) and all(isinstance(b, ast.Dict | ast.DictComp) for b in boxes)
