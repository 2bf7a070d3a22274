"""Plots as SVG: rates with intervals, curves, and grids of shares. They know numbers and names, and nothing of squads.

Like the drawings, they are plain shapes and words: no script, no style of their own, colours by class, so that a page's
policy lets them in and they follow light, dark and print. Each is followed by a table that says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from squads.pages.blocks import Tone
from squads.pages.text import shortened, visible

NAME_CHARS_MAX = 40
_LEFT, _PLOT, _RIGHT, _ROW = 300, 420, 70, 24
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Bar(NamedTuple):
    """One rate, between 0 and 1, with its interval."""

    name: str
    value: float | None
    """None: there was nothing to count."""
    low: float = 0.0
    high: float = 1.0
    tone: Tone = "plain"


class Curve(NamedTuple):
    """Points from left to right, both coordinates between 0 and 1."""

    name: str
    points: tuple[tuple[float, float], ...]
    tone: Tone = "plain"


def rates_svg(name: str, title: str, bars: Sequence[Bar]) -> str:
    """Return rates as dots on a line from 0 to 1, each with its interval as a bar."""
    height = 34 + _ROW * len(bars)
    parts = [_axis(height)]
    for row, bar in enumerate(bars):
        y = 16 + _ROW * row
        parts.append(_words(_LEFT - 12, y + 4, bar.name, end=True))
        if bar.value is None:
            parts.append(_words(_LEFT + 6, y + 4, "nothing to count", soft=True))
            continue
        low, high, at = (_x(v) for v in (bar.low, bar.high, bar.value))
        parts.append(
            f'<rect class="bar {bar.tone}" fill-opacity="0.35" x="{low}" y="{y - 4}" '
            f'width="{max(high - low, 1):.1f}" height="8" rx="4"/>'
        )
        parts.append(f'<circle class="mark bar {bar.tone}" cx="{at}" cy="{y}" r="5"/>')
        parts.append(_words(_LEFT + _PLOT + 12, y + 4, f"{bar.value:.3f}"))
    told = "; ".join(f"{b.name}: {'none' if b.value is None else f'{b.value:.3f}'}" for b in bars)
    return _svg(name, _LEFT + _PLOT + _RIGHT, height, title, told, parts)


def curves_svg(name: str, title: str, curves: Sequence[Curve], *, across: str, up: str, across_max: float) -> str:
    """Return curves over `across`, from 0 to `across_max`; `up` runs from 0 to 1."""
    left, top, width, height = 60, 16, 420, 240
    parts = []
    whole = across_max >= len(_TICKS)  # a count has no halves
    for tick in _TICKS:
        y = top + height * (1 - tick)
        parts.append(f'<line class="rule" x1="{left}" y1="{y:.1f}" x2="{left + width}" y2="{y:.1f}"/>')
        parts.append(_words(left - 8, y + 4, f"{tick:.2f}", end=True, soft=True))
        x = left + width * (round(tick * across_max) / across_max if whole else tick)
        parts.append(
            _words(
                x,
                top + height + 18,
                f"{round(tick * across_max) if whole else round(tick * across_max, 4):g}",
                middle=True,
                soft=True,
            )
        )
    for number, curve in enumerate(curves):
        at = [(left + width * x / across_max, top + height * (1 - y)) for x, y in curve.points]
        if len(at) > 1:
            path = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in at)
            parts.append(f'<path class="edge {curve.tone}" d="{path}"/>')
        parts += [f'<circle class="mark bar {curve.tone}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in at]
        if at:
            parts.append(_words(left + width + 14, top + 12 + 20 * number, curve.name))
            parts.append(
                f'<circle class="mark bar {curve.tone}" cx="{left + width + 6}" cy="{top + 8 + 20 * number}" r="4"/>'
            )
    parts.append(_words(left + width / 2, top + height + 38, across, middle=True, soft=True))
    parts.append(_words(left, 10, up, soft=True))
    told = "; ".join(f"{c.name}: " + ", ".join(f"{y:.2f} at {x:.2f}" for x, y in c.points) for c in curves)
    return _svg(name, left + width + 220, top + height + 46, title, told, parts)


def grid_svg(
    name: str, title: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]]
) -> str:
    """Return a grid of shares from 0 to 1, darker for more, each with its number; None is left empty with a dash."""
    cell, high, slant = 56, 24, 150
    parts = []
    for column, label in enumerate(columns):
        x = _LEFT + cell * column + cell / 2
        parts.append(f'<text transform="translate({x:.0f} {slant - 8}) rotate(-50)">{_name(label)}</text>')
    for row, label in enumerate(rows):
        y = slant + high * row
        parts.append(_words(_LEFT - 12, y + 16, label, end=True))
        for column, value in enumerate(values[row]):
            x = _LEFT + cell * column
            if value is not None:
                shade = f"{min(max(value, 0.0), 1.0) * 0.55 + 0.02:.2f}"
                parts.append(
                    f'<rect class="bar" fill-opacity="{shade}" x="{x}" y="{y}" '
                    f'width="{cell - 2}" height="{high - 2}" rx="3"/>'
                )
            shown = "–" if value is None else f"{value:.2f}"
            parts.append(_words(x + cell / 2 - 1, y + 15, shown, middle=True))
    told = f"{len(rows)} rows by {len(columns)} columns; the table below says the same"
    return _svg(name, _LEFT + cell * len(columns) + 90, slant + high * len(rows) + 6, title, told, parts)


def _axis(height: int) -> str:
    parts = []
    for tick in _TICKS:
        x = _x(tick)
        parts.append(f'<line class="rule" x1="{x}" y1="4" x2="{x}" y2="{height - 22}"/>')
        parts.append(_words(float(x), height - 6, f"{tick:.2f}", middle=True, soft=True))
    return "".join(parts)


def _x(value: float) -> float:
    return round(_LEFT + _PLOT * min(max(value, 0.0), 1.0), 1)


def _words(x: float, y: float, text: str, *, end: bool = False, middle: bool = False, soft: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ' text-anchor="middle"' if middle else ""
    kind = ' class="soft"' if soft else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}"{anchor}>{_name(text)}</text>'


def _name(text: str) -> str:
    return escape(visible(shortened(text, NAME_CHARS_MAX)), quote=True)


def _svg(name: str, width: int, height: int, title: str, described: str, parts: Sequence[str]) -> str:
    told = escape(visible(shortened(described, 2_000)), quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{name}-t {name}-d" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<title id="{name}-t">{escape(title, quote=True)}</title><desc id="{name}-d">{told}</desc>'
        f"{''.join(parts)}</svg>"
    )
