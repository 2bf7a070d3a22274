"""The builder's port: plain or asynchronous, and only builds."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Artifact, Builder, Objection, Packet
from squads.contracts.errors import EmptyArtifact, InvalidPath
from squads.contracts.packet import AttemptKind
from squads.contracts.work import BuildWork, ReviewWork

PACKET = Packet(brief="It.")


def work(**more: Any) -> BuildWork:
    fields = {"packet": PACKET, "task": "t", "brief": "x", "attempt": 2, "author": "maker", "salt": "ab" * 32, **more}
    return BuildWork(**fields)


class Plain(Builder):
    def build(self, work: BuildWork) -> Artifact | Objection:
        return work.artifact({"a": "x"})


class Patient(Builder):
    async def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a": "x"})


async def test_a_builder_may_be_plain_or_asynchronous() -> None:
    """The port awaits either."""
    made = [await role.answer(work()) for role in (Plain(), Patient())]

    assert made[0] == made[1]


async def test_a_builder_only_builds() -> None:
    """Other work is refused, and the error says what it was."""
    review = ReviewWork(packet=PACKET, reads=AttemptKind.PLAN, attempt=1, brief="x")
    with pytest.raises(TypeError, match="it was given ReviewWork"):
        await Plain().answer(review)


def test_an_artifact_carries_its_origin() -> None:
    """Author, attempt, inputs and salt come from the work."""
    part = Artifact.of({"b": "y"})
    made = work(inputs={"before": part}).artifact({"a": "x"})

    assert (made.author, made.attempt, made.made_from, made.salt) == ("maker", 2, (part.digest,), "ab" * 32)


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({}, EmptyArtifact),
        ({"/etc/passwd": ""}, InvalidPath),
        ({"../a": ""}, InvalidPath),
        ({"a/../b": ""}, InvalidPath),
        ({"a//b": ""}, InvalidPath),
        ({"": ""}, InvalidPath),
        ({"a\nb": ""}, InvalidPath),
        ({"C:/a": ""}, InvalidPath),
        ({"a\\b": ""}, InvalidPath),
        ({"a": "", "a/b": ""}, InvalidPath),
        ({"e\u0301": ""}, InvalidPath),
        ({"a" * 1_025: ""}, InvalidPath),
    ],
    ids=lambda v: ascii(v)[:24] if isinstance(v, dict) else "",
)
def test_a_bad_artifact_is_said_where_it_is_made(files: dict[str, str], error: type[Exception]) -> None:
    """With the path, and what to write instead."""
    with pytest.raises(error):
        work().artifact(files)


def test_an_objection_has_reasons_and_a_proposal() -> None:
    """Refusing a brief without saying why, or what instead, is refused."""
    from squads import InvalidInput

    assert work().objection("unclear", proposal="say which").reasons == ("unclear",)
    with pytest.raises(InvalidInput):
        work().objection(proposal="none")
    with pytest.raises(InvalidInput):
        work().objection("why", proposal="")


def test_work_does_not_show_its_salt() -> None:
    """A work that is logged gives nothing away."""
    assert "ab" * 32 not in repr(work())
