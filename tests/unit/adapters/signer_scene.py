"""What a signer daemon is asked, and a daemon on a stage."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from squads.adapters.signer_client import DaemonSigner
from squads.adapters.signer_daemon import SignerDaemon
from squads.adapters.signer_rules import AllowList, Peer
from squads.adapters.signer_wire import base64_of, frame
from squads.contracts.finding import FindingCounts
from squads.contracts.records import VerdictRecord
from squads.ledger.statement import PAYLOAD_TYPE, pae

WORKSPACE = "a" * 32
ORIGIN = f"test.invalid/squads/{WORKSPACE}/0"
ME = Peer(os.getuid(), os.getgid(), os.getpid())
T = TypeVar("T")


def digest(word: object) -> str:
    """Return a digest for a word."""
    return sha256(str(word).encode()).hexdigest()


def verdict(ticket: object = 0, **change: Any) -> VerdictRecord:
    """Return what the gate `schema` says of a ticket."""
    fields: dict[str, Any] = {
        "workspace": WORKSPACE,
        "packet": "b" * 32,
        "ticket": digest(ticket),
        "author": "schema",
        "decision": "approved",
        "subject": digest("subject"),
        "attempt": 1,
        "saw": digest("saw"),
        "independence": "prior",
        "content": digest("content"),
        "findings": FindingCounts(),
        "looked": 1,
    }
    return VerdictRecord(**{**fields, **change})


def signed_over(payload: bytes) -> bytes:
    """Return what is signed for a receipt."""
    return pae(PAYLOAD_TYPE, payload)


def rules(*roles: str, uid: int | None = None) -> AllowList:
    """Return an allow-list that lets this user use these roles."""
    return AllowList.parse([f"uid={os.getuid() if uid is None else uid}: {', '.join(roles or ('gate:schema',))}"])


def ask(daemon: SignerDaemon, do: str, role: str = "gate:schema", peer: Peer = ME, **more: Any) -> dict[str, Any]:
    """Ask a daemon without a socket."""
    if isinstance(more.get("message"), bytes):
        more["message"] = base64_of(more["message"])
    return daemon.answer(peer, frame({"do": do, "role": role, **more})[4:])


@contextmanager
def daemon(keys: Path, *roles: str, allow: AllowList | None = None, **more: Any) -> Iterator[SignerDaemon]:
    """Hold a daemon's keys inside the block."""
    held = SignerDaemon(keys, allow or rules(*roles), **{"origin": ORIGIN, **more})
    try:
        yield held
    finally:
        held.close()


@contextmanager
def short_directory() -> Iterator[Path]:
    """Make a directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="sq") as name:
        yield Path(name)


@asynccontextmanager
async def listening(held: SignerDaemon) -> AsyncIterator[Path]:
    """Let a daemon answer at a socket inside the block."""
    with short_directory() as directory:
        path, stop, ready = directory / "run" / "s", asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(held.serve(path, stop, ready=ready.set))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        try:
            yield path
        finally:
            waiting.cancel()
            stop.set()
            await serving


async def apart(work: Callable[[], T]) -> T:
    """Do something that waits for the daemon on this loop."""
    return await asyncio.to_thread(work)


def client(path: Path, role: str = "gate:schema") -> DaemonSigner:
    """Return a client that does not wait for long."""
    return DaemonSigner(path, role, seconds=5)
