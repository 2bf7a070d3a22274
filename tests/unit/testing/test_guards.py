"""The guards: what escapes fails the test, also when somebody catches it; this machine stays reachable."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sdk_scene import PLAIN

from squads.testing import EscapedCall, ModelServer, only_loopback, without_keys
from squads.testing.guards import is_loopback

ELSEWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737): nobody has it."""


def _udp(send: Callable[[socket.socket], Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        send(plug)


def _tcp(connect: str) -> None:
    with socket.socket() as plug:
        plug.settimeout(0.1)
        getattr(plug, connect)((ELSEWHERE, 443))


ESCAPES: dict[str, Callable[[], Any]] = {
    "connect": lambda: _tcp("connect"),
    "connect_ex": lambda: _tcp("connect_ex"),
    "create_connection": lambda: socket.create_connection((ELSEWHERE, 443), timeout=0.1),
    "sendto": lambda: _udp(lambda plug: plug.sendto(b"x", (ELSEWHERE, 53))),
    "sendto with flags": lambda: _udp(lambda plug: plug.sendto(b"x", 0, (ELSEWHERE, 53))),
    "sendmsg": lambda: _udp(lambda plug: plug.sendmsg([b"x"], [], 0, (ELSEWHERE, 53))),
    "getaddrinfo": lambda: socket.getaddrinfo("models.example", 443),
    "getaddrinfo of bytes": lambda: socket.getaddrinfo(b"models.example", 443),
    "gethostbyname": lambda: socket.gethostbyname("models.example"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("models.example"),
    "gethostbyaddr": lambda: socket.gethostbyaddr(ELSEWHERE),
}


@pytest.mark.parametrize("way", ESCAPES)
def test_no_way_of_the_socket_module_leads_out(way: str) -> None:
    """The error names the host and says what to do instead."""
    with pytest.raises(EscapedCall, match=r"reach '(192\.0\.2\.1|models\.example).*ModelServer"), only_loopback():
        ESCAPES[way]()


def suppress_all(act: Callable[[], Any]) -> None:
    """Do it as a library does that makes the best of every error."""
    with suppress(Exception):
        act()


@pytest.mark.parametrize("way", ESCAPES)
def test_an_escape_that_somebody_caught_still_fails(way: str) -> None:
    """A library that makes an error of its own out of it, or tries again, hides nothing."""
    with pytest.raises(EscapedCall, match="only this machine may be reached"), only_loopback():
        suppress_all(ESCAPES[way])


async def test_the_loop_s_connections_are_held_too() -> None:
    """By name and by address: an address is not resolved, so only the connection can be refused."""
    for host in ("models.example", ELSEWHERE):
        with pytest.raises(EscapedCall, match=host), only_loopback():
            await asyncio.open_connection(host, 443)


async def test_aiohttp_is_held_too() -> None:
    """The openai SDK can be told to use it, and litellm does."""
    import aiohttp

    for host in ("models.example", ELSEWHERE):
        with pytest.raises(EscapedCall, match=host), only_loopback():
            async with aiohttp.ClientSession(trust_env=False) as session:
                await session.get(f"http://{host}/")


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
async def test_httpx_is_held_too(library: str) -> None:
    """The old one and the one that the SDKs use."""
    import httpx
    import httpx2

    for host in ("models.example", ELSEWHERE):
        with pytest.raises(EscapedCall, match=host), only_loopback():
            async with {"httpx": httpx, "httpx2": httpx2}[library].AsyncClient(trust_env=False) as client:
                await client.get(f"https://{host}/")


async def test_a_call_of_a_sdk_that_escapes_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK says it could not connect; the guard says that it should not have tried."""
    import anthropic

    for name in [n for n in os.environ if n.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    with pytest.raises(EscapedCall, match=r"reach 'models\.example:443'") as raised, only_loopback():
        async with anthropic.AsyncAnthropic(api_key="none", base_url="https://models.example", max_retries=0) as client:
            await client.messages.create(model="m", max_tokens=1, messages=[{"role": "user", "content": "x"}])

    assert isinstance(raised.value.__cause__, anthropic.APIConnectionError)


async def test_this_machine_can_be_reached() -> None:
    """The model server by name and by address, with the real SDKs."""
    with only_loopback() as guard:
        async with ModelServer(forms={"plan": {}}) as server:
            assert ("plan", {}) == await PLAIN["chat"](server)
            _, writer = await asyncio.open_connection("localhost", server.port)
            writer.close()
            await writer.wait_closed()

    assert [] == guard.escapes


def test_a_unix_socket_can_be_reached(tmp_path: Path) -> None:
    """It never leaves the machine."""
    with only_loopback(), socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(os.path.relpath(tmp_path / "s"))
        server.listen()

        client.connect(os.path.relpath(tmp_path / "s"))


def test_a_test_of_an_escape_may_forgive_it() -> None:
    """What escaped is listed, and clearing the list ends the matter."""
    with only_loopback() as guard:
        with pytest.raises(EscapedCall):
            socket.getaddrinfo("models.example", 443)
        assert 1 == len(guard.escapes)
        guard.escapes.clear()


def fail_later() -> None:
    """Escape, hide it, and fail for another reason."""
    suppress_all(lambda: socket.getaddrinfo("models.example", 443))
    raise KeyError("later")


def test_an_error_of_the_test_is_not_lost() -> None:
    """It becomes the cause of the escape, which came first."""
    with pytest.raises(EscapedCall) as raised, only_loopback():
        fail_later()

    assert isinstance(raised.value.__cause__, KeyError)


def test_the_guard_leaves_nothing_behind() -> None:
    """What was there before is there again."""
    before = socket.socket.connect, socket.socket.sendto, socket.getaddrinfo
    with only_loopback():
        assert before != (socket.socket.connect, socket.socket.sendto, socket.getaddrinfo)

    assert before == (socket.socket.connect, socket.socket.sendto, socket.getaddrinfo)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        (None, True), ("", True), ("localhost", True), ("LOCALHOST.", True), ("a.localhost", True),
        (b"localhost", True),
        ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("::ffff:127.0.0.1", True), ("0.0.0.0", True),
        ("::", True), ("10.0.0.1", False), ("169.254.169.254", False), ("::ffff:10.0.0.1", False),
        ("fe80::1%lo", False),
        ("localhost.example", False), ("127.0.0.1.example", False), ("mylocalhost", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_this_machine(host: object, here: bool) -> None:
    """By name, by address, mapped into the other family, and nothing that only looks like it."""
    assert here is is_loopback(host)


def test_no_key_is_found_and_every_key_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of what was taken are told, values never."""
    keys = {
        "OPENAI_API_KEY": "a",
        "ANTHROPIC_API_KEY": "b",
        "ANTHROPIC_AUTH_TOKEN": "c",
        "NEW_VENDOR_API_KEY": "d",
    }
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SQUADS_HOME", "stays")

    with without_keys() as taken:
        assert set(keys) <= set(taken)
        assert not set(keys) & set(os.environ)
        assert "stays" == os.environ["SQUADS_HOME"]

    assert keys == {name: os.environ[name] for name in keys}
