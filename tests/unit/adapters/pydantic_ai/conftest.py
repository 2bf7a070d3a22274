"""What every test of the wire runs with: no key of its user, and a server of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from little_server import Little, point

KEYS = ("OPENAI", "ANTHROPIC", "LITELLM_A", "GROQ", "GOOGLE", "GEMINI", "AZURE", "OLLAMA", "VLLM", "DEEPSEEK")


@pytest.fixture
async def little(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Little]:
    """A running server that every SDK is pointed at by its own variables."""
    server = Little()
    running = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    point(monkeypatch.setenv, server.url)
    yield server
    await server.close(running)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the keys or the servers of whoever runs it."""
    for name in list(os.environ):
        if name.startswith(KEYS):
            monkeypatch.delenv(name)
