"""The model server in a process of its own: for benchmarks, and for tests that kill who asks it.

    python -m squads.testing.model_server --port 0 --script FILE

It prints one JSON line with its address, serves until it is interrupted or told to end, and answers
`GET /_server/requests` with what it was asked. `ServerProcess` does all that from Python.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from squads.testing.model_server import ModelServer
from squads.testing.served import ReplyFunction
from squads.testing.served_script import script_from_json


class ServerProcess:
    """A model server in another process, from entering the block to leaving it.

    Args:
        script: A JSON file of replies, or what it would hold; `squads.testing.served_script` describes it.
        reply: `module:function`, imported there: what models without a list are answered with.
        latency_ms: How long every answer waits.
    """

    def __init__(self, script: Path | dict[str, Any] | None = None, *, reply: str = "", latency_ms: int = 0) -> None:
        self.url = ""
        self._script = script
        self._arguments = ["--latency-ms", str(latency_ms), *(["--reply", reply] if reply else [])]
        self._process: subprocess.Popen[str] | None = None

    @property
    def openai_url(self) -> str:
        """The base URL of the openai SDK; `url` is the anthropic SDK's."""
        return f"{self.url}/v1"

    def report(self, *, bodies: bool = True) -> dict[str, Any]:
        """Return what it was asked: asked, answered, repeated, failures, left, bodies."""
        said: dict[str, Any] = self._control("requests" if bodies else "count")
        return said

    def switch(self, **switches: Any) -> None:
        """Set `latency_ms`, `chunk_wait_ms`, `fault` (None ends it), or `next`, a list of faults."""
        self._control("switch", switches)

    def __enter__(self) -> Self:
        inline = isinstance(self._script, dict)
        given = ["--script", "-" if inline else str(self._script)] if self._script is not None else []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "squads.testing.model_server", "--until-input-ends", *given, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if inline:
            self._process.stdin.write(json.dumps(self._script) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self.__exit__(None, None, None)
            raise RuntimeError("the model server's process ended before it served; what it said stands above")
        self.url = json.loads(line)["url"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def _control(self, what: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_server/{what}", data=data)  # noqa: S310
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
            return json.loads(response.read())


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is interrupted, or, when asked so, until standard input ends."""
    reading = argparse.ArgumentParser(prog="python -m squads.testing.model_server", description=__doc__)
    reading.add_argument("--port", type=int, default=0, help="0 takes a free one")
    reading.add_argument("--script", default="", help="a JSON file; - reads one line of standard input")
    reading.add_argument("--reply", default="", help="module:function for models without a list")
    reading.add_argument("--latency-ms", type=int, default=0)
    reading.add_argument("--chunk-wait-ms", type=int, default=0)
    reading.add_argument("--requests-kept", type=int, default=1_000)
    reading.add_argument("--until-input-ends", action="store_true", help="end when whoever started this does")
    given = reading.parse_args(arguments)
    try:
        script = script_from_json(json.loads(_text(given.script))) if given.script else None
    except (OSError, ValueError) as error:
        reading.error(f"--script {given.script}: {error}")
    server = ModelServer(
        script,
        reply=_imported(given.reply) if given.reply else None,
        latency_ms=given.latency_ms,
        chunk_wait_ms=given.chunk_wait_ms,
        port=given.port,
        requests_kept=given.requests_kept,
        strict=False,  # who asks for the report judges it
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(server, until_input_ends=given.until_input_ends))


async def _serve(server: ModelServer, *, until_input_ends: bool) -> None:
    async with server:
        print(json.dumps({"url": server.url, "openai_url": server.openai_url, "port": server.port}), flush=True)
        if until_input_ends:
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
        else:
            await asyncio.Event().wait()


def _text(script: str) -> str:
    return sys.stdin.readline() if script == "-" else Path(script).read_text("utf-8")


def _imported(name: str) -> ReplyFunction:
    module, _, function = name.partition(":")
    found: ReplyFunction = getattr(import_module(module), function)
    return found
