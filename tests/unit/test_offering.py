"""What a role needs lies where its host can read it, all of it and nothing else, before the role is asked."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from squads import session
from squads.adapters.memory_blobs import MemoryBlobs
from squads.contracts.artifact import Artifact
from squads.contracts.base import Document
from squads.contracts.errors import BlobMissing, StorageUnavailable
from squads.contracts.finding import Finding
from squads.contracts.memory import Recalled
from squads.contracts.messages import AcceptRequest, BuildRequest, Grievance, PlanRequest, ReviewRequest, RoleRequest
from squads.contracts.outcome import Composed
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.plan import Acceptance, Objection, Plan, Statement, Task
from squads.contracts.records import Part, TreeHead
from squads.contracts.verdict import Approved, Refused
from squads.handover import Reader, record_for, work_for
from squads.kernel.ports import BlobStore
from squads.offering import BATCH_BYTES, Offering, digests_in
from squads.runner import Runner
from squads.squad import Squad
from squads.testing import ScriptedBuilder, ScriptedCoordinator, ScriptedGate, seeded_entropy
from squads.worker import Worker

FINDING = Finding(invariant="text.no-x", message="It says x.", evidence="x")


class SharedBlobs(MemoryBlobs):
    """What hosts read: a store of its own, that says what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[set[str]] = []
        self.puts: list[list[str]] = []

    async def missing(self, digests: Collection[str]) -> set[str]:
        self.looks.append(set(digests))
        return {digest for digest in digests if digest not in self._content}

    async def put_many(self, contents: Sequence[bytes]) -> list[str]:
        self.puts.append([self.keep(content) for content in contents])
        return self.puts[-1]


class Desk:
    """The ledger's store, with one request of every kind about what lies in it."""

    def __init__(self) -> None:
        self.blobs = MemoryBlobs()
        self.entropy = seeded_entropy("offering")
        self.blobs.keep(b"nobody speaks of this")

    def sealed(self, document: Document) -> str:
        return self.blobs.keep(document.seal(self.entropy(32))[1])

    def artifact(self, **files: str) -> str:
        artifact = Artifact.of({f"{name}.txt": text for name, text in files.items()}, salt=self.entropy(32).hex())
        for file in artifact.files:
            self.blobs.keep(file.content)
        return self.blobs.keep(artifact.manifest.blob)

    def requests(self) -> dict[str, RoleRequest]:
        plan = Plan(tasks=(Task(name="one", brief="a", builder="b"), Task(name="two", brief="b", builder="b")))
        about: dict[str, Any] = {
            "packet": "a" * 32,
            "workspace": "b" * 32,
            "content": self.sealed(Packet(brief="Two texts.")),
            "memory": self.sealed(Recalled(charter="Be kind.")),
            "due_ms": 1,
            "attempt": 2,
        }
        numbers = (1, 2)
        parts = (Part(task=1, artifact=self.artifact(a="1", both="2")), Part(task=2, artifact=self.artifact(c="3")))
        verdict, approval = self.sealed(Refused(findings=(FINDING,))), self.sealed(Approved())
        review = {**about, "independence": "prior", "tree_head": TreeHead(size=1, root="c" * 64)}
        sealed = self.sealed(plan)
        return {
            "plan": PlanRequest(
                **about,
                request="1" * 64,
                builders=("b",),
                gates=("g",),
                previous=sealed,
                numbers=numbers,
                next_task=3,
                grievances=(
                    Grievance(task=1, cause="objection", documents=(self.sealed(_objection()),), detail="so"),
                    Grievance(task=2, cause="refused", documents=(verdict,), detail="so"),
                ),
            ),
            "build": BuildRequest(
                **about,
                request="2" * 64,
                task=2,
                plan=sealed,
                numbers=numbers,
                inputs=parts[:1],
                previous=self.artifact(c="old"),
                verdicts=(verdict,),
                reasons=(self.sealed(Acceptance(reopen=("two",), reasons=("not yet",))),),
            ),
            "review of a plan": ReviewRequest(
                **review, ticket="3" * 64, reads=AttemptKind.PLAN, task=None, subject=sealed
            ),
            "review of an artifact": ReviewRequest(
                **review,
                ticket="4" * 64,
                reads=AttemptKind.ARTIFACT,
                task=2,
                subject=self.artifact(c="new"),
                plan=sealed,
                numbers=numbers,
                inputs=parts[:1],
                waivers=(("5" * 64, self.sealed(Statement(text="It may."))),),
            ),
            "review of a composition": ReviewRequest(
                **review,
                ticket="6" * 64,
                reads=AttemptKind.COMPOSITION,
                task=None,
                subject=self.artifact(a="1", both="2", c="3"),
                plan=sealed,
                numbers=numbers,
                inputs=parts,
            ),
            "accept": AcceptRequest(
                **about,
                request="7" * 64,
                subject=self.artifact(a="1", both="2", c="3"),
                plan=sealed,
                numbers=numbers,
                parts=parts,
                verdicts=(("g", approval), ("h", verdict)),
                refused=True,
            ),
        }


def _objection() -> Objection:
    return Objection(reasons=("unclear",), proposal="say more")


REPLIES: dict[str, Any] = {
    "plan": Plan(tasks=(Task(name="two", brief="b", builder="b"), Task(name="three", brief="c", builder="b"))),
    "build": Artifact.of({"c.txt": "3"}),
    "accept": Acceptance(reopen=("two",)),
}
NAMES = {"request", "ticket", "waivers", "tree_head"}
"""Fields with digests that name a question, an answer or a log: nothing of these names lies in a store. (A waiver is a
pair: its name, and the words, which do.)"""

every_kind = pytest.mark.parametrize("kind", sorted(Desk().requests()))


async def answered(request: RoleRequest, kind: str, blobs: BlobStore) -> None:
    """Do what a host does with a request: read the work, and write the record of an answer."""
    reader, entropy = Reader(blobs), seeded_entropy("host")
    await work_for(request, reader, role="b", entropy=entropy)
    await record_for(request, REPLIES.get(kind, Approved()), reader, role="b", entropy=entropy)


@every_kind
async def test_a_host_needs_what_is_offered_and_all_of_it(kind: str) -> None:
    """With exactly these blobs every request can be answered, and without any one of them it cannot."""
    desk = Desk()
    request = desk.requests()[kind]
    digests = await digests_in(request, Reader(desk.blobs))
    exactly = {digest: await desk.blobs.get(digest) for digest in digests}

    assert len(digests) == len(exactly)
    await answered(request, kind, _holding(exactly))
    for digest in digests:
        with pytest.raises(BlobMissing, match=digest):
            await answered(request, kind, _holding({d: c for d, c in exactly.items() if d != digest}))


@every_kind
async def test_every_digest_of_a_request_is_offered_or_is_a_name(kind: str) -> None:
    """A new field with a digest must be in one of the two, or a host elsewhere would miss what it speaks of."""
    desk = Desk()
    request = desk.requests()[kind]
    offered = set(await digests_in(request, Reader(desk.blobs)))

    for field in sorted(type(request).model_fields.keys() - NAMES):
        assert set(_digests(getattr(request, field))) <= offered, field
    assert {words for _, words in getattr(request, "waivers", ())} <= offered


@pytest.mark.parametrize("model", [PlanRequest, BuildRequest, ReviewRequest, AcceptRequest])
def test_no_field_of_a_request_is_left_out_of_these_tests(model: type[BaseModel]) -> None:
    """A field that is new here must be given in `Desk.requests`, and then the tests above ask what it speaks of."""
    examples = [request for request in Desk().requests().values() if isinstance(request, model)]
    told = {
        (type(part), field)
        for request in examples
        for part in _models(request)
        for field, info in type(part).model_fields.items()
        if info.is_required() or getattr(part, field) != info.default
    }

    for part in [part for request in examples for part in _models(request)]:
        assert not {(type(part), f) for f in type(part).model_fields.keys() - {"kind"}} - told


def _models(value: Any) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
        value = [getattr(value, field) for field in type(value).model_fields]
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _models(item)


def _digests(value: Any) -> Iterator[str]:
    if isinstance(value, str) and len(value) == 64:
        yield value
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _digests(getattr(value, field))
    elif isinstance(value, tuple):
        for item in value:
            yield from _digests(item)


def _holding(content: dict[str, bytes]) -> MemoryBlobs:
    blobs = MemoryBlobs()
    for blob in content.values():
        blobs.keep(blob)
    return blobs


@every_kind
async def test_what_was_offered_can_be_answered_from_the_shared_store_alone(kind: str) -> None:
    """The host has nothing of ours, and nothing is there that the request does not speak of."""
    desk, shared = Desk(), SharedBlobs()
    request = desk.requests()[kind]

    await Offering(Reader(desk.blobs), shared)(request)

    await answered(request, kind, shared)
    assert set(shared._content) == set(await digests_in(request, Reader(desk.blobs)))


async def test_what_is_there_is_not_put_again() -> None:
    """Another runner, or whoever made it, has put it there: only the rest is written."""
    desk, shared = Desk(), SharedBlobs()
    request = desk.requests()["build"]
    there = shared.keep(await desk.blobs.get(request.content))

    await Offering(Reader(desk.blobs), shared)(request)

    (put,) = shared.puts
    assert {there, *put} == set(await digests_in(request, Reader(desk.blobs)))
    assert there not in put


async def test_offering_twice_asks_once() -> None:
    """For as long as content is sure to be there still; afterwards it is looked for, and lives on."""
    desk, shared, now = Desk(), SharedBlobs(), [100.0]
    offering = Offering(Reader(desk.blobs), shared, seen_seconds=30, monotonic=lambda: now[0])
    request = desk.requests()["build"]

    await offering(request)
    now[0] = 129.0
    await offering(request)
    assert (1, 1) == (len(shared.looks), len(shared.puts))
    now[0] = 131.0
    await offering(request)

    assert shared.looks[0] == shared.looks[1]
    assert (2, []) == (len(shared.looks), shared.puts[1])


async def test_after_a_loss_everything_is_offered_again() -> None:
    """A wiped server comes back with what open requests need."""
    desk, shared = Desk(), SharedBlobs()
    offering = Offering(Reader(desk.blobs), shared)
    request = desk.requests()["accept"]
    await offering(request)

    shared._content.clear()
    offering.forget()
    await offering(request)

    await answered(request, "accept", shared)


async def test_what_was_put_before_a_loss_is_not_taken_to_be_there() -> None:
    """The loss may come between the put and its note."""

    class Losing(SharedBlobs):
        async def put_many(self, contents: Sequence[bytes]) -> list[str]:
            digests = await super().put_many(contents)
            if len(self.puts) == 1:
                self._content.clear()
                offering.forget()
            return digests

    desk, shared = Desk(), Losing()
    offering = Offering(Reader(desk.blobs), shared)
    request = desk.requests()["build"]

    await offering(request)
    await offering(request)

    await answered(request, "build", shared)


async def test_it_remembers_within_a_bound() -> None:
    """Thousands of digests cost no more memory than the bound, and what was forgotten is only looked for again."""
    desk, shared = Desk(), SharedBlobs()
    offering = Offering(Reader(desk.blobs), shared, seen_max=5)

    requests = desk.requests()

    for kind, request in requests.items():
        await offering(request)
        assert len(offering._seen) <= 5
        await answered(request, kind, shared)
    await offering(requests["build"])

    assert requests["build"].content in shared.looks[-1]
    assert shared.puts[-1] == []


async def test_much_content_goes_in_portions() -> None:
    """An artifact of any size is never in memory as a whole on its way."""
    desk, shared = Desk(), SharedBlobs()
    size_bytes = BATCH_BYTES // 2
    large = desk.artifact(**{name: name * size_bytes for name in "uvwxyz"})
    request = desk.requests()["build"].but(previous=large)

    await Offering(Reader(desk.blobs), shared)(request)

    await answered(request, "build", shared)
    assert len(shared.puts) > 2
    assert max(sum(len(shared._content[d]) for d in put) for put in shared.puts) <= BATCH_BYTES + size_bytes


@pytest.mark.parametrize("gone", ["content", "subject"])
async def test_content_that_is_not_here_holds_up_nothing(gone: str, caplog: pytest.LogCaptureFixture) -> None:
    """It was erased: the role's host misses it too and says so, which is a receipt; the runner goes on."""
    desk, shared = Desk(), SharedBlobs()
    request = desk.requests()["accept"]
    await desk.blobs.erase(getattr(request, gone))

    with caplog.at_level(logging.WARNING, "squads.offering"):
        await Offering(Reader(desk.blobs), shared)(request)

    assert "a role is asked about content that is not here" in caplog.text
    with pytest.raises(BlobMissing):
        await answered(request, "accept", shared)


async def test_a_store_that_cannot_be_reached_stops_the_request() -> None:
    """Nothing is noted, and the next offer looks again."""

    class Down(SharedBlobs):
        async def missing(self, digests: Collection[str]) -> set[str]:
            if not self.looks:
                self.looks.append(set())
                raise StorageUnavailable("down")
            return await super().missing(digests)

    desk, shared = Desk(), Down()
    offering = Offering(Reader(desk.blobs), shared)
    request = desk.requests()["build"]

    with pytest.raises(StorageUnavailable):
        await offering(request)
    await offering(request)

    await answered(request, "build", shared)


async def test_a_whole_packet_is_worked_on_from_the_shared_store_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan, objection, refusal, mending, composition and acceptance, by hosts that read nothing else."""
    shared = SharedBlobs()

    def runner(workspace: Any, *arguments: Any, **options: Any) -> Runner:
        return Runner(workspace, *arguments, **{**options, "offer": Offering(Reader(workspace.blobs), shared)})

    def worker(bus: Any, reader: Reader, *arguments: Any, **options: Any) -> Worker:
        return Worker(bus, Reader(shared), *arguments, **options)

    monkeypatch.setattr(session, "Runner", runner)
    monkeypatch.setattr(session, "Worker", worker)
    one = Task(name="one", brief="a", builder="builder")
    tasks = (one, Task(name="two", brief="b", builder="builder", after=("one",)))
    builder = ScriptedBuilder(_objection(), {"a.txt": "x"}, {"a.txt": "1"}, {"b.txt": "2"})
    coordinator = ScriptedCoordinator(tasks, tasks, accepts=[Acceptance()])
    gate = ScriptedGate("style", Refused(findings=(FINDING,)), Approved(), Approved(), reads=("artifact",))
    squad = Squad(builder=builder, coordinator=coordinator, gates=[gate])

    outcome = await squad.run("Two texts.")
    await squad.close()

    assert isinstance(outcome, Composed)
    for role in (builder, coordinator, gate):
        role.done()
