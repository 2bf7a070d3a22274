"""The file outside: lines are only added, torn ones are passed over, and only the log's own notes count."""

from __future__ import annotations

import json
import os
import stat

import pytest

from squads.adapters.checkpoint_file import CheckpointFile, read_checkpoint_file
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, RUNNER_KEY, TRUST


def note(size: int, signer=LOG_KEY) -> str:
    return sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), signer)


@pytest.fixture
def file(tmp_path):
    opened = CheckpointFile(tmp_path / "outside" / "checkpoints")
    yield opened
    opened.close()


def test_notes_come_back_in_order(file):
    """One line each, as JSON strings."""
    for size in range(1, 6):
        file.append(note(size))

    assert [note(size) for size in range(1, 6)] == list(read_checkpoint_file(file.path))
    assert [note(size) for size in range(1, 6)] == [json.loads(line) for line in file.path.read_text().splitlines()]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert file.newest(TRUST.log_key) == Checkpoint(ORIGIN, 5, bytes(32))


def test_an_empty_file_has_no_newest(file):
    """A new file says nothing."""
    assert file.is_empty()
    assert file.newest(TRUST.log_key) is None
    assert list(read_checkpoint_file(file.path)) == []


@pytest.mark.parametrize(
    ("content", "empty"),
    [
        (b'"example.com/squ', True),
        (bytes(300), True),
        (bytes(300) + b'+"\n', True),
        (b"notes\n", False),
        (b'"a"\n', False),
    ],
    ids=["half a line", "zeros", "zeros and an end", "another's lines", "a whole line"],
)
def test_a_first_line_that_was_torn_is_no_content(file, content, empty):
    """A file that was never whole begins anew; one that holds somebody's lines is theirs."""
    file.path.write_bytes(content)

    assert empty is file.is_empty()


@pytest.mark.parametrize(
    "torn", ["[" * 200_000, '"cut off', "\x00\x00\x00", '{"not": "a string"}', "12", "\n\n", "\ufffd"]
)
def test_a_torn_line_hides_no_other(file, torn):
    """A full disk or a power cut leaves half a line; the one before and the one after are read."""
    file.append(note(1))
    with file.path.open("a") as writer:
        writer.write(torn)
    assert file.newest(TRUST.log_key).size == 1
    file.append(note(2))

    assert [note(1), note(2)] == list(read_checkpoint_file(file.path))
    assert file.newest(TRUST.log_key).size == 2


def test_what_the_log_did_not_sign_is_not_the_newest(file):
    """Anyone may write behind the last note; the search goes on backwards."""
    file.append(note(3))
    file.append(note(9, RUNNER_KEY))
    file.append("no checkpoint at all")

    assert file.newest(TRUST.log_key).size == 3


@pytest.mark.parametrize("junk", [1, 65_535, 65_536, 65_537, 200_000])
def test_the_newest_is_found_across_blocks(file, junk):
    """The file is read backwards in blocks, and a note may lie across two of them."""
    file.append(note(3))
    with file.path.open("a") as writer:
        writer.write("x" * junk + "\n")

    assert file.newest(TRUST.log_key).size == 3


def test_a_reader_sees_what_was_there_when_it_began(file):
    """A note that is appended while one reads belongs to a later moment."""
    file.append(note(1))
    notes = read_checkpoint_file(file.path)
    file.append(note(2))

    assert [note(1)] == list(notes)


def test_a_link_in_its_place_is_refused(tmp_path):
    """Nobody is led to write somewhere else."""
    target = tmp_path / "target"
    target.write_text("")
    os.symlink(target, tmp_path / "checkpoints")

    with pytest.raises(OSError):
        CheckpointFile(tmp_path / "checkpoints")
