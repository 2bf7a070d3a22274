"""Draws how each cost grows with the ledger: two small SVG files beside the page, equal for equal figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

COSTS = "ledger-costs.svg"
MEMORY = "ledger-memory.svg"
LINES = {
    "single": "append one, durable",
    "batch_1000": "append in batches of 1,000",
    "verify": "verify, without signatures",
    "signatures": "verify, with signatures",
    "prove": "make a proof, 100 a call",
    "prove_one": "make a proof, one a call",
    "check": "check a proof",
    "replay": "replay",
}
MEMORY_LINES = {
    "fill": "append in batches",
    "verify": "verify, without signatures",
    "signatures": "verify, with signatures",
    "prove": "make and check proofs",
    "replay": "replay",
}
MARKERS = "osD^v<>P"


def draw(figures: Mapping[int, Mapping[str, Any]], folder: Path) -> None:
    """Write both drawings into `folder`."""
    sizes = list(figures)
    costs = {
        label: [1e6 / found[key]["per_s"] if key in found else None for found in figures.values()]
        for key, label in LINES.items()
    }
    drawn(sizes, costs, "microseconds for one receipt", folder / COSTS, log=True)
    grown = {
        label: [_grown(found["memory_mib"].get(phase)) for found in figures.values()]
        for phase, label in MEMORY_LINES.items()
    }
    drawn(sizes, grown, "MiB beyond an idle process, at most", folder / MEMORY, log=False)


def _grown(memory: Mapping[str, float] | None) -> float | None:
    return None if memory is None else memory["peak"] - memory["at_start"]


def drawn(sizes: list[int], lines: Mapping[str, list[float | None]], unit: str, path: Path, *, log: bool) -> None:
    """Draw one line for each cost over the ledger's size."""
    import matplotlib

    matplotlib.use("svg")
    # Text stays text in the reader's own font, and ids and dates do not change from run to run.
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "squads", "font.family": "sans-serif"}
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 4.2), layout="constrained")
    for marker, (label, values) in zip(MARKERS, lines.items(), strict=False):
        known = [(size, value) for size, value in zip(sizes, values, strict=True) if value is not None]
        if known:
            axes.plot(*zip(*known, strict=True), marker=marker, markersize=5, linewidth=1.2, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log" if log else "linear")
    if not log:
        axes.set_ylim(bottom=0)
    axes.set_xlabel("receipts in the ledger")
    axes.set_ylabel(unit)
    axes.grid(visible=True, which="major", linewidth=0.4)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
