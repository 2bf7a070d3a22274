"""What a signer never forgets: written before a signature leaves, and never said twice."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from signer_scene import ORIGIN, ask, daemon, digest, verdict

from squads.adapters import signer_state
from squads.adapters.signer_state import GateState, Lines, LogState
from squads.adapters.signer_wire import answer_in
from squads.contracts.base import digest_of
from squads.contracts.errors import KeyUnavailable, StorageUnavailable
from squads.ledger.checkpoint import Checkpoint
from squads.ledger.statement import canonical_json, parse_statement

KEY = b"\1" * 32


def attest(held: Any, ticket: object, **change: Any) -> bytes:
    """Return the statement that a daemon makes of a verdict."""
    answer = ask(held, "attest", predicate=verdict(ticket, **change).model_dump(mode="json"))
    answer = answer_in(canonical_json({"v": "squads.signer/v1", **answer}), "payload", "signature")
    assert "payload" in answer, answer
    payload: bytes = answer["payload"]
    return payload


def said(payload: bytes) -> tuple[int, str | None]:
    """Return a verdict's number, and the one before it."""
    predicate = parse_statement(payload).predicate
    return predicate["actor_seq"], predicate["prev_by_actor"]


def test_a_gates_verdicts_are_numbered_and_linked(tmp_path: Path) -> None:
    """From 0 on, and each names the payload of the one before."""
    with daemon(tmp_path) as held:
        first, second, third = (attest(held, ticket) for ticket in range(3))

    assert said(first) == (0, None)
    assert said(second) == (1, digest_of(first))
    assert said(third) == (2, digest_of(second))


def test_a_ticket_is_answered_once(tmp_path: Path) -> None:
    """Asked again, also for another decision and after a restart, it gives the same bytes and burns no number."""
    with daemon(tmp_path) as held:
        first = attest(held, 0)
        same = attest(held, 0)
        other = attest(held, 0, decision="refused", content=digest("other"))
    with daemon(tmp_path) as held:
        later = attest(held, 0, content=digest("another"))
        second = attest(held, 1)

    assert first == same == other == later
    assert said(second) == (1, digest_of(first))


def test_every_gate_counts_for_itself(tmp_path: Path) -> None:
    """Two gates of one daemon share nothing."""
    with daemon(tmp_path, "gate:schema", "gate:style") as held:
        attest(held, 0)
        predicate = verdict(1, author="style").model_dump(mode="json")
        answer = ask(held, "attest", "gate:style", predicate=predicate)

    assert (
        b'"actor_seq":0'
        in answer_in(canonical_json({"v": "squads.signer/v1", **answer}), "payload", "signature")["payload"]
    )


def test_what_was_signed_was_durable_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is synced before the answer is made: a power cut after it takes nothing back."""
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(signer_state.os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_size), real(fd))[1])
    with daemon(tmp_path) as held:
        synced.clear()
        payload = attest(held, 0)
        size = (tmp_path / "gate-schema.state").stat().st_size

        assert synced == [size]
        assert attest(held, 0) == payload
        assert len(synced) == 1, "what is known already is not written again"


def test_a_torn_line_stands_for_nothing(tmp_path: Path) -> None:
    """The daemon died while it wrote, so no signature had left; the number is used by the next one."""
    with daemon(tmp_path) as held:
        first = attest(held, 0)
        whole = (tmp_path / "gate-schema.state").read_bytes()
        attest(held, 1)
    path = tmp_path / "gate-schema.state"
    path.write_bytes(path.read_bytes()[:-20])

    with daemon(tmp_path) as held:
        assert path.read_bytes() == whole
        assert said(attest(held, 2)) == (1, digest_of(first))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.replace(b'"ticket"', b'"thicket"'),
        lambda content: content.replace(b"payload", b"payl0ad"),
        lambda content: content + b"\n",
        lambda content: content + b"{}\n",
        lambda content: b"",
        lambda content: b"\n".join(content.split(b"\n")[1:]),
        lambda content: content.replace(b'"key":"', b'"key":"00', 1),
        lambda content: b"\n".join([*content.split(b"\n")[:2], *content.split(b"\n")[3:]]),
        lambda content: content + content.split(b"\n")[-2] + b"\n",
    ],
    ids=["field", "payload", "empty line", "object", "nothing", "no header", "other key", "gap", "twice"],
)
def test_a_state_that_is_damaged_signs_nothing(tmp_path: Path, damage: Any) -> None:
    """A number could be said twice; better none is said."""
    with daemon(tmp_path) as held:
        for ticket in range(3):
            attest(held, ticket)
    path = tmp_path / "gate-schema.state"
    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(KeyUnavailable, match=r"gate-schema\.state"), daemon(tmp_path):
        pass


def test_a_key_whose_state_is_gone_signs_nothing(tmp_path: Path) -> None:
    """A restored key without its counter would count from the beginning again."""
    with daemon(tmp_path) as held:
        attest(held, 0)
    (tmp_path / "gate-schema.state").unlink()

    with pytest.raises(KeyUnavailable, match="--new-state"), daemon(tmp_path):
        pass
    with daemon(tmp_path, new_state=True) as held:
        assert said(attest(held, 0)) == (0, None)


def test_the_state_of_another_key_is_never_taken(tmp_path: Path) -> None:
    """Not even where somebody asks to begin anew."""
    with daemon(tmp_path, "gate:schema", "gate:style") as held:
        attest(held, 0)
    (tmp_path / "gate-schema.state").replace(tmp_path / "gate-style.state")

    with pytest.raises(KeyUnavailable, match="another key"), daemon(tmp_path, "gate:style", new_state=True):
        pass


def test_a_link_in_the_place_of_the_state_is_refused(tmp_path: Path) -> None:
    """What it points to is somebody else's."""
    with daemon(tmp_path):
        pass
    path = tmp_path / "gate-schema.state"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(KeyUnavailable, match="plain file"), daemon(tmp_path):
        pass


def test_two_daemons_never_hold_one_directory(tmp_path: Path) -> None:
    """Each would count on its own."""
    with daemon(tmp_path), pytest.raises(KeyUnavailable, match="another signer holds"), daemon(tmp_path):
        pass


def test_a_full_disk_signs_nothing_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number that could not be written is used once there is room."""
    real = os.write

    def half(descriptor: int, content: bytes) -> int:
        return real(descriptor, content[: len(content) // 2])

    def none(descriptor: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with daemon(tmp_path) as held:
        first = attest(held, 0)
        for full in (half, none):
            monkeypatch.setattr(signer_state.os, "write", full)
            answer = ask(held, "attest", predicate=verdict(1).model_dump(mode="json"))
            assert answer["refused"] == "unavailable"
            assert "make room" in answer["why"]
            assert attest(held, 0) == first, "what was said is still known"
        monkeypatch.setattr(signer_state.os, "write", real)

        assert said(attest(held, 2)) == (1, digest_of(first))
    with daemon(tmp_path) as held:
        assert said(attest(held, 3))[0] == 2


def test_a_disk_whose_state_nobody_knows_signs_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may or may not be written is read again by the next start, and by nobody before."""

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    lines = Lines(tmp_path / "a.state", KEY, begin=True)
    state = GateState(lines)
    with monkeypatch.context() as patched:
        patched.setattr(signer_state.os, "fsync", fails)
        with pytest.raises(StorageUnavailable):
            state.numbered(verdict(0))
    with pytest.raises(StorageUnavailable, match="start the signer again"):
        state.numbered(verdict(0))
    lines.close()

    state = GateState(Lines(tmp_path / "a.state", KEY, begin=False))
    assert said(state.numbered(verdict(0)))[0] == 0


def test_only_the_newest_statements_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and the memory are bounded, and the counter goes on."""
    monkeypatch.setattr(signer_state, "REMEMBERED", 4)
    path = tmp_path / "a.state"
    state = GateState(Lines(path, KEY, begin=True, keep=4))
    payloads = [state.numbered(verdict(ticket)) for ticket in range(40)]

    assert len(path.read_bytes().splitlines()) <= 17
    assert state.numbered(verdict(39)) == payloads[39]
    state.close()
    again = GateState(Lines(path, KEY, begin=False, keep=4))
    assert again.numbered(verdict(38)) == payloads[38]
    assert said(again.numbered(verdict("new"))) == (40, digest_of(payloads[39]))


def test_a_shortening_that_fails_leaves_the_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again, and nothing is lost meanwhile."""
    path = tmp_path / "a.state"
    state = GateState(Lines(path, KEY, begin=True, keep=1))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        payloads = [state.numbered(verdict(ticket)) for ticket in range(8)]
    state.close()

    again = GateState(Lines(path, KEY, begin=False, keep=1))
    assert said(again.numbered(verdict("new"))) == (8, digest_of(payloads[7]))


def test_a_log_remembers_its_newest_checkpoint(tmp_path: Path) -> None:
    """Over a restart, and however many there were."""
    path = tmp_path / "log.state"
    state = LogState(Lines(path, KEY, begin=True, keep=2))
    for size in range(1, 30):
        state.rise(Checkpoint(ORIGIN, size, bytes([size]) * 32))
    state.close()

    state = LogState(Lines(path, KEY, begin=False, keep=2))
    for size, root in ((29, 1), (28, 28), (1, 1)):
        with pytest.raises(signer_state.Unsigned, match="a checkpoint of 29 receipts was signed"):
            state.rise(Checkpoint(ORIGIN, size, bytes([root]) * 32))
    state.rise(Checkpoint(ORIGIN, 29, bytes([29]) * 32))


def test_a_log_goes_back_once_where_a_person_lets_it(tmp_path: Path) -> None:
    """After a commit that failed behind its signature; then it only rises again."""
    path = tmp_path / "log.state"
    state = LogState(Lines(path, KEY, begin=True))
    state.rise(Checkpoint(ORIGIN, 9, b"a" * 32))
    state.close()

    state = LogState(Lines(path, KEY, begin=False), let_back=True)
    state.rise(Checkpoint(ORIGIN, 8, b"b" * 32))
    with pytest.raises(signer_state.Unsigned):
        state.rise(Checkpoint(ORIGIN, 7, b"c" * 32))
