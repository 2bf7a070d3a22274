"""A squad whose gate's key is in a signer daemon: its verdicts count themselves, and a policy can demand it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from signer_child import SignerProcess, named, signing

from squads import Artifact, Builder, Composed, Finding, NotComposed, Squad, check
from squads.adapters.keys import load
from squads.adapters.signer_client import DaemonSigner
from squads.audit import audit
from squads.contracts.errors import KeyUnavailable
from squads.contracts.records import PolicyRecord
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import payload_of
from squads.ledger.report import CHECKS
from squads.ledger.statement import parse_statement
from squads.ledger.trust import Trust
from squads.signing import signed_entry
from squads.stores import keys_of
from squads.workspace import Workspace

GATE = "gate:text.plain"


class Writer(Builder):
    """Writes what it is told to, or what was refused before."""

    async def build(self, task):
        return task.artifact({"a.txt": "better\n" if task.previous else task.packet.brief + "\n"})


@check("text.plain")
def plain(artifact: Artifact) -> list[Finding]:
    """Refuse what is bad."""
    text = artifact["a.txt"].content.decode()
    return [Finding(invariant="text.plain", message="bad", severity="major")] if "bad" in text else []


@pytest.fixture
def place() -> Iterator[Path]:
    """Make a directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="sq") as name:
        yield Path(name)


async def prepared(place: Path) -> Path:
    """Found a workspace; return where its keys are."""
    workspace = Workspace.open(place / "store", keys=place / "home")
    await workspace.found([])
    await workspace.close()
    return keys_of(Trust.from_json((place / "store" / "trust.json").read_bytes()), place / "home")


@asynccontextmanager
async def squad(place: Path) -> AsyncIterator[Squad]:
    """Open the squad over the workspace."""
    async with Squad(builder=Writer(), gates=[plain], store=place / "store", keys=place / "home") as opened:
        yield opened


async def demand(opened: Squad, custody: str) -> None:
    """Let the root say how gates' keys must be kept."""
    workspace = await opened.workspace()
    root = load(keys_of(workspace.trust, workspace_keys(opened)) / "root.key")
    record = PolicyRecord(workspace=workspace.id, gate_custody=custody)  # type: ignore[arg-type]
    entry = signed_entry(WORKSPACE, payload_of(record), root)
    await workspace.ledger.append([entry], expect={WORKSPACE: workspace.view.length}, time_ms=workspace.now_ms())
    await workspace.refresh()


def workspace_keys(opened: Squad) -> Path:
    """Return where a squad was told to keep keys."""
    return Path(opened._keys)  # type: ignore[arg-type]


async def verdicts(opened: Squad) -> list[dict]:
    """Return what the gate has said, in the order of the log."""
    workspace = await opened.workspace()
    found = []
    for name in await workspace.ledger.streams():
        for stored in await workspace.ledger.read(name):
            statement = parse_statement(stored.payload)
            if statement.kind == "verdict":
                found.append({**statement.predicate, "seq": stored.seq})
    return sorted(found, key=lambda verdict: verdict["seq"])


def checks(place: Path) -> dict[str, str]:
    """Return how every check of an audit of the workspace stands."""
    return {result.check: result.state for result in audit(place / "store", keys=place / "home").results}


async def test_a_squad_over_a_daemon_composes_under_a_policy_that_demands_one(place: Path) -> None:
    """Its verdicts are numbered by the daemon, refusals too, and each names the log that it was signed over."""
    keys = await prepared(place)
    with signing(place / "signer", place / "run" / "s", GATE) as signer:
        named(keys, signer.socket, GATE)
        async with squad(place) as opened:
            await demand(opened, "daemon")
            first = await opened.run("bad")
            second, third = await asyncio.gather(opened.run("good"), opened.run("fine"))
            said = await verdicts(opened)
            registry = (await opened.workspace()).view.registry

    assert [type(outcome) for outcome in (first, second, third)] == [Composed, Composed, Composed]
    assert sorted(verdict["actor_seq"] for verdict in said) == [0, 1, 2, 3]
    assert [verdict["decision"] for verdict in said[:2]] == ["refused", "approved"]
    assert all(0 < verdict["tree_head"]["size"] <= verdict["seq"] for verdict in said)
    assert [key.custody for key in registry.keys.values() if GATE in key.roles] == ["daemon"]
    assert not list(keys.glob("gate-*")), "its private key is nowhere here"
    found = checks(place)
    assert {found[name] for name in CHECKS} == {"passed"}
    assert found["replay"] == "passed"


async def test_under_that_policy_nothing_opens_with_a_key_in_this_process(place: Path) -> None:
    """The packet ends at once with its reason, in words."""
    await prepared(place)
    async with squad(place) as opened:
        before = await opened.run("good")
        await demand(opened, "daemon")
        after = await opened.run("good")

    assert isinstance(before, Composed)
    assert isinstance(after, NotComposed)
    assert after.reason == "weak-custody"
    assert "signer daemon" in after.detail
    assert checks(place)["replay"] == "passed"


def lost_once(attest: Any) -> Any:
    """Return what loses the daemon's first answer on its way back."""
    lost: list[object] = []

    def asked(self: DaemonSigner, record: Any) -> Any:
        answer = attest(self, record)
        if not lost:
            lost.append(answer)
            raise KeyUnavailable("the answer was lost")
        return answer

    return asked


async def test_with_the_daemon_gone_nothing_composes_and_the_reason_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of its work a gate abstains; a squad that begins anew says it at once."""
    keys = await prepared(place)
    signer = SignerProcess(place / "signer", place / "run" / "s", f"uid={os.getuid()}:{GATE}")
    named(keys, signer.socket, GATE)
    async with squad(place) as opened:
        assert isinstance(await opened.run("good"), Composed)
        signer.kill()
        gone = await opened.run("good")
    with pytest.raises(KeyUnavailable, match="start it with `squads signer`"):
        async with squad(place) as opened:
            await opened.run("good")
    with signing(place / "signer", place / "run" / "s", GATE):
        async with squad(place) as opened:
            back = await opened.run("good")
            passed = checks(place)
            real = DaemonSigner.attest
            with monkeypatch.context() as patched:
                patched.setattr(DaemonSigner, "attest", lost_once(real))
                late = await opened.run("good")

    assert isinstance(gone, NotComposed)
    assert gone.reason == "gate-abstained"
    assert "text.plain gave no usable answer (unsigned)" in gone.words[0]
    assert "cannot be reached" in gone.words[0]
    assert isinstance(back, Composed)
    assert (passed["actor"], passed["replay"]) == ("passed", "passed")
    assert isinstance(late, Composed), "asked once more, with another ticket"
    found = checks(place)
    assert (found["actor"], found["replay"]) == ("warned", "passed"), "a verdict that never came in is a hole"


async def test_the_log_and_the_runner_can_be_kept_by_a_daemon_as_well(place: Path) -> None:
    """Checkpoints only ever rise there, and what the runner says is judged before it is signed."""
    keys = await prepared(place)
    kept = place / "signer"
    kept.mkdir(mode=0o700)
    for name in ("log", "runner"):
        (keys / f"{name}.key").rename(kept / f"{name}.key")
    more = ("--trust", str(place / "store" / "trust.json"), "--new-state")
    with signing(kept, place / "run" / "s", "log", "runner", more=more) as signer:
        named(keys, signer.socket, "log", "runner")
        async with squad(place) as opened:
            done = await opened.run("good")
        code, error = signer.end()

    assert isinstance(done, Composed)
    assert (code, error) == (0, "")
    assert sorted(path.name for path in keys.glob("*.key") if path.stem in ("log", "runner")) == []
    found = checks(place)
    assert {found[name] for name in CHECKS} == {"passed"}
