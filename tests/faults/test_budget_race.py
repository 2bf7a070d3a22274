"""Several programs on one store cannot pass the workspace's budget together."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from budget_child import Waiting, squad

import quick_start
from squads.audit import audit
from squads.kernel.budget import Spend

PYTHON = quick_start.python()
CHILD = Path(__file__).with_name("budget_child.py")


async def test_four_programs_with_eight_packets_cannot_pass_a_limit_of_three(tmp_path: Path) -> None:
    """Three are let in and compose, five end at once; the account ends at what the three have spent."""
    store = tmp_path / "s"
    async with squad(store, Waiting()) as founder:
        ledger = (await founder.workspace()).ledger
        ended: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def listen(process: Process) -> None:
            assert process.stdout is not None
            async for line in process.stdout:
                ended.put_nowait(json.loads(line))

        started = [
            await asyncio.create_subprocess_exec(PYTHON, str(CHILD), str(store), "2", stdin=PIPE, stdout=PIPE)
            for _ in range(4)
        ]
        listening = [asyncio.create_task(listen(process)) for process in started]
        async with asyncio.timeout(90):
            refused = [await ended.get() for _ in range(5)]
            held = await ledger.balance("ever")
            for process in started:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
                process.stdin.close()
            await asyncio.gather(*listening)
            codes = [await process.wait() for process in started]
        composed = [ended.get_nowait() for _ in range(3)]
        spent = await ledger.balance("ever")

    assert [0] * 4 == codes
    assert [{"kind": "not-composed", "reason": "budget-spent", "tokens": 0}] * 5 == refused
    assert [{"kind": "composed", "reason": "", "tokens": 2}] * 3 == composed
    assert (Spend(tokens_reserved=30), Spend(tokens=6, calls=3)) == (held, spent)
    report = audit(store)
    assert report.failed == ()
    assert {r.check: r.state for r in report.results}["budget"] == "passed"
