"""The border: a role's answer is checked here, once, before the kernel sees it.

Nothing that comes in is believed: not the sender, not the key it names, not the content it brings.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from squads.contracts.artifact import Manifest
from squads.contracts.base import Document
from squads.contracts.errors import BlobError, LedgerBroken
from squads.contracts.finding import FindingCounts
from squads.contracts.messages import Signed
from squads.contracts.plan import Acceptance, Objection, Plan, Statement
from squads.contracts.records import (
    AcceptanceRecord,
    AnswerRecord,
    ArtifactRecord,
    HeldRecord,
    ObjectionRecord,
    PacketRecord,
    PlanRecord,
    VerdictRecord,
    WaiverRecord,
)
from squads.contracts.verdict import Abstained, Approved, Refused
from squads.handover import Reader, brief_digest, owned, unseal
from squads.kernel.ports import Entry
from squads.kernel.receipts import receipt_of, record_in
from squads.lane import Incoming, Lane
from squads.ledger.keys import verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae
from squads.workspace import Workspace

log = logging.getLogger("squads.intake")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A role that was asked answered with content that cannot be used: as good as no answer."""

    about: str


class Intake:
    """Checks answers against one workspace."""

    def __init__(self, workspace: Workspace, reader: Reader) -> None:
        self._workspace = workspace
        self._reader = reader

    async def read(self, lane: Lane, body: Signed) -> Incoming | Unreadable | str:
        """Return the event that an answer is, or why it is none.

        The checks, in order: 1 a known key; 2 its signature; 3 a statement of ours; 4 about this packet; 5 the content
        is the one that the record speaks of, and says the same.
        """
        public = self._workspace.view.registry.public_key(body.key)
        if public is None:
            return "unknown key"  # 1
        if not verify_signature(public, body.signature, pae(PAYLOAD_TYPE, body.payload)):
            return "forged signature"  # 2
        try:
            receipt = receipt_of(0, PAYLOAD_TYPE, body.payload, (body.key,), 0)
            record = record_in(receipt)  # 3
        except LedgerBroken:
            return "unreadable payload"
        if not isinstance(record, PacketRecord) or record.packet != lane.packet:
            return "another packet"  # 4
        try:
            manifest, content = await self._content(lane, record, owned(body.content))  # 5
        except (BlobError, ValueError, RecursionError) as error:
            log.warning("packet %s: unreadable content: %s", lane.packet, error)
            about = getattr(record, "ticket", None) or getattr(record, "request", None)
            if about is None or not self._was_asked(lane, about, body.key):
                return "unreadable content"  # it closes nobody else's request
            lane.details[about] = str(error)[:2_000]
            return Unreadable(about)
        entry = Entry(
            stream=lane.packet,
            payload_type=PAYLOAD_TYPE,
            payload=body.payload,
            signatures=((body.key, body.signature),),
        )
        return Incoming(record, entry, content, manifest)

    def _was_asked(self, lane: Lane, about: str, key: bytes) -> bool:
        """Say whether this key holds the role that the request or ticket was given to."""
        name = lane.asked_of(about)
        return bool(name) and any(role.partition(":")[2] == name for role in self._workspace.view.roles_of(key.hex()))

    async def _content(
        self, lane: Lane, record: PacketRecord, brought: dict[str, bytes]
    ) -> tuple[Manifest | None, tuple[bytes, ...]]:
        """Return the manifest and the blobs that a record speaks of: those it brought, or that are stored already."""
        blobs = self._workspace.blobs
        if isinstance(record, ArtifactRecord):
            brought = {**brought}
            # What was not brought may be stored for another packet only, and would go when that one is erased.
            if record.artifact not in brought:
                brought[record.artifact] = await blobs.get(record.artifact)
            manifest = Manifest.parse(brought[record.artifact])
            wanted = {entry.digest: entry.size_bytes for entry in manifest.files}
            for digest, size_bytes in wanted.items():
                if digest not in brought:
                    brought[digest] = await blobs.get(digest)
                if len(brought[digest]) != size_bytes:
                    raise ValueError(f"the manifest gives {size_bytes} bytes for {digest[:12]}, which has others")
            return manifest, tuple(brought[digest] for digest in (record.artifact, *wanted))
        content = getattr(record, "content", None)
        if content is None:
            return None, ()
        if content not in brought:
            raise ValueError("the answer came without its content")
        document, _ = unseal(brought[content])
        salt = ""
        if isinstance(record, PlanRecord) and lane.state is not None:
            salt = (await self._reader.sealed(lane.state.opened.content))[1]
        if not says_the_same(record, document, salt=salt):
            raise ValueError(f"a {record.kind} receipt that says other than the document it speaks of")
        return None, (brought[content],)


def says_the_same(record: PacketRecord, document: Document, *, salt: str = "") -> bool:
    """Say whether a record and the document that it names agree in everything that both of them say.

    `salt` is the packet's; a plan's briefs are named with it.
    """
    match record, document:
        case VerdictRecord(), (Approved() | Refused() | Abstained()):
            said = (record.decision, record.findings, record.looked, record.waivers, record.usage)
            found = FindingCounts.of(document.findings)
            return said == (document.kind, found, document.looked, document.waivers, document.usage)
        case PlanRecord(), Plan():
            if len(record.tasks) != len(document.tasks):
                return False
            numbers = {task.name: said.task for task, said in zip(document.tasks, record.tasks, strict=True)}
            return record.usage == document.usage and all(
                (said.builder, said.gates, said.brief_chars, said.brief)
                == (task.builder, task.gates, len(task.brief), brief_digest(salt, task.brief))
                and len(said.after) == len(set(task.after))
                and {numbers[a] for a in task.after if a in numbers} <= set(said.after)
                for said, task in zip(record.tasks, document.tasks, strict=True)
            )
        case ObjectionRecord(), Objection():
            return record.usage == document.usage
        case AcceptanceRecord(), Acceptance():
            held = tuple(HeldRecord(**h.model_dump()) for h in document.held)
            return (record.held, record.usage, bool(record.reopen)) == (held, document.usage, bool(document.reopen))
        case ((AnswerRecord() | WaiverRecord()), Statement()):
            return True
    return False
