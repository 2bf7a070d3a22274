"""Receipts as bytes and back, and replay: the same inputs must give the same outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from kernel_scene import (
    COMPOSITION,
    EVERYBODY,
    PACKET,
    SCHEMA,
    STYLE,
    WORKSPACE,
    Scene,
    digest,
    key,
    opened,
    role,
    task,
    view_of,
)

from squads.contracts.errors import LedgerBroken
from squads.contracts.packet import ApprovalRule
from squads.contracts.records import (
    PACKET_RECORDS,
    WORKSPACE_RECORDS,
    FaultRecord,
    GrantRecord,
    LiftRecord,
    Record,
    StopRecord,
)
from squads.kernel.receipts import Receipt, payload_of, receipt_of, record_in, record_of
from squads.kernel.replay import Diverged, Replay
from squads.ledger.statement import PAYLOAD_TYPE, parse_statement, statement_bytes
from squads.ledger.types import KINDS

KEY = (bytes.fromhex(key("runner")),)


def long_way() -> Scene:
    """A packet with a refusal, an abstention, a re-opening, a composition gate and people."""
    whole = role("whole", "gate", COMPOSITION)
    scene = Scene(
        SCHEMA,
        STYLE,
        whole,
        view=view_of(*EVERYBODY, "gate:whole"),
        approval=ApprovalRule(approvers=("mara", "nils"), quorum=2),
    )
    scene.plan(task(1), task(2, 1))
    scene.build(1)
    scene.judge("schema", "refused")
    scene.judge("style")
    scene.build(1)
    scene.judge("schema", "abstained")
    scene.judge("style")
    scene.judge("schema")
    scene.build(2)
    scene.approve_all()
    scene.accept(reopen=(2,))
    scene.build(2)
    scene.approve_all()
    scene.accept()
    scene.answer("mara")
    scene.answer("nils")
    assert scene.reason == "composed"
    return scene


def records() -> list[Record]:
    """One record of every kind that the kernel reads, as far as a long way has them, and the rest by hand."""
    found: dict[str, Record] = {record.kind: record for record, _, _ in long_way().entries}
    scene = Scene()
    scene.plan()
    scene.object()
    found |= {record.kind: record for record, _, _ in scene.entries}
    ids = {"workspace": WORKSPACE, "packet": PACKET}
    by_hand: list[Record] = [
        FaultRecord(**ids, about=digest("x"), reason="crashed"),
        StopRecord(**ids, author="mara", content=digest("x")),
        LiftRecord(workspace=WORKSPACE, author="mara", content=digest("x")),
        GrantRecord(workspace=WORKSPACE, subject="human:mara", scope="waiver"),
    ]
    return [*found.values(), *(r for r in by_hand if r.kind not in found)]


def test_every_record_is_a_kind_of_the_table() -> None:
    """And every kind has a record, but for those that the registry folds."""
    assert set(KINDS) - {"log-open", "key-event"} == {*PACKET_RECORDS, *WORKSPACE_RECORDS}
    assert {k for k, row in KINDS.items() if row.stream == "packet"} == set(PACKET_RECORDS)


@pytest.mark.parametrize("record", records(), ids=lambda r: r.kind)
def test_a_record_comes_back_from_its_bytes(record: Record) -> None:
    """The payload that was signed says the record, and writing it again gives the same bytes."""
    payload = payload_of(record)
    receipt = receipt_of(7, PAYLOAD_TYPE, payload, KEY, 99)

    again = record_of(receipt.kind, receipt.predicate)

    assert record == again
    assert payload == payload_of(again)
    assert (7, record.kind, 99) == (receipt.seq, receipt.kind, receipt.time_ms)


@pytest.mark.parametrize("record", records(), ids=lambda r: r.kind)
def test_a_record_says_each_thing_in_one_way(record: Record) -> None:
    """A missing default, an unknown field, or another spelling of a value is refused."""
    fields: dict[str, Any] = parse_statement(payload_of(record)).predicate
    with pytest.raises(LedgerBroken):
        record_of(record.kind, {**fields, "more": 1})
    for name, value in fields.items():
        with pytest.raises(LedgerBroken):
            record_of(record.kind, {n: v for n, v in fields.items() if n != name})
        if type(value) is int:
            with pytest.raises(LedgerBroken):
                record_of(record.kind, {**fields, name: str(value)})
        if value in (0, 1) and type(value) is int:
            with pytest.raises(LedgerBroken):
                record_of(record.kind, {**fields, name: bool(value)})


def test_true_is_not_one() -> None:
    """Python holds them equal; a signed format must not."""
    fields = parse_statement(payload_of(opened())).predicate
    odd = {**fields, "roles": [{**fields["roles"][0], "unsafe": 0}, *fields["roles"][1:]]}

    with pytest.raises(LedgerBroken, match="says its fields in another way"):
        record_of("opened", odd)


@pytest.mark.parametrize("record", records(), ids=lambda r: r.kind)
def test_the_subject_and_the_predicate_speak_of_one_thing(record: Record) -> None:
    """Whoever reads only the statement's subject must not be told of other bytes than the rules were."""
    fields = parse_statement(payload_of(record)).predicate
    lie = statement_bytes(record.kind, (("artifact", "9" * 64),), fields)

    assert record == record_in(receipt_of(7, PAYLOAD_TYPE, payload_of(record), KEY, 99))
    with pytest.raises(LedgerBroken, match="speak of different things"):
        record_in(receipt_of(7, PAYLOAD_TYPE, lie, KEY, 99))


def test_an_unknown_kind_has_no_record() -> None:
    """Unknown is refused."""
    with pytest.raises(LedgerBroken, match="has no record"):
        record_of("coup", {})


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b"\xff", b"[" * 10_000])
def test_what_is_no_statement_is_broken(payload: bytes) -> None:
    """And the sentence says which receipt it was."""
    with pytest.raises(LedgerBroken, match="receipt 5"):
        receipt_of(5, PAYLOAD_TYPE, payload, KEY, 0)


def test_another_payload_type_is_broken() -> None:
    """Unknown is refused."""
    with pytest.raises(LedgerBroken, match="unknown payload type"):
        receipt_of(5, "text/plain", payload_of(opened()), KEY, 0)


def test_a_ledger_replays_to_the_same_state() -> None:
    """Restart, audit and every screen are this one function."""
    scene = long_way()

    replay = scene.replay()
    replay.close()

    assert scene.state == replay.packets[PACKET]


def test_every_receipt_is_missed() -> None:
    """Whichever is taken out, the rest does not replay to the same state."""
    scene = long_way()
    for index in range(len(scene.entries)):
        rest = scene.entries[:index] + scene.entries[index + 1 :]
        try:
            replay = scene.replay(rest)
            replay.close()
        except LedgerBroken:
            continue

        assert scene.state != replay.packets.get(PACKET), scene.entries[index]


def test_receipts_cannot_change_places() -> None:
    """Swapping any two neighbours that differ is found out, or gives another state."""
    scene = long_way()
    for index in range(len(scene.entries) - 1):
        swapped = list(scene.entries)
        swapped[index : index + 2] = reversed(swapped[index : index + 2])
        try:
            replay = scene.replay(swapped)
            replay.close()
        except LedgerBroken:
            continue

        # Two gates' verdicts of one round, or two people's answers, may come in either order; nothing else may.
        kinds = {scene.entries[index][0].kind, scene.entries[index + 1][0].kind}
        assert kinds in ({"verdict"}, {"answer"})


def test_an_output_that_the_rules_do_not_give_diverges() -> None:
    """A finish from nowhere, signed by the runner itself."""
    scene = long_way()
    entries = scene.entries[:2]

    with pytest.raises(Diverged, match="the rules give nothing here"):
        scene.replay([*entries, scene.entries[-1]])


def test_an_output_needs_the_runners_signature() -> None:
    """Nobody else says what follows."""
    scene = Scene()
    entries = [scene.entries[0], (scene.entries[1][0], key("program"), scene.now)]

    with pytest.raises(Diverged, match="did not sign"):
        scene.replay(entries)


def test_an_input_before_the_outputs_of_the_one_before_diverges() -> None:
    """They stand right behind their cause."""
    scene = Scene()
    scene.plan()

    with pytest.raises(Diverged, match="the rules give a 'assignment' before it"):
        scene.replay([scene.entries[0], scene.entries[2]])


def test_a_ledger_that_ends_too_early_diverges() -> None:
    """Only when it is said that nothing follows."""
    scene = Scene()
    replay = scene.replay(scene.entries[:1])

    with pytest.raises(Diverged, match="ends before the 'assignment'"):
        replay.close()


def test_what_the_rules_ignore_is_never_in_a_ledger() -> None:
    """A doubled verdict was put in by somebody."""
    scene = long_way()
    verdict = next(e for e in scene.entries if e[0].kind == "verdict")
    index = scene.entries.index(verdict)

    with pytest.raises(Diverged, match=r"the rules ignore this verdict \(duplicate\)"):
        scene.replay([*scene.entries[: index + 1], verdict])


def test_nothing_follows_a_finish() -> None:
    """Also where the state was dropped to save memory."""
    scene = long_way()
    fault = (
        FaultRecord(workspace=WORKSPACE, packet=PACKET, about=digest("x"), reason="crashed"),
        key("runner"),
        scene.now,
    )

    with pytest.raises(Diverged, match="had already ended"):
        scene.replay([*scene.entries, fault], keep=False)


def test_memory_does_not_grow_with_ended_packets() -> None:
    """A packet's state is dropped when it ends, with all that waited for it."""
    scene = long_way()

    replay = scene.replay(keep=False)

    assert replay.packets == {}
    assert replay._due == {}


def bare(kind: str, predicate: dict[str, Any]) -> Receipt:
    payload = statement_bytes(kind, (("workspace", digest("w")),), predicate)
    return receipt_of(0, PAYLOAD_TYPE, payload, KEY, 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: bare("key-event", {"event": "register"}),
        lambda: receipt_of(0, PAYLOAD_TYPE, payload_of(opened()), KEY, 0),
        lambda: receipt_of(
            0, PAYLOAD_TYPE, payload_of(StopRecord(workspace=WORKSPACE, author="mara", content=digest("x"))), KEY, 0
        ),
    ],
)
def test_nothing_stands_before_the_opening_of_the_log(make: Callable[[], Receipt]) -> None:
    """There is nobody yet who could have signed it."""
    with pytest.raises(Diverged, match="before the log was opened"):
        Replay({}.get).feed(make())


def test_the_log_is_opened_once() -> None:
    """A second opening would give the ledger to other roots."""
    replay = Scene().replay()

    with pytest.raises(Diverged, match="a second time"):
        replay.feed(bare("log-open", {"format": 1}))


def test_a_log_opening_that_is_none_is_said_to_be_none() -> None:
    """Bytes from a broken ledger raise errors of the ledger."""
    with pytest.raises(LedgerBroken):
        Replay({}.get).feed(bare("log-open", {"format": 99}))


def test_a_stop_without_effect_is_never_in_a_ledger() -> None:
    """The workspace's own receipts are admitted by the same rules."""
    replay = Scene().replay()
    stop = StopRecord(workspace=WORKSPACE, author="mara", content=digest("x"))
    who = (bytes.fromhex(key("human:mara")),)
    replay.feed(receipt_of(90, PAYLOAD_TYPE, payload_of(stop), who, 0))

    with pytest.raises(Diverged, match="already stopped"):
        replay.feed(receipt_of(91, PAYLOAD_TYPE, payload_of(stop), who, 0))


def test_an_input_has_exactly_one_signer() -> None:
    """Two signatures would be two authors."""
    scene = Scene()
    replay = Replay({}.get)
    replay.view = scene.view
    both = (bytes.fromhex(key("program")), bytes.fromhex(key("human:mara")))

    with pytest.raises(Diverged, match="exactly one key"):
        replay.feed(receipt_of(20, PAYLOAD_TYPE, payload_of(scene.s.opened), both, scene.now))
