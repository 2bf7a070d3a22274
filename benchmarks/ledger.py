"""The ledger beside what it is made of: raw fdatasync, bare SQLite, Ed25519 alone and hashlib, as it grows.

A ledger of each size is filled, and everything is measured on it; every phase is a process of its own, and takes the
raw thing in turn with ours. A ratio is of rates, ours to the raw one. `--page` also draws how each cost grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from common import report
from ledger_phases import OF_A_STORE, PHASES
from ledger_stores import URL
from ledger_tables import page_with, tables_of

STATUS = Path("/proc/self/status")


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    reading.add_argument("--rounds", type=int, default=50, help="what repeated measurements are medians of, times ten")
    reading.add_argument("--phases", nargs="+", choices=tuple(PHASES), default=tuple(PHASES))
    reading.add_argument("--folder", type=Path, help="where ledgers are made; on the disk that matters")
    reading.add_argument("--postgres", action="store_true", help="also on PostgreSQL, on a server of its own")
    reading.add_argument("--quick", action="store_true", help="the smallest numbers, which say that it works")
    reading.add_argument("--page", type=Path, help="write tables and drawings into this page's place")
    reading.add_argument("--table", action="store_true", help="print the tables instead of one JSON line a size")
    reading.add_argument("--phase", choices=tuple(PHASES), help=argparse.SUPPRESS)
    asked = reading.parse_args(given)
    if asked.quick:
        asked.sizes, asked.rounds = [400], 3
    return asked


def main(given: Sequence[str] | None = None) -> None:
    """Measure, and print or write."""
    asked = arguments(given)
    if asked.phase:
        print(json.dumps(one_phase(asked.phase, asked.folder, asked.sizes[0], asked.rounds)))
        return
    with tempfile.TemporaryDirectory(prefix="squads-ledger-", dir=asked.folder) as made:
        figures = {size: of_size(asked, Path(made, str(size)), size, "") for size in asked.sizes}
        if asked.postgres:
            for size, url in zip(asked.sizes, schemas(), strict=False):
                figures[size]["postgres"] = of_size(asked, Path(made, f"{size}-postgres"), size, url)
    versions = {"sqlite": sqlite3.sqlite_version, "cryptography": version("cryptography")}
    text = tables_of(figures, versions, asked.rounds)
    if asked.page:
        from ledger_plots import draw

        asked.page.write_text(page_with(asked.page.read_text("utf-8"), text), "utf-8")
        draw(figures, asked.page.parent)
    if asked.table:
        print(text)
    else:
        for size, found in figures.items():
            report("ledger", size=size, rounds=asked.rounds, versions=versions, **found)


def schemas() -> Iterator[str]:
    """Yield the URLs of empty schemas on a server that keeps what it acknowledges, while they are asked for."""
    from squads.testing.postgres_server import PostgresServer

    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    with PostgresServer(own=True, config=durable) as server:
        while True:
            yield server.fresh_url("ledger")


def of_size(asked: argparse.Namespace, place: Path, size: int, url: str) -> dict[str, Any]:
    """Return the figures of a ledger of `size` entries, which is gone afterwards."""
    place.mkdir()
    if url:
        (place / URL).write_text(url, "utf-8")
    found: dict[str, Any] = {"memory_mib": {}}
    for phase in OF_A_STORE if url else PHASES:
        if phase in asked.phases or phase == "fill":
            command = [sys.executable, __file__, "--phase", phase, "--folder", str(place)]
            command += ["--sizes", str(size), "--rounds", str(asked.rounds)]
            ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            told = json.loads(ended.stdout)
            found["memory_mib"][phase] = told.pop("memory_mib")
            found |= told
    shutil.rmtree(place)
    return found


def one_phase(phase: str, folder: Path, size: int, rounds: int) -> dict[str, Any]:
    """Return the figures of one phase, and by how much this process's memory grew at most beyond its beginning."""
    before = peak_mib()
    found = asyncio.run(PHASES[phase](folder, size, rounds))
    return rounded(found) | {"memory_mib": {"at_start": round(before, 1), "peak": round(peak_mib(), 1)}}


def peak_mib() -> float:
    """Return the most memory that was ever resident in this process.

    `getrusage` would also tell of the process that began this one.
    """
    line = next(line for line in STATUS.read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def rounded(figures: Any) -> Any:
    """Return figures with as many digits as they are worth."""
    if isinstance(figures, dict):
        return {key: rounded(value) for key, value in figures.items()}
    if not isinstance(figures, float):
        return figures
    return round(figures) if abs(figures) >= 100 else round(figures, 3 if abs(figures) < 10 else 1)


if __name__ == "__main__":
    main()
