"""Handing over: what a role sees is what its request lists, and a reply becomes a record that says the same."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Abstained, Approved, Artifact, Finding, Objection, Packet, Plan, Refused, Severity, Task
from squads.adapters.memory_blobs import MemoryBlobs
from squads.contracts.base import Document, digest_of
from squads.contracts.errors import BlobMissing
from squads.contracts.finding import NO_USAGE, FindingCounts, Usage
from squads.contracts.messages import BuildRequest, PlanRequest, ReviewRequest, RoleRequest
from squads.contracts.packet import AttemptKind
from squads.contracts.plan import Acceptance, Held, Statement
from squads.contracts.records import (
    ArtifactRecord,
    ObjectionRecord,
    Part,
    PlanRecord,
    VerdictRecord,
    WaiverRecord,
)
from squads.contracts.work import BuildWork, PlanWork, ReviewWork
from squads.handover import Reader, UnusableReply, assemble, record_for, unseal, work_for
from squads.intake import says_the_same
from squads.testing import seeded_entropy

entropy = seeded_entropy(9)
BASE: dict[str, Any] = {"packet": "ab" * 16, "workspace": "cd" * 16, "due_ms": 1}


class Kit:
    def __init__(self) -> None:
        self.blobs = MemoryBlobs()
        self.reader = Reader(self.blobs)

    async def seal(self, document: Document) -> str:
        digest, blob = document.seal(entropy(32))
        assert await self.blobs.put(blob) == digest
        return digest

    async def keep(self, artifact: Artifact) -> str:
        for blob in (artifact.manifest.blob, *(f.content for f in artifact.files)):
            await self.blobs.put(blob)
        return artifact.digest


@pytest.fixture
def kit() -> Kit:
    return Kit()


PACKET = Packet(brief="It.", gates=("style",))
PLAN = Plan(
    tasks=(
        Task(name="a", brief="first", builder="maker"),
        Task(name="b", brief="second", builder="maker", after=("a",)),
    )
)


async def build_request(kit: Kit, **more: Any) -> BuildRequest:
    fields = {
        **BASE,
        "content": await kit.seal(PACKET),
        "request": "11" * 32,
        "task": 4,
        "attempt": 1,
        "plan": await kit.seal(PLAN),
        "numbers": (2, 4),
        **more,
    }
    return BuildRequest(**fields)


async def test_a_builder_sees_its_task_by_number(kit: Kit) -> None:
    """Numbers in the request become the plan's names; inputs come by the name of their task."""
    part = Artifact.of({"a.txt": "a"})
    request = await build_request(kit, inputs=(Part(task=2, artifact=await kit.keep(part)),))
    work = await work_for(request, kit.reader, role="maker", entropy=entropy)

    assert isinstance(work, BuildWork)
    assert (work.task, work.brief, work.author, work.attempt) == ("b", "second", "maker", 1)
    assert {name: a.digest for name, a in work.inputs.items()} == {"a": part.digest}
    assert (work.previous, work.verdicts, work.reasons) == (None, (), ())


async def test_a_later_attempt_sees_what_was_said(kit: Kit) -> None:
    """The refused bytes, the verdicts on them, and the coordinator's reasons."""
    before = Artifact.of({"a.txt": "old"})
    refused = Refused(findings=(Finding(invariant="a.b", message="no"),))
    request = await build_request(
        kit,
        attempt=2,
        previous=await kit.keep(before),
        verdicts=(await kit.seal(refused),),
        reasons=(await kit.seal(Acceptance(reopen=("b",), reasons=("too short", "too long"))),),
    )
    work = await work_for(request, kit.reader, role="maker", entropy=entropy)

    assert isinstance(work, BuildWork)
    assert work.previous is not None
    assert work.previous.digest == before.digest
    assert work.findings == refused.findings
    assert work.reasons == ("too short", "too long")


async def test_two_attempts_have_other_salts(kit: Kit) -> None:
    """The same bytes of two attempts have two digests: an approval of one says nothing of the other."""
    request = await build_request(kit)
    works = [await work_for(request, kit.reader, role="maker", entropy=entropy) for _ in range(2)]

    digests = {w.artifact({"a": "x"}).digest for w in works if isinstance(w, BuildWork)}
    assert len(digests) == 2


async def test_what_is_not_there_is_missing(kit: Kit) -> None:
    """A request that lists what no store has is no work."""
    request = await build_request(kit, previous="ee" * 32)

    with pytest.raises(BlobMissing):
        await work_for(request, kit.reader, role="maker", entropy=entropy)


async def test_content_of_another_kind_is_not_believed(kit: Kit) -> None:
    """A digest that names a verdict where a plan belongs."""
    request = await build_request(kit, plan=await kit.seal(Approved()))

    with pytest.raises(ValueError, match="holds a Approved, not a Plan"):
        await work_for(request, kit.reader, role="maker", entropy=entropy)


@pytest.mark.parametrize(
    "blob",
    [b"", b"{}", b"[]", b'{"kind": "manifest"}', b'{"kind": "packet"}', b'"plan"', b"\xff"],
    ids=lambda value: repr(value).split(" at 0x")[0],
)
def test_what_is_no_document_is_not_unsealed(blob: bytes) -> None:
    """Only documents of a known kind, whole."""
    with pytest.raises(ValueError):
        unseal(blob)


def test_an_artifact_comes_back_as_it_was() -> None:
    """Manifest and bytes make the very artifact again, media types and all."""
    artifact = Artifact.of({"b.bin": b"\x00\xff", "a.sql": "x"}, author="maker", attempt=3, salt="ab" * 32)

    again = assemble(artifact.manifest, [f.content for f in artifact.files])

    assert again.digest == artifact.digest
    assert [f.content for f in again.files] == [f.content for f in artifact.files]


async def test_a_gate_sees_a_task_with_its_brief(kit: Kit) -> None:
    """The task's brief for an artifact, the packet's for a composition, the plan itself for a plan."""
    artifact = Artifact.of({"a.txt": "a"})
    subject = await kit.keep(artifact)
    plan = await kit.seal(PLAN)
    fields: dict[str, Any] = {
        **BASE,
        "content": await kit.seal(PACKET),
        "ticket": "22" * 32,
        "attempt": 1,
        "independence": "prior",
    }
    on_task = ReviewRequest(
        **fields, reads=AttemptKind.ARTIFACT, task=4, subject=subject, plan=plan, numbers=(2, 4), waivers=()
    )
    on_whole = ReviewRequest(
        **fields, reads=AttemptKind.COMPOSITION, task=None, subject=subject, plan=plan, numbers=(2, 4)
    )
    on_plan = ReviewRequest(**fields, reads=AttemptKind.PLAN, task=None, subject=plan)

    works = [await work_for(r, kit.reader, role="style", entropy=entropy) for r in (on_task, on_whole, on_plan)]

    assert [w.brief for w in works if isinstance(w, ReviewWork)] == ["second", "It.", "It."]
    seen = [w.artifact and w.artifact.digest for w in works if isinstance(w, ReviewWork)]
    assert seen == [subject, subject, None]
    assert isinstance(works[2], ReviewWork)
    assert works[2].plan == PLAN


async def plan_request(kit: Kit, **more: Any) -> PlanRequest:
    fields = {
        **BASE,
        "content": await kit.seal(PACKET),
        "request": "33" * 32,
        "attempt": 1,
        "builders": ("maker",),
        "gates": ("style",),
        **more,
    }
    return PlanRequest(**fields)


async def recorded(kit: Kit, request: Any, reply: Any, role: str = "maker") -> Any:
    return await record_for(request, reply, kit.reader, role=role, entropy=entropy)


async def test_a_plan_is_numbered(kit: Kit) -> None:
    """New tasks get the next numbers, kept names keep theirs, and dependencies follow."""
    first, _ = await recorded(kit, await plan_request(kit), PLAN)
    amended = Plan(
        tasks=(
            Task(name="b", brief="second", builder="maker", after=("c",)),
            Task(name="c", brief="third", builder="maker"),
        )
    )
    request = await plan_request(kit, previous=await kit.seal(PLAN), numbers=(2, 4), next_task=7, attempt=2)
    second, _ = await recorded(kit, request, amended)

    assert isinstance(first, PlanRecord)
    assert [(t.task, t.after) for t in first.tasks] == [(1, ()), (2, (1,))]
    assert isinstance(second, PlanRecord)
    assert [(t.task, t.after) for t in second.tasks] == [(4, (7,)), (7, ())]


async def test_an_unchanged_brief_has_an_unchanged_digest(kit: Kit) -> None:
    """Within one packet; in another packet the same words are another digest."""
    request = await plan_request(kit)
    first, _ = await recorded(kit, request, PLAN)
    second, _ = await recorded(kit, request, PLAN)
    elsewhere, _ = await recorded(kit, await plan_request(kit), PLAN)

    assert [t.brief for t in first.tasks] == [t.brief for t in second.tasks]
    assert [t.brief for t in first.tasks] != [t.brief for t in elsewhere.tasks]


async def test_a_plan_that_names_nothing_points_nowhere(kit: Kit) -> None:
    """A dependency that is no task gets a number that is none, so that the rules can say so."""
    record, _ = await recorded(kit, await plan_request(kit), Plan(tasks=(PLAN.tasks[1],)))

    assert isinstance(record, PlanRecord)
    assert record.tasks[0].after[0] not in {t.task for t in record.tasks}


async def test_an_artifact_becomes_its_authors(kit: Kit) -> None:
    """Made with `Artifact.of` it knows nobody; handed in it is this author's, of this attempt, from these inputs."""
    part = Artifact.of({"a.txt": "a"})
    request = await build_request(kit, attempt=2, inputs=(Part(task=2, artifact=await kit.keep(part)),))
    loose = Artifact.of({"b.txt": "b"})
    record, content = await recorded(kit, request, loose)

    assert isinstance(record, ArtifactRecord)
    assert record.artifact != loose.digest
    assert digest_of(content[0]) == record.artifact
    assert content[1:] == (b"b",)


def review(content: str) -> ReviewRequest:
    about = {"ticket": "22" * 32, "reads": AttemptKind.ARTIFACT, "task": 2, "attempt": 1, "subject": "44" * 32}
    return ReviewRequest(**BASE, **about, content=content, independence="prior")


@pytest.mark.parametrize("counted", [None, NO_USAGE, Usage(tokens=9, calls=2)])
async def test_what_was_counted_stands_for_what_a_reply_says_it_cost(kit: Kit, counted: Usage | None) -> None:
    """A count of nothing changes nothing; the document that is sealed says what its record says."""
    own = Usage(tokens=1, calls=1)
    wanted = own if counted is None or counted == NO_USAGE else counted
    replies: list[tuple[RoleRequest, Any]] = [
        (await plan_request(kit), PLAN.but(usage=own)),
        (await plan_request(kit), Objection(reasons=("no",), proposal="else", usage=own)),
        (review(await kit.seal(PACKET)), Approved(usage=own)),
    ]
    for request, reply in replies:
        record, content = await record_for(request, reply, kit.reader, role="maker", entropy=entropy, usage=counted)
        salt = (await kit.reader.sealed(request.content))[1]

        assert wanted == record.usage  # type: ignore[attr-defined]
        assert says_the_same(record, unseal(content[0])[0], salt=salt)
    made, _ = await record_for(
        await build_request(kit),
        Artifact.of({"b.txt": "b"}),
        kit.reader,
        role="maker",
        entropy=entropy,
        usage=counted,
    )
    assert (counted or NO_USAGE) == made.usage  # type: ignore[attr-defined]
    with pytest.raises(UnusableReply):
        await record_for(
            await build_request(kit),
            None,
            kit.reader,
            role="maker",
            entropy=entropy,
            usage=counted,  # type: ignore[arg-type]
        )


async def test_an_artifact_of_this_attempt_is_handed_in_as_it_is(kit: Kit) -> None:
    """What `work.artifact` made keeps its digest."""
    request = await build_request(kit)
    work = await work_for(request, kit.reader, role="maker", entropy=entropy)
    assert isinstance(work, BuildWork)
    made = work.artifact({"b.txt": "b"})

    record, _ = await recorded(kit, request, made)

    assert record.artifact == made.digest


@pytest.mark.parametrize("reply", [None, "text", Approved(), PLAN, Acceptance(), 3, []])
async def test_a_builder_answers_with_an_artifact_or_an_objection(kit: Kit, reply: Any) -> None:
    """Anything else is no answer."""
    with pytest.raises(UnusableReply, match="answered a build request with"):
        await recorded(kit, await build_request(kit), reply)


async def test_an_objection_is_sealed(kit: Kit) -> None:
    """Its words go into a blob, its cost into the record."""
    objection = Objection(reasons=("no",), proposal="yes", usage=Usage(tokens=5, calls=1))
    record, content = await recorded(kit, await build_request(kit), objection)

    assert isinstance(record, ObjectionRecord)
    assert record.usage.tokens == 5
    assert unseal(content[0])[0] == objection


@pytest.mark.parametrize("model", [None, "anthropic:claude-x"])
async def test_a_record_says_which_model_answered(kit: Kit, model: str | None) -> None:
    """Whatever kind of answer it is; None where none was asked."""
    build, plan = await build_request(kit), await plan_request(kit)
    replies: list[tuple[Any, Any]] = [
        (plan, PLAN),
        (build, Artifact.of({"a": "x"})),
        (build, Objection(reasons=("no",), proposal="yes")),
    ]

    for request, reply in replies:
        record, _ = await record_for(request, reply, kit.reader, role="maker", entropy=entropy, model=model)
        assert model == record.model  # type: ignore[attr-defined]


# says_the_same --------------------------------------------------------------------------------------------------------


def verdict(document: Any, **changes: Any) -> VerdictRecord:
    fields = {
        "workspace": "cd" * 16,
        "packet": "ab" * 16,
        "ticket": "22" * 32,
        "author": "style",
        "decision": document.kind,
        "subject": "44" * 32,
        "attempt": 1,
        "saw": "55" * 32,
        "independence": "prior",
        "content": "66" * 32,
        "findings": FindingCounts.of(document.findings),
        "looked": document.looked,
        "waivers": document.waivers,
        "usage": document.usage,
        **changes,
    }
    return VerdictRecord(**fields)


MINOR = Finding(invariant="a.b", message="small", severity=Severity.MINOR)


@pytest.mark.parametrize(
    "document",
    [
        Approved(),
        Approved(looked=3, notes=(MINOR,), waivers=("77" * 32,), usage=Usage(tokens=1, calls=1)),
        Refused(findings=(MINOR,)),
        Abstained(reason="no"),
    ],
    ids=lambda d: d.kind,
)
def test_a_verdict_and_its_words_agree(document: Any) -> None:
    """As they are made they do; a change of either, in any field that both have, is noticed."""
    assert says_the_same(verdict(document), document)
    assert not says_the_same(verdict(document, looked=9), document)
    assert not says_the_same(verdict(document, findings=FindingCounts(blocker=1)), document)
    unmarked = FindingCounts.of(document.findings)
    assert not says_the_same(verdict(document, findings=unmarked.but(unanchored=1)), document)
    assert not says_the_same(verdict(document, waivers=("88" * 32,)), document)
    assert not says_the_same(verdict(document, usage=Usage(cost_microusd=1)), document)
    for decision in {"approved", "refused", "abstained"} - {document.kind}:
        assert not says_the_same(verdict(document, decision=decision), document)
    assert not says_the_same(verdict(document), Statement(text="approved"))


async def test_a_plan_and_its_words_agree(kit: Kit) -> None:
    """Builders, gates, dependencies and the length of every brief."""
    request = await plan_request(kit)
    record, _ = await recorded(kit, request, PLAN)
    salt = (await kit.reader.sealed(request.content))[1]
    other = PLAN.tasks[0].brief[::-1] + "?"

    assert says_the_same(record, PLAN, salt=salt)
    assert not says_the_same(record, PLAN, salt="another packet's")
    assert not says_the_same(record, Plan(tasks=(PLAN.tasks[0].but(brief=other[1:]), PLAN.tasks[1])), salt=salt)
    for changed in (
        Plan(tasks=PLAN.tasks[:1]),
        Plan(tasks=(PLAN.tasks[0].but(builder="other"), PLAN.tasks[1])),
        Plan(tasks=(PLAN.tasks[0].but(brief="longer words"), PLAN.tasks[1])),
        Plan(tasks=(PLAN.tasks[0].but(gates=("style",)), PLAN.tasks[1])),
        Plan(tasks=(PLAN.tasks[0], PLAN.tasks[1].but(after=()))),
        Plan(tasks=PLAN.tasks, usage=Usage(cost_microusd=1)),
    ):
        assert not says_the_same(record, changed, salt=salt)


def test_people_speak_in_statements() -> None:
    """A waiver's words are a statement, and nothing else."""
    waiver = WaiverRecord(
        workspace="cd" * 16,
        packet="ab" * 16,
        subject="44" * 32,
        author="owner",
        gate="style",
        expires_ms=1,
        content="66" * 32,
    )

    assert says_the_same(waiver, Statement(text="fine"))
    assert not says_the_same(waiver, Approved())


async def test_a_plan_may_be_amended_with_complaints(kit: Kit) -> None:
    """The coordinator sees the plan before, and every complaint with its documents, by the task's name."""
    from squads.contracts.messages import Grievance

    objection = Objection(reasons=("no",), proposal="yes")
    grievances = (
        Grievance(task=4, cause="objection", documents=(await kit.seal(objection),)),
        Grievance(task=None, cause="plan-invalid", detail="cyclic"),
    )
    request = await plan_request(kit, previous=await kit.seal(PLAN), numbers=(2, 4), attempt=2, grievances=grievances)
    work = await work_for(request, kit.reader, role="planner", entropy=entropy)

    assert isinstance(work, PlanWork)
    assert work.previous == PLAN
    assert [(c.task, c.cause, c.detail) for c in work.complaints] == [
        ("b", "objection", ""),
        (None, "plan-invalid", "cyclic"),
    ]
    assert work.complaints[0].objections == (objection,)


async def test_an_acceptance_names_tasks_by_number(kit: Kit) -> None:
    """Names that are in no plan become a number that is in no plan."""
    from squads.contracts.messages import AcceptRequest
    from squads.contracts.records import AcceptanceRecord

    request = AcceptRequest(
        **BASE,
        content=await kit.seal(PACKET),
        request="33" * 32,
        attempt=1,
        subject="44" * 32,
        plan=await kit.seal(PLAN),
        numbers=(2, 4),
        parts=(),
    )
    answer = Acceptance(
        reopen=("b", "ghost"), reasons=("no",), held=(Held(predicate="p", holds=False, evidence="99" * 32),)
    )
    record, _ = await recorded(kit, request, answer)

    assert isinstance(record, AcceptanceRecord)
    assert record.reopen[0] == 4
    assert set(record.reopen[1:]).isdisjoint({2, 4})
    assert says_the_same(record, answer)
    assert not says_the_same(record, answer.but(held=()))
    assert not says_the_same(record, answer.but(reopen=()))
