"""What keeps a test from running, or from failing, and what merely asks for a machine that can run it."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence


def marks(body: Sequence[ast.stmt]) -> list[ast.AST]:
    """Return what skips a whole module or class: `pytestmark`, `__test__ = False`, `pytest.skip(...)` at the top."""
    found: list[ast.AST] = []
    for node in body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            parts = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            found += [p for p in parts if skips_it(p)]
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__test__" for t in node.targets):
            found += [node.value] if isinstance(node.value, ast.Constant) and not node.value.value else []
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and skips_it(node.value):
            found.append(node.value)
        elif isinstance(node, ast.Raise) and node.exc is not None and "SkipTest" in ast.unparse(node.exc):
            found.append(node)
    return found


def skips_it(node: ast.AST) -> bool:
    """Return whether a mark or a call keeps a test from running, or from failing, on this machine."""
    text = ast.unparse(node)
    if not re.search(r"\bskip|xfail|expectedFailure|SkipTest|\bflaky|skipTest", text):
        return False
    call = node if isinstance(node, ast.Call) else None
    if call is not None and re.search(r"skip_?[iI]f|skipUnless|skipif", ast.unparse(call.func)) and call.args:
        return not asks_machine(call.args[0])
    return True


def asks_machine(condition: ast.AST) -> bool:
    """Return whether a condition asks for something of the machine: a system, a version, a program, a package."""
    text = ast.unparse(condition)
    if re.search(r"environ|getenv", text) and not re.search(
        r"(?i)url|host|port|dsn|key|token|display|home|path|dir|server", re.sub(r"environ|getenv|import", "", text)
    ):
        return False  # a variable that nobody sets, or that only the build sets, asks for nothing
    return bool(
        re.search(
            r"platform|version_info|os\.name|sys\.|which\(|find_spec|HAS_|has_|is None|not [a-z_]+$|hasattr"
            r"|importlib|environ|getenv"
            r"|cpu_count|getuid|geteuid|TYPE_CHECKING|__name__",
            text,
        )
    )
