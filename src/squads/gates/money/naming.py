"""What names say of the value that they take: a share, a text for people, a chart; and which name takes a value."""

from __future__ import annotations

import ast
import re
from typing import TypeGuard

from squads.gates.secrets.words import words_of

SHOWN = re.compile(
    r"(?i)^(?:format|display|render|humani[sz]e|print|pretty|as_text|to_text|describe|label|show)|_(?:text|label|display|str)$"
)
_SHARES = (
    "rate", "ratio", "percent", "pct", "share", "score", "weight", "margin", "growth", "fraction", "change", "index",
    "progress", "factor", "probab", "utili", "usage", "normal", "relative", "rank", "priority", "similar", "feature",
    "occupancy", "density", "average_rating", "quota", "proportion", "confidence",
)  # fmt: skip
_OR_AMOUNTS = ("share", "change", "margin", "growth")
DRAWN = re.compile(
    r"(?i)plot|chart|(?<![a-z])metrics?(?![a-z])|gauge|histogram|observe|statsd|(?<![a-z])figure|(?<![a-z])ax[ie]s(?![a-z])"
    r"|(?<![a-z])draw|telemetry|dashboard|(?<![a-z])graph|sparkline|svg"
)
WATCHES = re.compile(
    r"(?i)^(?:prometheus|opentelemetry|datadog|statsd|newrelic|sentry|matplotlib|plotly|seaborn|bokeh|altair|structlog|loguru"
    r"|logging)|^(?:log|logger|LOG|_log)\.\w+$"
)
"""Who watches or draws, and books nothing."""

_VERBS = re.compile(r"^_*(?:get|calculate|compute|calc|sum|fetch|load)_")


class _Fraction(ast.Constant):
    value: float


def is_share(name: str, *, surely: bool = False) -> bool:
    """Return whether a name says that it is a share, a rate or a score, and no amount.

    What may as well be somebody's part of an amount, or what is left over, is not `surely` one.
    """
    words = [word for word in words_of(name) if word.startswith(_SHARES)]
    return any(not word.startswith(_OR_AMOUNTS) for word in words) if surely else bool(words)


def told_by(name: str) -> str:
    """Return what a function is named for: `total` of `calculate_total`."""
    return _VERBS.sub("", name)


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


def is_fraction(node: ast.expr) -> TypeGuard[_Fraction]:
    """Return whether an expression is a float, written down."""
    return isinstance(node, ast.Constant) and isinstance(node.value, float)
