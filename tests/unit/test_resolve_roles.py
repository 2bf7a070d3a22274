"""Names and priors of roles: what makes two roles read with the same eyes."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Approved, Artifact, Builder, Finding, Gate, check
from squads.contracts.errors import InvalidSquad
from squads.contracts.packet import AttemptKind
from squads.contracts.work import BuildWork, ReviewWork
from squads.resolve import name_of, prior_of, record_of_role, resolve
from squads.testing import ScriptedBuilder, ScriptedCoordinator, ScriptedGate


class Reader(Gate):
    def review(self, work: ReviewWork) -> Approved:
        return work.approve()


class SlowReader(Reader):
    """The same, with more patience."""


class OtherReader(Gate):
    def review(self, work: ReviewWork) -> Approved:
        return work.approve(looked=2)


def with_(role: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(role, name, value)
    return role


def test_a_prior_is_the_same_for_the_same_eyes() -> None:
    """Two instances of one class with the same words bring the same; a name changes nothing."""
    assert prior_of(Reader()) == prior_of(Reader())
    assert prior_of(Reader()) == prior_of(with_(Reader(), name="another-name"))


@pytest.mark.parametrize(
    "change",
    [{"prior": "suspicious"}, {"model": "reader-1"}, {"tools": ("grep",)}, {"card": "# A card"}],
    ids=lambda c: next(iter(c)),
)
def test_a_prior_covers_what_a_role_brings(change: dict[str, Any]) -> None:
    """Prose, model, tools and card each make it another one."""
    assert prior_of(Reader()) != prior_of(with_(Reader(), **change))


def test_a_prior_covers_the_code() -> None:
    """Another class is another prior, a subclass too."""
    assert len({prior_of(r()) for r in (Reader, SlowReader, OtherReader)}) == 3


def test_a_prior_of_a_check_is_its_functions() -> None:
    """Two checks with the same words and other code are two priors."""

    @check("a.b")
    def one(artifact: Artifact) -> list[Finding]:
        return []

    @check("a.b")
    def two(artifact: Artifact) -> list[Finding]:
        found: list[Finding] = []
        return found

    assert prior_of(one) != prior_of(two)
    assert prior_of(one) == prior_of(one)


def test_code_without_source_has_a_prior() -> None:
    """Where there is no source to read, the compiled code stands in: the same code gives the same digest."""

    def made(body: str) -> Any:
        space: dict[str, Any] = {"Gate": Gate, "__name__": "typed_at_a_prompt"}
        exec(f"class Typed(Gate):\n    def review(self, work):\n        return {body}", space)
        return space["Typed"]()

    assert prior_of(made("work.approve()")) == prior_of(made("work.approve()"))
    assert prior_of(made("work.approve()")) != prior_of(made("work.abstain('x')"))


def test_code_without_source_covers_its_constants_and_lambdas() -> None:
    """A changed word deep inside is another prior."""

    def made(word: str) -> Any:
        space: dict[str, Any] = {"Gate": Gate, "__name__": "typed_at_a_prompt"}
        exec(f"class Typed(Gate):\n    def review(self, work):\n        return (lambda: {word!r})()", space)
        return space["Typed"]()

    assert prior_of(made("one")) != prior_of(made("two"))


class Carpenter(Builder):
    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a": "x"})


class HTTPReader(Reader):
    pass


class _Private(Reader):
    pass


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (Carpenter(), "carpenter"),
        (SlowReader(), "slow-reader"),
        (_Private(), "private"),
        (with_(Reader(), name="sql.unique-null"), "sql.unique-null"),
    ],
)
def test_a_role_has_a_name(role: Any, name: str) -> None:
    """Its own, or its class's."""
    assert name_of(role) == name


@pytest.mark.parametrize("name", ["Runner", "runner", "a b", "1st", "ä", "a/b", "x" * 65, "-a"])
def test_a_name_is_a_name(name: str) -> None:
    """Configured words only; the runner's address is nobody's."""
    with pytest.raises(InvalidSquad):
        name_of(with_(Reader(), name=name))


def test_a_record_freezes_what_counts() -> None:
    """Kind, what it reads, what it may cost, and whether it is the unsafe one."""
    gate = with_(
        ScriptedGate("style", reads=["plan", "composition"]),
        model="reader-1",
        family="readers",
        call_tokens_max=10,
        call_microusd_max=20,
    )
    record = record_of_role(gate)

    assert (record.name, record.kind, record.unsafe) == ("style", "gate", False)
    assert record.reads == (AttemptKind.PLAN, AttemptKind.COMPOSITION)
    assert (record.model, record.family) == ("reader-1", "readers")
    assert (record.call_tokens_max, record.call_microusd_max) == (10, 20)
    assert record_of_role(ScriptedBuilder()).reads == ()


def test_roles_come_in_their_order() -> None:
    """Coordinator, builders, gates: as they were given."""
    found = resolve(
        ScriptedCoordinator(),
        [ScriptedBuilder(name="b"), ScriptedBuilder(name="a")],
        [ScriptedGate("z"), ScriptedGate("y")],
    )

    assert list(found) == ["coordinator", "b", "a", "z", "y"]
    assert all(role is not None and record.name == name for name, (role, record) in found.items())
