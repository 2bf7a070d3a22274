"""`squads bench check`: whether the rows of a run follow from its receipts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.text import Text

from squads.bench.checking import check_run
from squads.cli import show
from squads.cli.verify import MARKS


def check_bench(run: Path, *, as_json: bool) -> int:
    """Print every check of a run, and return 0 where nothing failed and every row could be derived, else 2."""
    found = check_run(run)
    if as_json:
        sys.stdout.write(json.dumps({**found.model_dump(mode="json"), "exit_code": found.exit_code}) + "\n")
        return found.exit_code
    out = show.console()
    out.print(Text(f"Run {show.one_line(found.run)}", style="bold"))
    width = max(len(r.check) for r in found.results) + 1
    for result in found.results:
        mark, colour = MARKS[result.state]
        shown = "not checked: " if result.state == "unchecked" else ""
        message = show.one_line(result.message)
        out.print(Text.assemble((f"  {mark} ", f"bold {colour}"), f"{result.check:<{width}}", (shown, colour), message))
    if found.failed:
        out.print(Text(f"Broken: {show.one_line(found.failed[0].message)}", style="bold red"))
    elif found.exit_code:
        out.print(Text("Not all of it could be checked.", style="bold yellow"))
    else:
        out.print(Text(f"Checked: {found.rows:,} rows follow from the receipts", style="bold green"))
    return found.exit_code
