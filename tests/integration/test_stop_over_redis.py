"""A stop by another process reaches a runner whose roles are all served elsewhere, and that hears of nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from squads import Approved, Halted, Squad
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.testing.redis_server import RedisServer


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


def squad(store: Path, **more: object) -> Squad:
    return Squad(
        builder=ScriptedBuilder({"a": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        store=store,
        **more,  # type: ignore[arg-type]
    )


async def test_a_run_is_halted_by_a_stop_of_another_process(tmp_path: Path, server: RedisServer) -> None:
    """No worker answers, and no deadline is near: the runner looks by itself whether somebody has set a stop."""
    runner = squad(tmp_path / "s", bus=server.url, hosts=False)
    elsewhere = squad(tmp_path / "s")
    async with runner:
        running = asyncio.create_task(runner.run("It."))
        async with asyncio.timeout(10):
            while len(await (await runner.workspace()).ledger.streams()) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        await elsewhere.stop("wait")

        assert isinstance(await asyncio.wait_for(running, 10), Halted)
