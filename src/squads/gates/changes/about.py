"""What a part of code says, and what it is about: the key, the argument, the call, the target that it stands for."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from squads.gates.changes.concepts import words_of

# What a piece of code is about, where its words do not say so.
_ASPECTS = (
    (r"sorted|sort|reversed|reverse|order_by|sort_values|nlargest|nsmallest|orderby", "order"),
    (r"strftime|isoformat|strptime|fromisoformat", "date"),
    (r"strftime|isoformat|strptime|format|zfill|ljust|rjust|center|title|capitalize|upper|lower", "format"),
    (r"round|quantize|ceil|floor|trunc|ROUND_\w+|as_integer_ratio", "round"),
    (r"raise|except|Exception|\w+Error", "error"),
    (r"print|echo|write|secho", "output"),
    (r"log|logger|logging|info|debug|warning", "log"),
    (r"status_code|status", "status"),
)


def context(kind: str, up: tuple[ast.AST, ...], told: bool) -> set[str]:
    """Return the words of what a part stands for: the nearest key or argument, what it is compared with, its target."""
    found: set[str] = set()
    called = ""
    for node in reversed(up):
        match node:
            case ast.keyword() if node.arg:
                outer = next((n for n in reversed(up) if isinstance(n, ast.Call)), None)
                word = ast.unparse(outer.func).rsplit(".", 1)[-1] if outer is not None else ""
                return found | {node.arg} | _aspects([called, word])
            case ast.Call() if not called:
                called = ast.unparse(node.func).rsplit(".", 1)[-1]
            case ast.JoinedStr():
                found.add("format")
            case ast.Compare():
                found |= set(tokens(node))
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                found |= set(tokens(node.targets[0] if isinstance(node, ast.Assign) else node.target))
        if isinstance(node, ast.stmt):
            break
    return found | ({called} if kind in ("value", "other") and not told else _aspects([called]))


def slot_of(chain: Sequence[ast.AST], *, calls: bool = True) -> tuple[int, ...] | None:
    """Return where the smallest whole is that the last of a chain of parts stands in; None where there is none."""
    for at in range(len(chain) - 1, 0, -1):
        node: Any = chain[at]
        inner = isinstance(node, ast.FormattedValue) or isinstance(
            chain[at - 1], ast.Dict | ast.List | ast.Tuple | ast.Set | ast.keyword
        )
        if (inner or isinstance(node, ast.stmt) or (calls and isinstance(node, ast.Call))) and hasattr(node, "lineno"):
            told = ast.unparse(node.value)[:40] if isinstance(node, ast.FormattedValue) else ""
            return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0, *map(ord, told)
    return None


def called_near(chain: Sequence[ast.AST]) -> frozenset[str]:
    """Return the names of what is called in the statement, or in its head, that the last of a chain stands in."""
    node = next((n for n in reversed(chain) if isinstance(n, ast.stmt)), None)
    if node is None or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset()
    heads = [v for f in ("test", "iter", "items", "subject") for v in [getattr(node, f, None)] if v is not None]
    parts = heads if isinstance(getattr(node, "body", None), list) else [node]
    flat = [p for part in parts for p in (part if isinstance(part, list) else [part])]
    calls = (n for p in flat for n in ast.walk(p) if isinstance(n, ast.Call))
    return frozenset(ast.unparse(n.func).rsplit(".", 1)[-1] for n in calls)


def said_by(words: Sequence[str] | set[str]) -> frozenset[str]:
    """Return the roots of words, with what some of them are about."""
    return words_of(" ".join([*words, *_aspects(words)]))


def _aspects(words: Sequence[str] | set[str]) -> set[str]:
    return {name for pattern, name in _ASPECTS if any(re.fullmatch(pattern, w) for w in words)}


def tokens(node: ast.AST | None) -> Counter[str]:
    """Return the names, texts and numbers of a tree."""
    found: Counter[str] = Counter()
    for part in ast.walk(node) if node is not None else ():
        match part:
            case ast.Name():
                found[part.id] += 1
            case ast.Attribute():
                found[part.attr] += 1
            case ast.arg():
                found[part.arg] += 1
            case ast.keyword() if part.arg:
                found[part.arg] += 1
            case ast.Constant():
                for word in re.findall(r"\w+", str(part.value)[:400]):
                    found[word] += 1
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found[part.name] += 1
            case ast.Raise() | ast.Try():
                found["raise"] += 1
    return found
