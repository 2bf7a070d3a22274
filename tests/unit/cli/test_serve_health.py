"""`squads serve --health`: that it lives, and how far its anchors are behind."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from squads import Approved, Squad
from squads.adapters.health_server import HealthServer
from squads.adapters.memory_anchor import MemoryAnchor
from squads.cli.serve import _serve
from squads.testing import ScriptedBuilder, ScriptedGate


async def page(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
    text = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return text


async def test_the_lag_of_anchors_is_served_while_a_squad_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """And ends with it."""
    started: asyncio.Queue[HealthServer] = asyncio.Queue()
    start = HealthServer.start

    async def told(self: HealthServer) -> None:
        await start(self)
        started.put_nowait(self)

    monkeypatch.setattr(HealthServer, "start", told)
    squad = Squad(
        builder=ScriptedBuilder(prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        anchors=[MemoryAnchor("worm")],
    )
    serving = asyncio.create_task(_serve(squad, "0"))
    async with asyncio.timeout(20):
        port = (await started.get()).port
        metrics, live = await page(port, "/metrics"), await page(port, "/live")
        os.kill(os.getpid(), signal.SIGTERM)
        await serving

    assert 'squads_anchor_lag_entries{anchor="worm"}' in metrics
    assert "200 OK" in live
    with pytest.raises(OSError):
        await page(port, "/live")
