"""What a change does to one Python file: which functions, signatures, defaults and constants are different."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from squads.gates.changes.names import put
from squads.gates.check import CannotLook
from squads.gates.python.source import long_number

_Functions = ast.FunctionDef | ast.AsyncFunctionDef
_MUTATES_WORDS = (
    "update setdefault append appendleft add extend insert clear pop popitem remove discard sort reverse "
    "__setitem__ __delitem__"
)
_MUTATES = frozenset(_MUTATES_WORDS.split())


class Piece:
    """One definition of a file; what it says is written out when somebody asks, as most of a file is as it was."""

    def __init__(self, name: str, node: ast.AST, source: str, text: str | None = None, head: str = "") -> None:
        self.name = name
        """Its name with its class: `Cart.total`."""
        self.node = node
        self.source = source
        """Its lines, decorators included."""
        self._text = text
        self._head = head

    @cached_property
    def text(self) -> str:
        """What it does, however it is written."""
        return _bare(self.node) if isinstance(self.node, _Functions) and self._text is None else self._text or ""

    @cached_property
    def signature(self) -> str:
        """The arguments of a function; the bases and decorators of a class."""
        if not isinstance(self.node, _Functions):
            return self._head
        waits = "async " * isinstance(self.node, ast.AsyncFunctionDef)
        return f"{waits}{ast.unparse(_untyped(self.node.args))} -> "

    @cached_property
    def defaults(self) -> str:
        """The defaults of a function's arguments."""
        if not isinstance(self.node, _Functions):
            return ""
        given = self.node.args
        return " ".join(ast.unparse(d) for d in (*given.defaults, *(d for d in given.kw_defaults if d)))

    @cached_property
    def decorators(self) -> str:
        """The decorators of a function."""
        return " ".join(ast.unparse(d) for d in self.node.decorator_list) if isinstance(self.node, _Functions) else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One definition that a change makes different."""

    name: str
    kind: str
    """`changed`, `removed` or `added`."""
    line: int
    end_line: int
    old: Piece | None
    new: Piece | None

    @property
    def public(self) -> bool:
        """Whether others may use it by its name."""
        return not any(part.startswith("_") and not part.startswith("__") for part in self.name.split("."))


@lru_cache(maxsize=1_024)
def pieces(text: str) -> Mapping[str, Piece]:
    """Return the definitions of a file by name; empty for what does not parse. A change asks this often of one text."""
    tree = tree_of(text)
    return {p.name: p for p in _pieces(tree.body, "", {}, text.split("\n"))} if tree is not None else {}


@lru_cache(maxsize=16)
def tree_of(text: str) -> ast.Module | None:
    """Return a text's tree; None for what does not parse. What looks at one file asks for it in a row."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    line = long_number(text, tree)
    if line:
        raise CannotLook(f"line {line} of a Python file holds a whole number that is too long to be read; shorten it")
    return tree


def _pieces(body: list[ast.stmt], owner: str, names: dict[str, ast.expr], lines: list[str]) -> Iterator[Piece]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                yield Piece(f"{owner}{node.name}", node, "\n".join(lines[first - 1 : node.end_lineno]))
            case ast.ClassDef():
                head = " ".join(ast.unparse(b) for b in [*node.bases, *node.decorator_list])
                yield Piece(f"{owner}{node.name}", node, "", f"class {node.name} {head}", head)
                yield from _pieces(node.body, f"{owner}{node.name}.", names, lines)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    yield Piece(f"{owner}{ast.unparse(target)}", node, "", _said(target, node, names))
                    if (
                        not owner
                        and node.value is not None
                        and isinstance(node.value, ast.List | ast.Tuple | ast.Constant)
                    ):
                        names[ast.unparse(target)] = node.value
            case ast.If() | ast.Try() | ast.With():
                yield from _pieces(node.body, owner, names, lines)


def _bare(node: _Functions) -> str:
    """Return a function without its docstring: saying it better changes nothing."""
    own = copy.deepcopy(node)
    own.args, own.returns = _untyped(own.args), None
    if ast.get_docstring(own, clean=False) is not None:
        own.body = own.body[1:] or [ast.Pass()]
    for outer in ast.walk(own):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(outer, field, None)
            for at, inner in enumerate(block if isinstance(block, list) else ()):
                if isinstance(inner, ast.AnnAssign) and inner.value is not None and isinstance(block, list):
                    block[at] = ast.copy_location(ast.Assign([inner.target], inner.value), inner)
    return ast.unparse(own)


def _untyped(arguments: ast.arguments) -> ast.arguments:
    """Return the arguments without their types: saying those changes nothing."""
    own = copy.deepcopy(arguments)
    for argument in ast.walk(own):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return own


def _said(target: ast.expr, node: ast.Assign | ast.AnnAssign | ast.AugAssign, names: dict[str, ast.expr]) -> str:
    """Return what an assignment says, however its value is written."""
    if node.value is None:
        return ast.unparse(node)
    sign = "+=" if isinstance(node, ast.AugAssign) else "="
    return f"{ast.unparse(target)} {sign} {folded(node.value, names)}"


def folded(node: ast.expr, names: Mapping[str, ast.expr] | None = None) -> str:
    """Return a value in one way of writing: `60 * 60` is `3600`, and `(60 * 60)` too."""
    whole = put(node, names or {})
    try:
        value = ast.literal_eval(whole)
    except (ValueError, TypeError, SyntaxError):
        return ast.unparse(whole)
    if isinstance(value, set | frozenset):
        return repr(sorted(map(repr, value)))
    return repr(float(value)) if type(value) in (int, float) and abs(value) < 2**53 else repr(value)


def differences(old: str, new: str) -> list[Difference]:
    """Return the definitions that differ between two texts of one file."""
    before, after = pieces(old), pieces(new)
    found = []
    for name, piece in after.items():
        was = before.get(name)
        if was is None or (not (was.source and was.source == piece.source) and was.text != piece.text):
            line, end = getattr(piece.node, "lineno", 1), getattr(piece.node, "end_lineno", 1)
            if was is not None:
                line, end = _inside(old, new, was, piece, line, end)
            found.append(Difference(name, "added" if was is None else "changed", line, end, was, piece))
    for name, piece in before.items():
        if name not in after:
            found.append(Difference(name, "removed", 0, 0, piece, None))
    return found


def _inside(old: str, new: str, was: Piece, now: Piece, first: int, last: int) -> tuple[int, int]:
    """Return the lines of a definition that differ, in the new text."""
    from squads.gates.changes.lines import changed

    def lines(text: str, node: ast.AST) -> list[str]:
        return text.split("\n")[getattr(node, "lineno", 1) - 1 : getattr(node, "end_lineno", 1)]

    hunks = changed(lines(old, was.node), lines(new, now.node))
    if not hunks:
        return first, last
    start = first + max(0, hunks[0][2] - 1)
    return min(start, last), min(max(start, first + max(0, hunks[-1][3] - 1)), last)


def assigned_elsewhere(old: str, new: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, module or class, attribute) of assignments to attributes of imported things that are new."""
    known = {line.strip() for line in old.split("\n")}
    tree = tree_of(new)
    if tree is None:
        return
    lines = new.split("\n")
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {(a.asname or a.name.split(".")[0]): a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {(a.asname or a.name): f"{node.module or ''}.{a.name}" for a in node.names}
    for node in ast.walk(tree):
        for owner, name in _set_by(node):
            dotted = ast.unparse(owner)
            root = dotted.split(".")[0]
            if root not in imported or lines[getattr(node, "lineno", 1) - 1].strip() in known:
                continue
            whole = re.sub(rf"^{re.escape(root)}(?=\.|$)", imported[root], dotted)
            yield getattr(node, "lineno", 1), whole, name


def _set_by(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Yield (whose, which attribute) for everything that a statement sets in something else."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
        targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
        flat = [e for t in targets for e in (t.elts if isinstance(t, ast.Tuple | ast.List) else [t])]
        for target in flat:
            inner = target
            while isinstance(inner, ast.Subscript):
                inner = inner.value
            if isinstance(inner, ast.Attribute):
                yield inner.value, inner.attr
            elif isinstance(inner, ast.Name) and (inner is not target or isinstance(node, ast.AugAssign)):
                yield inner, ""
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ("setattr", "delattr") and len(node.args) >= 2:
            yield node.args[0], ast.unparse(node.args[1]).strip("'\"")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in _MUTATES or node.func.attr.endswith("_update"):
            yield node.func.value, node.func.attr
        elif node.func.attr == "setattr" and len(node.args) > 2:
            yield node.args[0], ast.unparse(node.args[1]).strip("'\"")
