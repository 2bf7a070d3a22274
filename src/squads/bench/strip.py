"""Takes away what would tell a gate which case is the defect, and keeps every line where it was.

From every file alike, without a look at what it says: the comments above its first statement, and a Python module's
docstring. Comments further down stay, because comments that promise a validation elsewhere are part of what a gate has
to see through.
"""

from __future__ import annotations

import ast
import re

_SQL_HEAD = re.compile(r"(?:[ \t]*(?:--[^\n]*)?\n|\s*/\*.*?\*/)*", re.DOTALL)
_PYTHON_COMMENT = re.compile(r"[ \t]*#(?!!)(?![^\n]*coding[:=])[^\n]*")


def stripped(name: str, text: str) -> str:
    """Return a file without its leading comments and its module's docstring; blank lines take their place."""
    if name.endswith(".sql"):
        head = _SQL_HEAD.match(text)
        return _blank(text, head.end() if head else 0)
    if not name.endswith(".py"):
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if _PYTHON_COMMENT.fullmatch(line):
            lines[number] = ""
        elif line.strip() and not line.startswith("#"):
            break
    try:
        first = next(iter(ast.parse("\n".join(lines)).body), None)
    except SyntaxError:  # Python of another version: its gates abstain, and its docstring tells them nothing
        return "\n".join(lines)
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return "\n".join(lines)
    if isinstance(first.value.value, str) and not lines[(first.end_lineno or 1) - 1][first.end_col_offset :].strip():
        lines[first.lineno - 1 : first.end_lineno] = [""] * ((first.end_lineno or 1) - first.lineno + 1)
    return "\n".join(lines)


def _blank(text: str, end: int) -> str:
    return "\n" * text.count("\n", 0, end) + text[end:]
