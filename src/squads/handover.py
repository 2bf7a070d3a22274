"""Handing work to a role and its answer back: digests become content, and an answer becomes a record with its blobs.

Everything a role sees comes through here, and comes from the request it answers. Nothing read from a blob store is
believed before it is re-hashed, which the store does.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from squads.contracts.artifact import Artifact, File, Manifest
from squads.contracts.base import Document, digest_of, json_in
from squads.contracts.finding import NO_USAGE, FindingCounts, Usage
from squads.contracts.memory import Recalled
from squads.contracts.messages import AcceptRequest, BuildRequest, PlanRequest, ReviewRequest, RoleRequest
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.plan import Acceptance, Objection, Plan, Statement
from squads.contracts.records import (
    AcceptanceRecord,
    ArtifactRecord,
    HeldRecord,
    ObjectionRecord,
    PacketRecord,
    Part,
    PlanRecord,
    TaskRecord,
    VerdictRecord,
)
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.contracts.work import AcceptWork, BuildWork, Complaint, PlanWork, Reply, ReviewWork, Waiver, Work
from squads.kernel.ports import BlobStore, Entropy

CACHE_BYTES = 8 * 1024 * 1024
"""How much content a reader remembers."""

D = TypeVar("D", bound=Document)
_KINDS: Mapping[str, type[Document]] = {
    "packet": Packet,
    "plan": Plan,
    "objection": Objection,
    "acceptance": Acceptance,
    "statement": Statement,
    "recalled": Recalled,
    "approved": Approved,
    "refused": Refused,
    "abstained": Abstained,
}


class UnusableReply(Exception):
    """A role answered with something that its work cannot be answered with."""


class Reader:
    """Reads documents, manifests and artifacts by digest.

    It remembers what was read or written last, within `CACHE_BYTES`: the gates of one round all read the same bytes.
    """

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._recent: OrderedDict[str, tuple[object, int]] = OrderedDict()
        self._size_bytes = 0

    def remember(self, content: Iterable[bytes]) -> None:
        """Keep content that this process has just hashed and stored."""
        for blob in content:
            self._keep(f"blob {digest_of(blob)}", blob, len(blob))

    async def keep(self, content: Iterable[bytes], *, subject: str) -> None:
        """Store content where others who serve the same role find it. Raises `BlobError`, `StorageUnavailable`."""
        for blob in content:
            await self._blobs.put(blob, subject=subject)
            self._keep(f"blob {digest_of(blob)}", blob, len(blob))

    async def blob(self, digest: str) -> bytes:
        """Return the content under a digest. Raises `BlobError`."""
        known = self._recent.get(f"blob {digest}")
        if known is not None:
            return cast("bytes", known[0])
        content = await self._blobs.get(digest)
        self._keep(f"blob {digest}", content, len(content))
        return content

    async def sealed(self, digest: str) -> tuple[Document, str]:
        """Return a document of any kind, and its salt."""
        known = self._recent.get(f"document {digest}")
        if known is not None:
            return cast("tuple[Document, str]", known[0])
        blob = await self.blob(digest)
        found = unseal(blob)
        self._keep(f"document {digest}", found, len(blob))
        return found

    async def document(self, digest: str, kind: type[D]) -> D:
        """Return the sealed document of this kind. Raises `BlobError`, or `ValueError` when it is another kind."""
        found = (await self.sealed(digest))[0]
        if not isinstance(found, kind):
            raise ValueError(f"the blob {digest[:12]} holds a {type(found).__name__}, not a {kind.__name__}")
        return found

    async def verdict(self, digest: str) -> Verdict:
        """Return the sealed verdict."""
        found = (await self.sealed(digest))[0]
        if not isinstance(found, (Approved, Refused, Abstained)):
            raise ValueError(f"the blob {digest[:12]} holds a {type(found).__name__}, not a verdict")
        return found

    async def manifest(self, digest: str) -> Manifest:
        """Return an artifact's manifest."""
        return Manifest.parse(await self.blob(digest))

    async def artifact(self, digest: str) -> Artifact:
        """Return an artifact with all its bytes."""
        known = self._recent.get(f"artifact {digest}")
        if known is not None:
            return cast("Artifact", known[0])
        manifest = await self.manifest(digest)
        found = assemble(manifest, [await self.blob(entry.digest) for entry in manifest.files])
        self._keep(f"artifact {digest}", found, manifest.size_bytes)
        return found

    def _keep(self, key: str, value: object, size_bytes: int) -> None:
        weight = size_bytes + 1_000  # what an object costs beside its bytes
        if weight > CACHE_BYTES // 4 or key in self._recent:
            return
        self._recent[key] = (value, weight)
        self._size_bytes += weight
        while self._size_bytes > CACHE_BYTES:
            self._size_bytes -= self._recent.popitem(last=False)[1][1]


def unseal(blob: bytes) -> tuple[Document, str]:
    """Return the document that a blob holds, and its salt. Raises `ValueError` for anything else."""
    fields = json_in(blob)
    model = _KINDS.get(fields.get("kind", "")) if isinstance(fields, dict) else None
    if model is None:
        raise ValueError("the blob is no sealed document of a known kind")
    salt = fields.pop("salt", "")
    return model.model_validate(fields), salt


def assemble(manifest: Manifest, contents: list[bytes]) -> Artifact:
    """Return the artifact of a manifest and its files' bytes, in the manifest's order."""
    return Artifact(
        files=tuple(
            File(path=e.path, mode=e.mode, content=c, media_type=e.media_type)
            for e, c in zip(manifest.files, contents, strict=True)
        ),
        removals=manifest.removals,
        base=manifest.base,
        made_from=manifest.made_from,
        author=manifest.author,
        attempt=manifest.attempt,
        salt=manifest.salt,
    )


async def work_for(request: RoleRequest, reader: Reader, *, role: str, entropy: Entropy) -> Work:
    """Return the work that a request asks for, in full, with the charter and the facts that were recalled for it."""
    work = await _work_for(request, reader, role, entropy)
    if request.memory is None:
        return work
    told = await reader.document(request.memory, Recalled)
    return replace(work, charter=told.charter, facts=told.facts)


async def _work_for(request: RoleRequest, reader: Reader, role: str, entropy: Entropy) -> Work:
    packet = await reader.document(request.content, Packet)
    match request:
        case PlanRequest():
            return await _plan_work(request, packet, reader)
        case BuildRequest():
            return await _build_work(request, packet, reader, role, entropy)
        case ReviewRequest():
            return await _review_work(request, packet, reader)
        case AcceptRequest():
            plan = await reader.document(request.plan, Plan)
            verdicts = [(gate, await reader.verdict(digest), digest) for gate, digest in request.verdicts]
            return AcceptWork(
                packet=packet,
                composition=await reader.artifact(request.subject),
                plan=plan,
                parts=await _artifacts(request.parts, names(plan, request.numbers), reader),
                verdicts=tuple(verdicts),
                refused=request.refused,
            )


def names(plan: Plan, numbers: tuple[int, ...]) -> dict[int, str]:
    """Return the tasks' names by number."""
    return {number: task.name for number, task in zip(numbers, plan.tasks, strict=True)}


async def _artifacts(parts: tuple[Part, ...], known: Mapping[int, str], reader: Reader) -> dict[str, Artifact]:
    return {known[part.task]: await reader.artifact(part.artifact) for part in parts}


async def _plan_work(request: PlanRequest, packet: Packet, reader: Reader) -> PlanWork:
    previous = await reader.document(request.previous, Plan) if request.previous else None
    known = names(previous, request.numbers) if previous else {}
    complaints = []
    for grievance in request.grievances:
        documents = [(await reader.sealed(d))[0] for d in grievance.documents]
        complaints.append(
            Complaint(
                task=known.get(grievance.task or 0),
                cause=grievance.cause,
                objections=tuple(d for d in documents if isinstance(d, Objection)),
                verdicts=tuple(d for d in documents if isinstance(d, (Approved, Refused, Abstained))),
                detail=grievance.detail,
            )
        )
    return PlanWork(
        packet=packet,
        attempt=request.attempt,
        builders=request.builders,
        gates=request.gates,
        previous=previous,
        complaints=tuple(complaints),
    )


async def _build_work(request: BuildRequest, packet: Packet, reader: Reader, role: str, entropy: Entropy) -> BuildWork:
    plan = await reader.document(request.plan, Plan)
    known = names(plan, request.numbers)
    task = plan.tasks[request.numbers.index(request.task)]
    reasons = [await reader.document(d, Acceptance) for d in request.reasons]
    return BuildWork(
        packet=packet,
        task=task.name,
        brief=task.brief,
        attempt=request.attempt,
        author=role,
        salt=entropy(32).hex(),
        inputs=await _artifacts(request.inputs, known, reader),
        previous=await reader.artifact(request.previous) if request.previous else None,
        verdicts=tuple([await reader.verdict(d) for d in request.verdicts]),
        reasons=tuple(word for acceptance in reasons for word in acceptance.reasons),
    )


async def _review_work(request: ReviewRequest, packet: Packet, reader: Reader) -> ReviewWork:
    if request.reads is AttemptKind.PLAN:
        plan = await reader.document(request.subject, Plan)
        return ReviewWork(packet=packet, reads=request.reads, attempt=request.attempt, brief=packet.brief, plan=plan)
    in_force = await reader.document(request.plan or "", Plan)
    brief = packet.brief
    if request.task is not None:
        brief = in_force.tasks[request.numbers.index(request.task)].brief
    return ReviewWork(
        packet=packet,
        reads=request.reads,
        attempt=request.attempt,
        brief=brief,
        artifact=await reader.artifact(request.subject),
        plan=in_force,
        inputs=await _artifacts(request.inputs, names(in_force, request.numbers), reader),
        waivers=tuple([Waiver(id=w, text=(await reader.document(d, Statement)).text) for w, d in request.waivers]),
    )


async def record_for(
    request: RoleRequest,
    reply: Reply,
    reader: Reader,
    *,
    role: str,
    entropy: Entropy,
    usage: Usage | None = None,
    model: str | None = None,
) -> tuple[PacketRecord, tuple[bytes, ...]]:
    """Return the record that says a role's reply, and the blobs it speaks of. Raises `UnusableReply`.

    `usage` is what was counted while the role worked; where it is more than nothing, it stands for what the reply says
    of itself. `model` is which of the role's models answered; None where none was asked.
    """
    counted = usage if usage is not None and usage != NO_USAGE else None
    if counted is not None and isinstance(reply, (Plan, Objection, Approved, Refused, Abstained, Acceptance)):
        reply = reply.but(usage=counted)
    about: dict[str, Any] = {"workspace": request.workspace, "packet": request.packet, "author": role, "model": model}
    match request, reply:
        case ((PlanRequest() | BuildRequest()), Objection()):
            digest, blob = reply.seal(entropy(32))
            return ObjectionRecord(**about, request=request.request, content=digest, usage=reply.usage), (blob,)
        case PlanRequest(), Plan():
            return await _plan_record(request, reply, reader, about, entropy)
        case BuildRequest(), Artifact():
            return _artifact_record(request, reply, about, entropy, counted or NO_USAGE)
        case ReviewRequest(), (Approved() | Refused() | Abstained()):
            digest, blob = reply.seal(entropy(32))
            record = VerdictRecord(
                **about,
                ticket=request.ticket,
                decision=reply.kind,
                subject=request.subject,
                attempt=request.attempt,
                saw=request.saw,
                independence=request.independence,
                content=digest,
                findings=FindingCounts.of(reply.findings),
                looked=reply.looked,
                waivers=reply.waivers,
                usage=reply.usage,
                tree_head=request.tree_head,
            )
            return record, (blob,)
        case AcceptRequest(), Acceptance():
            digest, blob = reply.seal(entropy(32))
            plan = await reader.document(request.plan, Plan)
            numbers = {name: number for number, name in names(plan, request.numbers).items()}
            return AcceptanceRecord(
                **about,
                request=request.request,
                subject=request.subject,
                held=tuple(HeldRecord(**h.model_dump()) for h in reply.held),
                reopen=tuple(sorted({numbers.get(n, len(numbers) + 1_000) for n in reply.reopen})),
                content=digest,
                usage=reply.usage,
            ), (blob,)
    raise UnusableReply(f"{role!r} answered a {request.kind} request with {type(reply).__name__}")


async def _plan_record(
    request: PlanRequest, plan: Plan, reader: Reader, about: dict[str, Any], entropy: Entropy
) -> tuple[PlanRecord, tuple[bytes, ...]]:
    digest, blob = plan.seal(entropy(32))
    salt = (await reader.sealed(request.content))[1]
    numbers: dict[str, int] = {}
    if request.previous:
        previous = await reader.document(request.previous, Plan)
        numbers = {name: number for number, name in names(previous, request.numbers).items()}
    fresh = request.next_task
    for task in plan.tasks:
        if task.name not in numbers:
            numbers[task.name] = fresh
            fresh += 1
    # A task that is not in the plan gets a number that is in no plan: the kernel says so in its own words.
    nowhere = fresh + 1_000
    tasks = tuple(
        TaskRecord(
            task=numbers[task.name],
            builder=task.builder,
            after=tuple(sorted({numbers.get(a, nowhere) for a in task.after})),
            gates=task.gates,
            brief=brief_digest(salt, task.brief),
            brief_chars=len(task.brief),
        )
        for task in plan.tasks
    )
    record = PlanRecord(**about, request=request.request, content=digest, tasks=tasks, usage=plan.usage)
    return record, (blob,)


def _artifact_record(
    request: BuildRequest, artifact: Artifact, about: dict[str, Any], entropy: Entropy, usage: Usage
) -> tuple[ArtifactRecord, tuple[bytes, ...]]:
    made_from = tuple(part.artifact for part in request.inputs)
    if artifact.digest == request.previous:
        pass  # the same bytes once more: they keep their name
    elif (artifact.author, artifact.attempt, artifact.made_from) != (about["author"], request.attempt, made_from):
        # Made with `Artifact.of`, which cannot know whose it is: it becomes this author's attempt.
        artifact = artifact.but(
            author=about["author"], attempt=request.attempt, made_from=made_from, salt=entropy(32).hex()
        )
    manifest = artifact.manifest
    record = ArtifactRecord(**about, request=request.request, artifact=manifest.digest, usage=usage)
    return record, (manifest.blob, *(file.content for file in artifact.files))


def brief_digest(salt: str, brief: str) -> str:
    """Return how records name a brief: an unchanged one is recognised, and nothing can be guessed from it."""
    return hashlib.sha256(f"squads.brief/v1\n{salt}\n{brief}".encode()).hexdigest()


def owned(content: tuple[bytes, ...]) -> dict[str, bytes]:
    """Return content by its digest."""
    return {digest_of(blob): blob for blob in content}
