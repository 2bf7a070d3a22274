"""What every role must do, as tests: subclass, say how to make yours, and let pytest collect it.

    from squads.testing import GateConformance

    class TestSchema(GateConformance):
        refused = {"schema.sql": "CREATE TABLE t (balance int);"}
        approved = {"schema.sql": "CREATE TABLE t (balance int CHECK (balance >= 0));"}

        def gate(self):
            return Schema()

It needs pytest-asyncio in auto mode. The suites look at a role from outside, as the kernel does: they must never read
what is inside of it, and they never say which of its findings are right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidArtifact
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.plan import Objection
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.contracts.work import BuildWork, Reply, ReviewWork
from squads.resolve import NAME, record_of_role
from squads.testing.malformed import MALFORMED

SECONDS_MAX = 20.0
"""How long one answer to a small file may take."""


class GateConformance:
    """The suite for gates that read artifacts, checks under `@check` included."""

    refused: Mapping[str, str | bytes]
    """Files that the gate must refuse."""
    approved: Mapping[str, str | bytes]
    """Files that it must let through, as near to the refused ones as can be."""
    base: Mapping[str, str | bytes] = {}
    """For a gate that reads changes: what stood before. Without it the files stand alone."""
    brief: str = "Judge it."
    """What was asked for."""

    def gate(self) -> Any:
        """Return a new gate."""
        raise TypeError("a subclass says how to make one")

    async def ask(self, files: Mapping[str, str | bytes], *, gate: Any = None) -> Verdict:
        """Return what a gate says of these files."""
        base = Artifact.of(self.base) if self.base else None
        work = ReviewWork(
            packet=Packet(brief=self.brief),
            reads=AttemptKind.ARTIFACT,
            attempt=1,
            brief=self.brief,
            artifact=Artifact.of(files, base=base.digest if base else None),
            inputs={"base": base} if base else {},
        )
        async with asyncio.timeout(SECONDS_MAX):
            verdict: Any = await (gate or self.gate()).answer(work)
        assert isinstance(verdict, (Approved, Refused, Abstained))
        return verdict

    def test_it_can_sit_in_a_squad(self) -> None:
        """It has a name, a prior and a kind, and the same gate made twice has the same prior."""
        one, other = record_of_role(self.gate()), record_of_role(self.gate())

        assert one.kind == "gate"
        assert NAME.fullmatch(one.name)
        assert one.reads
        assert one.prior == other.prior

    async def test_it_refuses_what_it_is_there_for(self) -> None:
        """With findings that name a file which is there, what is wrong, and what would satisfy it."""
        verdict = await self.ask(self.refused)

        assert isinstance(verdict, Refused), verdict
        for found in verdict.findings:
            assert found.message
            assert found.location is None or found.location.path in self.refused

    async def test_it_lets_the_clean_twin_through(self) -> None:
        """A gate that refuses everything catches everything, and is of no use."""
        verdict = await self.ask(self.approved)

        assert isinstance(verdict, Approved), verdict
        assert verdict.looked > 0

    async def test_it_keeps_nothing_between_two_readings(self) -> None:
        """Each reading starts fresh: what it saw before changes no verdict."""
        gate = self.gate()
        first = await self.ask(self.approved, gate=gate)
        await self.ask(self.refused, gate=gate)

        assert (await self.ask(self.approved, gate=gate)).kind == first.kind

    async def test_it_reads_several_attempts_at_once(self) -> None:
        """Verdicts do not mix."""
        gate = self.gate()
        said = await asyncio.gather(*(self.ask(f, gate=gate) for f in (self.refused, self.approved) * 4))

        assert [v.kind for v in said] == ["refused", "approved"] * 4

    async def test_no_file_makes_it_fall(self) -> None:
        """Empty, binary, huge, nested, of another kind: the answer is a verdict, and it comes in time."""
        for path in self.refused:
            for what, content in MALFORMED.items():
                try:
                    files = {path: content}
                    Artifact.of(files)
                except InvalidArtifact:
                    continue
                assert await self.ask(files) is not None, what

    async def test_it_says_no_to_work_that_is_not_a_gates(self) -> None:
        """A gate reads; whatever else it is asked becomes a fault, and never an approval."""
        try:
            reply = await self.gate().answer(_build_work())
        except Exception:  # raising is the honest answer: it becomes a fault
            return
        assert not isinstance(reply, Approved)


class BuilderConformance:
    """The suite for builders."""

    brief: str = "Make it."
    """A brief that the builder can answer with an artifact."""

    def builder(self) -> Any:
        """Return a new builder."""
        raise TypeError("a subclass says how to make one")

    async def ask(self, work: BuildWork) -> Reply:
        """Return what a builder answers."""
        async with asyncio.timeout(SECONDS_MAX):
            return await self.builder().answer(work)  # type: ignore[no-any-return]

    def test_it_can_sit_in_a_squad(self) -> None:
        """It has a name, a prior and a kind, and the same builder made twice has the same prior."""
        one, other = record_of_role(self.builder()), record_of_role(self.builder())

        assert one.kind == "builder"
        assert NAME.fullmatch(one.name)
        assert one.prior == other.prior

    async def test_it_answers_with_an_artifact_of_its_own(self) -> None:
        """It carries the builder's name, the attempt and what it was made from."""
        made = Artifact.of({"input.txt": "given"}, author="somebody")
        reply = await self.ask(_build_work(self.brief, inputs={"before": made}))

        assert isinstance(reply, (Artifact, Objection)), reply
        if isinstance(reply, Artifact):
            assert reply.files or reply.removals
            assert (reply.author, reply.attempt) == ("builder", 1)

    async def test_it_refuses_or_answers_on_a_later_attempt(self) -> None:
        """Findings come as verdicts; whatever they say, the answer is an artifact or an objection."""
        first = await self.ask(_build_work(self.brief))
        assert isinstance(first, (Artifact, Objection))
        if isinstance(first, Artifact):
            second = await self.ask(_build_work(self.brief, attempt=2, previous=first))
            assert isinstance(second, (Artifact, Objection)), second

    async def test_it_says_no_to_work_that_is_not_a_builders(self) -> None:
        """Whatever it is asked besides becomes a fault."""
        work = ReviewWork(packet=Packet(brief="x"), reads=AttemptKind.ARTIFACT, attempt=1, brief="x")
        try:
            reply = await self.builder().answer(work)
        except Exception:  # raising is the honest answer: it becomes a fault
            return
        assert not isinstance(reply, (Approved, Artifact))


def _build_work(brief: str = "Make it.", **more: Any) -> BuildWork:
    fields: dict[str, Any] = {"attempt": 1, **more}
    return BuildWork(packet=Packet(brief=brief), task="work", brief=brief, author="builder", salt="0" * 64, **fields)
