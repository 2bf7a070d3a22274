"""Records hold digests, ids, names, enums and integers; errors are one tree; requests fit a message."""

from __future__ import annotations

import inspect

import pytest

from squads.contracts import errors
from squads.contracts.messages import MESSAGE_BYTES_MAX, AcceptRequest, Envelope, PlanRequest, ReviewRequest
from squads.contracts.packet import AttemptKind
from squads.contracts.records import PACKET_RECORDS, WORKSPACE_RECORDS, Part, StopRecord
from squads.kernel.receipts import subject_of
from squads.ledger.types import KINDS

W, P, D = "a" * 32, "b" * 32, "c" * 64
COMMON = {"packet": P, "workspace": W, "content": D, "due_ms": 1}


def test_every_kind_is_named_as_in_the_ledgers_table() -> None:
    """Two tables of kinds would be two truths."""
    records = {**PACKET_RECORDS, **WORKSPACE_RECORDS}

    assert all(name == model.kind for name, model in records.items())
    assert set(records) == set(KINDS) - {"log-open", "key-event"}


def test_no_record_has_room_for_prose() -> None:
    """Leaves hold no personal data: every string of a record is a digest, an id, a configured name or an enum."""
    free = {("RoleRecord", "model"), ("RoleRecord", "family")}
    schema = {**PACKET_RECORDS, **WORKSPACE_RECORDS}
    for model in schema.values():
        document = model.model_json_schema()
        for name, part in {model.__name__: document, **document.get("$defs", {})}.items():
            for field, says in part.get("properties", {}).items():
                for one in (says, *says.get("anyOf", ()), says.get("items", {})):
                    if one.get("type") == "string":
                        assert one.keys() & {"pattern", "enum", "const"} or (name, field) in free, (name, field)


def test_a_record_is_about_what_it_names() -> None:
    """The statement's subject is its digest, under the field's name."""
    assert subject_of(StopRecord(workspace=W, author="mara", content=D)) == ("content", D)


def test_the_errors_are_the_tree_that_is_drawn() -> None:
    """Every class stands in the drawing, under its parent."""
    drawing = inspect.getdoc(errors) or ""
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    depth = {
        word: line.index(word) // 4
        for line in drawing.splitlines()
        for word in [line.strip("│├└─ ").split(" ")[0]]
        if word
    }

    for error in classes:
        assert error.__name__ in drawing, f"{error.__name__} is not drawn"
        assert error.__doc__
        ours = [c for c in error.__mro__ if issubclass(c, errors.SquadsError)]
        assert depth[error.__name__] == len(ours), error.__name__


def review(**change: object) -> ReviewRequest:
    fields = {
        "ticket": D,
        "reads": AttemptKind.ARTIFACT,
        "task": 1,
        "attempt": 1,
        "subject": D,
        "independence": "prior",
    }
    return ReviewRequest(**{**COMMON, **fields, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "d" * 64},
        {"ticket": "d" * 64},
        {"content": "d" * 64},
        {"memory": "d" * 64},
        {"plan": "d" * 64},
        {"numbers": (1,)},
        {"inputs": (Part(task=1, artifact=D),)},
        {"waivers": ((D, D),)},
        {"independence": "family"},
        {"packet": "c" * 32},
        {"workspace": "c" * 32},
    ],
)
def test_what_a_gate_saw_changes_with_everything_it_was_shown(change: dict[str, object]) -> None:
    """Its verdict repeats the digest, so it answers exactly this request."""
    assert review().saw != review(**change).saw


def test_the_same_request_is_the_same_message() -> None:
    """Sent again after a crash, it has the same id; to another recipient, another one."""
    request = PlanRequest(**COMMON, request=D, attempt=1, builders=(), gates=())  # type: ignore[arg-type]
    one, again, other = (Envelope.to_role(name, D, request) for name in ("coord", "coord", "else"))

    assert one == again
    assert one.id != other.id
    assert one.id != one.reply(request).id  # type: ignore[arg-type]


def test_a_default_check_fits_a_message() -> None:
    """32 tasks under eight gates: the largest request of a packet with default limits."""
    request = AcceptRequest(
        **COMMON,  # type: ignore[arg-type]
        request=D,
        attempt=1,
        subject=D,
        plan=D,
        numbers=tuple(range(1, 33)),
        parts=tuple(Part(task=n, artifact=D) for n in range(1, 33)),
        verdicts=tuple((f"gate-{n % 8}", D) for n in range(32 * 8 + 8)),
    )

    assert len(Envelope.to_role("coord", D, request).model_dump_json()) <= MESSAGE_BYTES_MAX
