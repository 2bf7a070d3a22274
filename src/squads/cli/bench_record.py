"""`squads bench record`: what a run measured of its gates becomes signed receipts of a project's workspace."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from squads.bench.calibration import record
from squads.cli import show
from squads.cli.gate import default_store
from squads.contracts.records import CalibrationRecord
from squads.desk import Desk
from squads.key_events import opened
from squads.stores import Place


def record_bench(
    run: Path, *, gates: Sequence[str], person: str | None, root: Path | None, store: Place | None, as_json: bool
) -> int:
    """Record the gates of a run, print each record, and return 0."""

    async def write() -> list[CalibrationRecord]:
        async with Desk.open(store or default_store(), root=root) as desk:
            await opened(desk.workspace)
            return await record(run, desk.workspace, gates=gates, person=person)

    found = asyncio.run(write())
    if as_json:
        sys.stdout.write(json.dumps({"records": [r.model_dump(mode="json") for r in found], "exit_code": 0}) + "\n")
        return 0
    out = show.console()
    for each in found:
        held = [rate for rate in each.rates if rate.held]
        caught, defects = sum(r.caught for r in held), sum(r.defects for r in held)
        refused, clean = sum(r.refused for r in each.rates), sum(r.clean for r in each.rates)
        out.print(
            Text.assemble(
                (show.one_line(each.gate), "bold"),
                f": {caught} of {defects} defects for the right reason, {refused} of {clean} refused wrongly; "
                f"prior {each.prior[:16]}",
            )
        )
    out.print(Text("Demand it: squads policy set --catch-min 0.9 --false-refusals-max 0.02", style="dim"))
    return 0
