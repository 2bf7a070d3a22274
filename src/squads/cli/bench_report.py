"""`squads bench report` and `squads bench compare`: figures of runs as a page, tables, and logs for other tools."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from squads.bench.compare import Change, Comparison, compare
from squads.bench.figure import plain
from squads.bench.folder import RunFolder
from squads.bench.judged import Results
from squads.bench.results_file import lines_of, read_results
from squads.bench.summary import summary_of
from squads.contracts.errors import InvalidCase, StorageUnavailable

NAMES_SHOWN_MAX = 20


def write_report(results: Results, out: Path, *, inspect: bool, as_json: bool) -> int:
    """Write page, tables and rows into a new folder `out`, and return 0."""
    from squads.bench.inspect_log import inspect_logs
    from squads.bench.tables import figures_csv, rows_csv
    from squads.cli.bench_page import bench_page
    from squads.pages.html_writer import html_of

    summary = summary_of(results)
    written = {
        "report.html": html_of(bench_page(summary)),
        "figures.json": summary.model_dump_json(indent=1) + "\n",
        "figures.csv": figures_csv(summary),
        "verdicts.csv": rows_csv(results),
        "results.jsonl": "".join(f"{line}\n" for line in lines_of(results)),
    }
    if inspect:
        written |= {f"inspect/{name}": text for name, text in inspect_logs(results)}
    try:
        out.mkdir(parents=True)
        for name, text in written.items():
            (out / name).parent.mkdir(exist_ok=True)
            (out / name).write_text(text, "utf-8", newline="\n")
    except FileExistsError:
        raise InvalidCase(f"{out} is there already; a report is never written over, so name another folder") from None
    except OSError as error:
        raise StorageUnavailable(f"cannot write {out}: {error.strerror}; name another folder with --out") from error
    if as_json:
        sys.stdout.write(summary.model_dump_json() + "\n")
    else:
        sys.stdout.write(f"{out / 'report.html'}\n")
    return 0


def results_at(path: Path) -> Results:
    """Return the results of a run, of a report, or in a file."""
    if (path / "run.json").is_file():
        return RunFolder(path).results()
    return read_results(path / "results.jsonl" if path.is_dir() else path)


def print_comparison(first: Results, second: Results, *, as_json: bool) -> int:
    """Print how the second run differs from the first, and return 0."""
    found = compare(first, second)
    if as_json:
        sys.stdout.write(json.dumps(plain(found), ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _told(found))
    return 0


def _told(found: Comparison) -> Iterable[str]:
    yield f"{found.second}, against {found.first}: {found.cases} cases in both, {found.left_out} not compared"
    for change in found.changes:
        yield ""
        yield change.gate + ("" if change.same_prior else "  (another prior)")
        yield from _change(change)
    for where, gates in (("first", found.only_first), ("second", found.only_second)):
        if gates:
            yield ""
            yield f"only in the {where}: {', '.join(gates)}"


def _change(change: Change) -> Iterable[str]:
    from squads.cli.bench_page import moved

    yield f"  caught, points:          {moved(change.catch)}  McNemar p = {change.catch_test.p:.4g}"
    yield f"  right refused, points:   {moved(change.refusals)}  McNemar p = {change.refusals_test.p:.4g}"
    for word, cases in (
        ("caught now", change.caught_more),
        ("no longer caught", change.caught_less),
        ("refused wrongly now", change.refused_more),
        ("no longer refused wrongly", change.refused_less),
    ):
        if cases:
            more = f" and {len(cases) - NAMES_SHOWN_MAX} more" if len(cases) > NAMES_SHOWN_MAX else ""
            yield f"  {word}: {', '.join(cases[:NAMES_SHOWN_MAX])}{more}"
