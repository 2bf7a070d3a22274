"""A signer daemon in a process of its own, and what tests ask it. Beside the tests of `squads signer`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from squads.adapters.signer_client import DaemonSigner
from squads.contracts.finding import FindingCounts
from squads.contracts.records import VerdictRecord
from squads.custody import SIGNERS

COMMAND = (sys.executable, "-c", "from squads.cli.app import main; main()", "signer")
START_SECONDS = 30


class SignerProcess:
    """`squads signer`, started when it listens."""

    def __init__(self, keys: Path, socket: Path, *allow: str, before: tuple[str, ...] = (), more: tuple[str, ...] = ()):
        rules = [part for rule in allow for part in ("--allow", rule)]
        command = [*before, *COMMAND, "--keys", str(keys), "--socket", str(socket), *rules, *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.socket = socket
        assert self.process.stdout is not None
        self.said: list[str] = []
        while not self.said or not self.said[-1].startswith("ready"):
            line = self.process.stdout.readline()
            if not line:
                self.process.kill()
                raise AssertionError(self.process.communicate()[1])
            self.said.append(line.strip())

    def kill(self) -> None:
        """End it as a power cut would, and wait until it has."""
        self.process.kill()
        self.process.communicate(timeout=START_SECONDS)

    def end(self) -> tuple[int, str]:
        """Tell it to end; return its exit code and what it wrote to standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, error = self.process.communicate(timeout=START_SECONDS)
        return self.process.returncode, error

    def client(self, role: str = "gate:schema") -> DaemonSigner:
        """Return a client of it."""
        return DaemonSigner(self.socket, role, seconds=10)


@contextmanager
def signing(keys: Path, socket: Path, *roles: str, **more: Any) -> Iterator[SignerProcess]:
    """Run a signer for this user inside the block."""
    made = SignerProcess(keys, socket, f"uid={os.getuid()}:{','.join(roles or ('gate:schema',))}", **more)
    try:
        yield made
    finally:
        made.end()


def named(keys: Path, socket: Path, *roles: str) -> None:
    """Write `signers.json` beside a workspace's keys."""
    path = keys / SIGNERS
    path.write_text(json.dumps({"format": 1, "sockets": dict.fromkeys(roles, str(socket))}))
    path.chmod(0o600)


def verdict(ticket: object, **change: Any) -> VerdictRecord:
    """Return what the gate `schema` says of a ticket."""

    def digest(word: object) -> str:
        return sha256(str(word).encode()).hexdigest()

    fields: dict[str, Any] = {
        "workspace": "a" * 32,
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
