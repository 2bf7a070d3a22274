"""`squads policy`: what the workspace demands of keys and receipts, as its root has said it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.text import Text

from squads.cli import show
from squads.cli.gate import default_store
from squads.cli.readable import line
from squads.contracts.errors import InvalidInput
from squads.contracts.records import PolicyRecord
from squads.desk import Desk
from squads.key_events import anchored, opened
from squads.stores import Place

_SAID = {
    "gate_custody": "the weakest custody of a gate's key whose verdict counts",
    "end_level": "how far a composition's receipts have come before anybody is told",
    "refusal_level": "how far a refusal has come before its author is told",
    "catch_ppm_min": "the defects that a gate's record says it catches, in a million",
    "false_refusals_ppm_max": "what is right that it may refuse, in a million",
}


def show_policy(store: Place | None, *, as_json: bool) -> int:
    """Print what is in force, and return 0."""

    async def read() -> PolicyRecord:
        async with Desk.open(store or default_store()) as desk:
            await opened(desk.workspace)
            return desk.workspace.policy

    _print(asyncio.run(read()), as_json=as_json)
    return 0


def change_policy(
    wanted: Mapping[str, str | int | None], *, root: Path | None, store: Place | None, as_json: bool
) -> int:
    """Have the root say what is wanted, print what is in force then, and return 0."""
    said: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if not said:
        raise InvalidInput(
            "say what to demand: --gate-custody, --end-level, --refusal-level, --catch-min or --false-refusals-max"
        )
    for name, value in said.items():
        try:
            PolicyRecord(workspace="0" * 32, **{name: value})
        except ValidationError:
            known = PolicyRecord.model_fields[name].annotation
            options = ", ".join(map(str, getattr(known, "__args__", ()))) or "0 to 1,000,000"
            raise InvalidInput(
                f"{value!r:.40} is nothing that --{name.replace('_', '-')} can demand; it is one of {options}"
            ) from None

    async def change() -> tuple[PolicyRecord, bool]:
        async with Desk.open(store or default_store(), root=root) as desk:
            await opened(desk.workspace)
            policy = await desk.workspace.set_policy(**said)
            await anchored(desk.workspace, desk.workspace.view.index)
            return policy, bool(desk.workspace.anchoring.anchors)

    policy, has_anchor = asyncio.run(change())
    _print(policy, as_json=as_json)
    if not as_json and not has_anchor and "anchored" in (policy.end_level, policy.refusal_level):
        words = "there is no anchor yet, so whoever waits for one waits in vain: `squads anchors add URL`"
        line(show.console(), ("! ", "bold yellow"), words)
    return 0


def _print(policy: PolicyRecord, *, as_json: bool) -> None:
    values = {name: getattr(policy, name) for name in _SAID}
    if as_json:
        sys.stdout.write(json.dumps({"workspace": policy.workspace, "policy": values, "exit_code": 0}) + "\n")
        return
    out = show.console()
    out.print(Text("Policy", style="bold"))
    for name, value in values.items():
        line(out, f"{name:<22} ", (f"{value:<12}", "bold"), f" {_SAID[name]}")
