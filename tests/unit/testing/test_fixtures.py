"""The fixtures as a user's test suite meets them, and what importing them needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUITE = """
import asyncio, socket
import anthropic, pytest


def _ask(**options):
    async def ask():
        async with anthropic.AsyncAnthropic(api_key="none", max_retries=0, **options) as client:
            asked = await client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])
            return asked.content[0].text
    return asyncio.run(ask())


def test_server(model_server, no_network, no_keys):
    assert "Yes." == _ask(base_url=model_server({"m": ["Yes."]}).url)


def test_unused(model_server):
    model_server({"m": ["Yes."]})


def test_escape(no_network):
    with pytest.raises(anthropic.APIConnectionError):
        _ask(base_url="http://192.0.2.1")


def test_wire(wire):
    wire.post(path="/v1/messages").respond(500, json={})
    with pytest.raises(anthropic.InternalServerError):
        _ask(http_client=wire.client())


def test_stray(wire):
    with pytest.raises(anthropic.APIConnectionError):
        _ask(http_client=wire.client())


def test_nothing_happens_to_a_test_that_does_not_ask():
    assert "connect" not in vars(socket.socket)
"""


def test_the_fixtures_fail_exactly_the_tests_that_they_should(tmp_path: Path) -> None:
    """A reply left over, a call that escaped and a request without a route fail, though the test caught the error."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["squads.testing.fixtures"]\n', "utf-8")
    (tmp_path / "test_suite.py").write_text(SUITE, "utf-8")
    done = _python(tmp_path, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist")

    assert 1 == done.returncode
    for name in ("server", "wire", "unused", "escape", "stray", "nothing_happens_to_a_test_that_does_not_ask"):
        assert f"PASSED test_suite.py::test_{name}" in done.stdout
    for name, why in {"unused": "UnusedReplies", "escape": "EscapedCall", "stray": "AssertionError"}.items():
        assert f"ERROR test_suite.py::test_{name} - " in done.stdout
        assert why in done.stdout
    assert "6 passed, 3 errors" in done.stdout


def test_the_kit_needs_no_vendor_and_no_test_tool_until_it_is_used(tmp_path: Path) -> None:
    """Naming everything but the fixtures imports neither SDKs, nor pytest, nor respx, nor any httpx."""
    heavy = "openai anthropic pydantic_ai litellm pytest respx httpx httpx2 aiohttp"
    program = (
        "import sys, squads.testing as t\n"
        "for name in ('ModelServer', 'ServerProcess', 'Wire', 'only_loopback', 'Fault'): getattr(t, name)\n"
        f"print([m for m in '{heavy}'.split() if m in sys.modules])"
    )

    assert "[]\n" == _python(tmp_path, "-c", program).stdout


def _python(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
