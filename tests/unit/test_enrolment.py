"""Enrolment: a worker asks with its public keys and proofs; the root's holder registers; everything else is refused."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from squads import Approved, Limits, Squad
from squads.contracts.errors import InvalidInput
from squads.contracts.messages import Signed
from squads.enrolment import (
    AGE_MS_MAX,
    AHEAD_MS_MAX,
    REQUEST_CHARS_MAX,
    enrol,
    read_request,
    request_line,
    roles_registered,
    worker_signers,
)
from squads.kernel.ports import WORKSPACE
from squads.ledger.statement import statement_bytes
from squads.roster import RosterBook, roster_of
from squads.session import Session
from squads.signing import signed_entry
from squads.stores import ROOT
from squads.testing import FixedClock, FixedSigner, ScriptedBuilder, ScriptedGate, seeded_entropy
from squads.worker import Worker
from squads.workspace import Workspace

ROLES = ("builder:builder", "gate:style")


class Kit:
    workspace: Workspace

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.secret = FixedSigner("worker")

    async def open(self) -> Kit:
        self.workspace = Workspace.memory(clock=self.clock, entropy=seeded_entropy(1))
        await self.workspace.found(ROLES)
        self.signers = worker_signers(self.secret, self.workspace.id, ROLES)
        return self

    def line(self) -> str:
        return request_line(self.signers, self.workspace.id, now_ms=self.clock.now_ms())

    def read(self, line: str) -> Any:
        known = roles_registered(self.workspace)
        return read_request(line, workspace=self.workspace.id, known=known, now_ms=self.clock.now_ms())


@pytest.fixture
async def kit() -> Kit:
    return await Kit().open()


def changed(line: str, **changes: Any) -> str:
    said = json.loads(urlsafe_b64decode(line + "=" * (-len(line) % 4)))
    return urlsafe_b64encode(json.dumps({**said, **changes}).encode()).decode().rstrip("=")


def said_in(line: str) -> dict[str, Any]:
    return json.loads(urlsafe_b64decode(line + "=" * (-len(line) % 4)))  # type: ignore[no-any-return]


async def test_an_enrolled_worker_speaks_for_its_roles(kit: Kit) -> None:
    """Its keys hold what was asked for, beside those that were there, and the roster says so."""
    request = kit.read(kit.line())
    done = await enrol(kit.workspace, request)
    book = RosterBook(kit.workspace.trust, clock=kit.clock)
    book.take(await roster_of(kit.workspace))

    assert [(role, True) for role in ROLES] == [(one.role, one.fresh) for one in done]
    for role, signer in kit.signers.items():
        assert (signer.public_key, {role}) == book.key_of(signer.key_id)
        assert len(kit.workspace.view.holders(role)) == 2


async def test_enrolling_twice_changes_nothing(kit: Kit) -> None:
    """Also when two do it at once."""
    request = kit.read(kit.line())
    await asyncio.gather(enrol(kit.workspace, request), enrol(kit.workspace, request))
    size = (await kit.workspace.ledger.head()).size
    again = await enrol(kit.workspace, request)

    assert not any(one.fresh for one in again)
    assert size == (await kit.workspace.ledger.head()).size


async def test_a_role_is_added_later_without_touching_the_others(kit: Kit) -> None:
    """Each role has a key of its own, derived from the one secret."""
    await enrol(
        kit.workspace,
        kit.read(
            request_line(
                worker_signers(kit.secret, kit.workspace.id, ["gate:style"]),
                kit.workspace.id,
                now_ms=kit.clock.now_ms(),
            )
        ),
    )
    done = await enrol(kit.workspace, kit.read(kit.line()))

    assert {"builder:builder": True, "gate:style": False} == {one.role: one.fresh for one in done}


def test_keys_follow_from_the_secret_the_workspace_and_the_role() -> None:
    """The same again after a restart, and never the same for anything else."""
    one, same = (worker_signers(FixedSigner("a"), "w", ["gate:x", "gate:y"]) for _ in range(2))
    keys = [
        *(s.key_id for s in one.values()),
        worker_signers(FixedSigner("a"), "v", ["gate:x"])["gate:x"].key_id,
        worker_signers(FixedSigner("b"), "w", ["gate:x"])["gate:x"].key_id,
        FixedSigner("a").key_id,
    ]

    assert [s.key_id for s in one.values()] == [s.key_id for s in same.values()]
    assert len(keys) == len(set(keys))


async def test_a_request_for_another_workspace_is_refused(kit: Kit) -> None:
    """The worker was given another's trust.json."""
    line = request_line(kit.signers, "cd" * 16, now_ms=kit.clock.now_ms())
    with pytest.raises(InvalidInput, match="is for workspace cdcd"):
        kit.read(line)


async def test_a_request_without_its_proof_is_refused(kit: Kit) -> None:
    """Nobody enrols a key that is somebody else's, and no proof serves another request."""
    line = kit.line()
    keys = said_in(line)["keys"]
    other = worker_signers(FixedSigner("other"), kit.workspace.id, ROLES)
    for change in (
        {"keys": [{**keys[0], "proof": "00" * 64}, keys[1]]},
        {"keys": [{**keys[0], "proof": keys[1]["proof"]}, keys[1]]},
        {"keys": [{**keys[0], "public_key": other["builder:builder"].public_key.hex()}, keys[1]]},
        {"keys": [{**keys[0], "role": "gate:style"}, {**keys[1], "role": "builder:builder"}]},
        {"keys": keys[:1]},
        {"issued_ms": kit.clock.now_ms() - 1},
    ):
        with pytest.raises(InvalidInput, match="does not prove"):
            kit.read(changed(line, **change))


async def test_a_request_for_a_role_that_is_not_here_is_refused(kit: Kit) -> None:
    """The nearest one is named."""
    signers = worker_signers(kit.secret, kit.workspace.id, ["gate:stile"])
    with pytest.raises(InvalidInput, match="did you mean 'gate:style'"):
        kit.read(request_line(signers, kit.workspace.id, now_ms=kit.clock.now_ms()))
    signers = worker_signers(kit.secret, kit.workspace.id, ["gate:zzz"])
    with pytest.raises(InvalidInput, match="known: builder:builder, gate:style"):
        kit.read(request_line(signers, kit.workspace.id, now_ms=kit.clock.now_ms()))


@pytest.mark.parametrize("role", ["runner", "root", "program", "human:owner"])
async def test_nobody_becomes_more_than_a_worker_by_asking(kit: Kit, role: str) -> None:
    """Neither is such a request written, nor is one that somebody wrote by hand registered."""
    signers = worker_signers(kit.secret, kit.workspace.id, [role])
    with pytest.raises(InvalidInput, match="cannot be enrolled as"):
        request_line(signers, kit.workspace.id, now_ms=kit.clock.now_ms())
    from squads import enrolment

    signer = signers[role]
    said = enrolment._said(kit.workspace.id, kit.clock.now_ms(), [(role, signer.public_key.hex())])
    keys = [{"role": role, "public_key": signer.public_key.hex(), "proof": signer.sign(said).hex()}]
    with pytest.raises(InvalidInput, match="cannot be enrolled as"):
        read_request(
            changed(kit.line(), keys=keys), workspace=kit.workspace.id, known={role}, now_ms=kit.clock.now_ms()
        )


async def test_an_old_request_is_refused(kit: Kit) -> None:
    """At its bound it is good; beyond that, and from the future, it is not."""
    line = kit.line()
    kit.clock.advance(AGE_MS_MAX)
    kit.read(line)
    kit.clock.advance(1)
    with pytest.raises(InvalidInput, match="7 days ago"):
        kit.read(line)
    now = kit.clock.now_ms()
    kit.read(request_line(kit.signers, kit.workspace.id, now_ms=now + AHEAD_MS_MAX))
    with pytest.raises(InvalidInput, match="from now; set the clock"):
        kit.read(request_line(kit.signers, kit.workspace.id, now_ms=now + AHEAD_MS_MAX + 1))


async def test_garbage_is_no_request(kit: Kit) -> None:
    """Half a line, another line, nothing: one sentence that says what to paste."""
    line = kit.line()
    for given in (
        "",
        "x",
        line[:-5],
        line[:20] + " " + line[20:],
        line[:20] + "é" + line[20:],
        line + "=",
        changed(line, format=2),
        changed(line, more=1),
        changed(line, keys=[]),
        changed(line, keys=said_in(line)["keys"] * 40),
        urlsafe_b64encode(b"[" * 500).decode().rstrip("="),
        urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
    ):
        with pytest.raises(InvalidInput, match="paste the whole line"):
            kit.read(given)
    with pytest.raises(InvalidInput, match="at most"):
        kit.read("A" * (REQUEST_CHARS_MAX + 1))


async def test_a_key_speaks_as_one_role(kit: Kit) -> None:
    """One key for builder and gate would judge its own work, and its verdicts would all be ignored."""
    one = FixedSigner("one")
    line = request_line({"builder:builder": one, "gate:style": one}, kit.workspace.id, now_ms=kit.clock.now_ms())
    with pytest.raises(InvalidInput, match="a key speaks as one role"):
        kit.read(line)
    low = {"role": "gate:style", "public_key": "01" + "00" * 31, "proof": "00" * 64}
    with pytest.raises(InvalidInput, match="low order"):
        kit.read(changed(kit.line(), keys=[low]))


async def test_a_revoked_key_is_not_enrolled_again(kit: Kit) -> None:
    """And one that is registered as something else stays that; nothing is written."""
    request = kit.read(kit.line())
    await enrol(kit.workspace, request)
    with pytest.raises(InvalidInput, match="is registered as gate:style"):
        await enrol(kit.workspace, request.but(keys=(request.keys[1].but(role="gate:other"),)))
    key = kit.signers["gate:style"].key_id
    size = (await kit.workspace.ledger.head()).size
    said = {"event": "revoke", "key": key.hex(), "reason": "lost", "suspect_from_index": size}
    payload = statement_bytes("key-event", [("key", key.hex())], said)
    entry = signed_entry(WORKSPACE, payload, kit.workspace.signer(ROOT))
    length = kit.workspace.view.length
    await kit.workspace.ledger.append([entry], expect={WORKSPACE: length}, time_ms=kit.workspace.now_ms())
    size = (await kit.workspace.ledger.head()).size
    with pytest.raises(InvalidInput, match="was revoked"):
        await enrol(kit.workspace, request)

    assert size == (await kit.workspace.ledger.head()).size


# Two keys for one role, as the rules see them -----------------------------------------------------------------------


async def test_verdicts_and_artifacts_of_a_workers_own_keys_count(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packet composes although nothing was signed with the keys of the runner's machine."""
    outcome = await _run_with(kit, monkeypatch, ["builder:builder", "gate:style"])

    assert outcome.kind == "composed"


async def test_each_request_may_be_answered_by_another_holder(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The builder's work is signed here and the verdict there."""
    outcome = await _run_with(kit, monkeypatch, ["gate:style"])

    assert outcome.kind == "composed"


async def test_two_verdicts_of_two_holders_on_one_ticket_compose_nothing(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of its two words a gate means cannot be known, whichever keys signed them."""
    squad = _squad()
    workspace = await squad.workspace()
    signers = worker_signers(kit.secret, workspace.id, ROLES)
    await _enrolled(workspace, signers)
    # The second holder's verdict differs in its salt alone, and comes while the first one's round is open.
    answer = Worker._answer

    async def both(self: Worker, role: Any, name: str, *rest: Any) -> Any:
        body = await answer(self, role, name, *rest)
        if name == "style":
            self._signers = {**self._signers, "style": signers["gate:style"]}
            other = await answer(self, role, name, *rest)
            assert isinstance(other, Signed)
            assert other.key != body.key
            lane = next(iter(session.runner._lanes.values()))
            await session.runner._replies._hand_in(lane, SimpleNamespace(body=other, sender=name))
        return body

    monkeypatch.setattr(Worker, "_answer", both)
    async with squad._open_session() as session:
        outcome = await squad.run("It.")

    assert outcome.kind == "not-composed"
    assert outcome.reason == "equivocation"


def _squad() -> Squad:
    return Squad(
        builder=ScriptedBuilder({"a": "x"}, prior="b"),
        gates=[ScriptedGate("style", *[Approved(looked=1)] * 4, prior="g"), ScriptedGate("slow", Approved(looked=1))],
        entropy=seeded_entropy(3),
        limits=Limits(attempts_max=1),
    )


async def _enrolled(workspace: Workspace, signers: Any) -> None:
    now = workspace.clock.now_ms()
    line = request_line(signers, workspace.id, now_ms=now)
    known = roles_registered(workspace)
    await enrol(workspace, read_request(line, workspace=workspace.id, known=known, now_ms=now))


async def _run_with(kit: Kit, monkeypatch: pytest.MonkeyPatch, roles: list[str]) -> Any:
    """Run a packet whose worker signs with its own keys for these roles."""
    squad = _squad()
    workspace = await squad.workspace()
    signers = worker_signers(kit.secret, workspace.id, roles)
    await _enrolled(workspace, signers)
    start = Session.start

    async def with_own(self: Session, *given: Any, **options: Any) -> None:
        await start(self, *given, **options)
        own = {role.partition(":")[2]: signer for role, signer in signers.items()}
        self._worker._signers = {**self._worker._signers, **own}

    monkeypatch.setattr(Session, "start", with_own)
    return await squad.run("It.")
