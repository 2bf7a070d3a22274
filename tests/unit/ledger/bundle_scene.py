"""A packet that really composed, as lines that a forger can change, sign again and bundle.

The forger is given what an attacker may hold: any role's key, the log's key, time. Each attack takes only what it says.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from squads import ApprovalRule, Approved, Builder, Composed, Finding, Gate, Packet, Predicate, Squad
from squads.adapters.keys import InProcessSigner
from squads.contracts.work import BuildWork, ReviewWork
from squads.kernel.ports import Signer
from squads.ledger.bundle import Anchored, Bundle, Included
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.leaf import decode_leaf, encode_body, leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.offline import BundleReport, verify_bundle
from squads.ledger.proof import consistency_proof, inclusion_proof
from squads.ledger.sequence import Tail, sequence
from squads.ledger.statement import PAYLOAD_TYPE, pae, parse_statement, statement_bytes
from squads.ledger.trust import Trust
from squads.workspace import Workspace

BALANCE = "CREATE TABLE treasury (balance bigint CHECK (balance >= 0));"


class Carpenter(Builder):
    """Forgets the rule at first."""

    def build(self, task: BuildWork) -> Any:
        return task.artifact({"treasury.sql": BALANCE if task.attempt > 1 else "CREATE TABLE treasury (balance int);"})


class Schema(Gate):
    """Refuses the table without its rule."""

    def review(self, work: ReviewWork) -> Any:
        if "CHECK" in work.artifact["treasury.sql"].text:
            return Approved(looked=1)
        return work.refuse(Finding(invariant="money.balance-not-negative", message="A balance may go below zero."))


class Style(Gate):
    """Approves what it reads."""

    def review(self, work: ReviewWork) -> Any:
        return Approved(looked=1)


@dataclass(frozen=True)
class Line:
    """One receipt before it has a place: what it says, about what, and who signs it."""

    kind: str
    said: dict[str, Any]
    subjects: tuple[tuple[str, str], ...]
    roles: tuple[str, ...]
    """Whose keys sign it; a name that is no role of the squad is a stranger's key."""
    time_ms: int
    body: bytes | None = None
    """The signed bytes as they were; None where it is signed again."""

    def saying(self, by: tuple[str, ...] | None = None, /, **changes: Any) -> Line:
        """Return the line with other words, signed anew by the same or by others."""
        said = {**deepcopy(self.said), **changes}
        return Line(self.kind, said, subject_for(self.kind, said), by or self.roles, self.time_ms)


def subject_for(kind: str, said: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the subject that an honest writer gives a statement."""
    if kind == "log-open":
        return (("root", said["root_public_keys"][0]),)
    if kind == "key-event":
        return (("key", said["key"]),)
    if kind not in ("grant", "erasure"):
        for name in ("subject", "artifact", "content", "about"):
            if isinstance(said.get(name), str):
                return ((name, said[name]),)
    name = "packet" if "packet" in said and kind not in ("erasure", "stop", "lift") else "workspace"
    return ((name, sha256(said[name].encode()).hexdigest()),)


@dataclass
class Scene:
    """A workspace's whole log as lines, and every key of it."""

    trust: Trust
    packet: str
    lines: list[Line]
    signer_of: Callable[[str], Signer]
    content: dict[str, bytes] = field(default_factory=dict)

    def copy(self) -> Scene:
        """Return a scene of one's own."""
        return replace(self, lines=list(self.lines), content=dict(self.content))

    # --- finding and changing -------------------------------------------------------------------------------------

    def at(self, kind: str, number: int = 0, **said: Any) -> int:
        """Return where the `number`-th line of a kind stands that says this."""
        found = [
            place
            for place, line in enumerate(self.lines)
            if line.kind == kind and all(line.said.get(name) == value for name, value in said.items())
        ]
        return found[number]

    def line(self, kind: str, number: int = 0, **said: Any) -> Line:
        """Return that line."""
        return self.lines[self.at(kind, number, **said)]

    def change(self, place: int, by: tuple[str, ...] | None = None, /, **changes: Any) -> None:
        """Have a line say something else, signed anew."""
        self.lines[place] = self.lines[place].saying(by, **changes)

    # --- the log, and a bundle of it --------------------------------------------------------------------------------

    def leaves(self, *, root: str = "root") -> list[bytes]:
        """Return the leaves of these lines, framed in their order."""
        tail, leaves = Tail(), []
        for line in self.lines:
            batch = sequence(tail, [line.body or self._signed(line, root)], max(line.time_ms, tail.time_ms))
            tail, leaves = batch.tail, [*leaves, *batch.leaves]
        return leaves

    def _signed(self, line: Line, root: str) -> bytes:
        payload = statement_bytes(line.kind, line.subjects, line.said)
        signers = [self.signer_of(root if role == "root" else role) for role in line.roles]
        message = pae(PAYLOAD_TYPE, payload)
        return encode_body(PAYLOAD_TYPE, payload, sorted((s.key_id, s.sign(message)) for s in signers))

    def bundle(
        self,
        *,
        log: str = "log",
        root: str = "root",
        leaves: list[bytes] | None = None,
        keep: Callable[[int, Line], bool] = lambda place, line: True,
        anchored: tuple[int, ...] = (),
        note: str | None = None,
    ) -> Bundle:
        """Return a bundle of the lines that are kept, under a checkpoint that `log`'s key signs."""
        leaves = self.leaves(root=root) if leaves is None else leaves
        tree = Tree(leaves)
        signer = self.signer_of(log)

        def note_at(size: int) -> str:
            return sign_checkpoint(Checkpoint(self.trust.origin, size, tree.root(size)), signer)

        return Bundle(
            origin=self.trust.origin,
            packet=self.packet,
            receipts=tuple(
                Included.of(leaf, tuple(inclusion_proof(seq, len(leaves), tree.node)))
                for seq, leaf in enumerate(leaves)
                if keep(seq, self.lines[seq])
            ),
            checkpoint=note or note_at(len(leaves)),
            anchored=tuple(
                Anchored(note=note_at(size), path=tuple(consistency_proof(size, len(leaves), tree.node)))
                for size in anchored
            ),
            heads={
                size: tuple(consistency_proof(size, len(leaves), tree.node))
                for size in sorted(self._heads())
                if 0 < size <= len(leaves)
            },
            content=self.content,
        )

    def _heads(self) -> set[int]:
        named = [line.said.get("tree_head") for line in self.lines if line.kind == "verdict"]
        return {head["size"] for head in named if isinstance(head, dict) and type(head.get("size")) is int}

    def verify(self, **how: Any) -> BundleReport:
        """Return what a stranger finds in a bundle of these lines."""
        return verify_bundle(self.bundle(**how).to_json(), self.trust)


class Tree:
    """All nodes of a small tree."""

    def __init__(self, leaves: list[bytes]) -> None:
        hashes = [leaf_hash(leaf) for leaf in leaves]
        self._nodes = {(0, seq): digest for seq, digest in enumerate(hashes)}
        self._nodes.update({(level, index): digest for level, index, digest in Edge().extend(hashes)})
        self._hashes = hashes

    def node(self, level: int, index: int) -> bytes | None:
        """Return one node."""
        return self._nodes.get((level, index))

    def root(self, size: int) -> bytes:
        """Return the root over the first leaves."""
        edge = Edge()
        edge.extend(self._hashes[:size])
        return edge.root()


async def _composed() -> Scene:
    squad = Squad(
        builder=Carpenter(),
        gates=[Schema(name="schema"), Style(name="style"), Style(name="whole", reads=["composition"])],
        approval=ApprovalRule(approvers=("owner",)),
        approver=lambda composition: True,
    )
    workspace = await squad.workspace()
    packet = Packet(
        brief="A treasury table.", done_when=(Predicate(id="safe", sentence="It is safe.", check="schema"),)
    )
    outcome = await squad.run(packet)
    assert isinstance(outcome, Composed)
    scene = await scene_of(workspace, outcome.packet)
    await squad.close()
    return scene


async def scene_of(workspace: Workspace, packet: str) -> Scene:
    """Return a workspace's log as lines."""
    registered: dict[bytes, str] = {workspace.signer("root").key_id: "root"}
    lines = []
    async for _, data, _ in workspace.ledger.scan():
        leaf = decode_leaf(data)
        statement = parse_statement(leaf.payload)
        if statement.kind == "key-event":
            registered[bytes.fromhex(statement.predicate["key"])] = statement.predicate["roles"][0]
        said, body = statement.predicate, encode_body(leaf.payload_type, leaf.payload, leaf.signatures)
        if statement.kind == "verdict":  # a head that was signed would tell every change alike
            said, body = {**said, "tree_head": None}, None
        lines.append(
            Line(
                kind=statement.kind,
                said=said,
                subjects=statement.subjects,
                roles=tuple(registered[key] for key, _ in leaf.signatures),
                time_ms=leaf.time_ms,
                body=body,
            )
        )
    strangers: dict[str, Signer] = {}
    known = {role: workspace.signer(role) for role in [*registered.values(), "root", "log"]}

    def signer_of(role: str) -> Signer:
        if role in known:
            return known[role]
        return strangers.setdefault(role, InProcessSigner(sha256(role.encode()).digest()))

    return Scene(workspace.trust, packet, lines, signer_of)


_SCENES: list[Scene] = []


def composed() -> Scene:
    """Return a scene of a packet that was refused once, mended, approved by three gates and one person."""
    if not _SCENES:
        _SCENES.append(asyncio.run(_composed()))
    return _SCENES[0].copy()


def states(report: BundleReport) -> dict[str, str]:
    """Return the state of every check by name."""
    return {result.check: result.state for result in report.results}


def failed(report: BundleReport) -> list[str]:
    """Return the names of the checks that failed."""
    return [result.check for result in report.failed]


def again(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return a bundle's file with something in it changed by hand."""
    value = json.loads(data)
    change(value)
    return json.dumps(value).encode()
