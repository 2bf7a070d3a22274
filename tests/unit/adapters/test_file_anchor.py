"""An anchor in a file: never truncated, never made again, on the medium when it says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from squads.adapters.anchor_notes import by_size, claimed_size
from squads.adapters.file_anchor import FileAnchor
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.testing.conformance_anchor import note_over


async def test_a_note_is_synced_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`put` returns after the medium has it."""
    happened: list[str] = []
    write, sync = os.write, os.fdatasync
    monkeypatch.setattr(os, "write", lambda *a: (happened.append("write"), write(*a))[1])
    monkeypatch.setattr(os, "fdatasync", lambda d: (happened.append("sync"), sync(d))[1])
    anchor = FileAnchor(tmp_path / "a")

    await anchor.put(note_over(1))

    assert ["write", "sync"] == [step for step in happened if step in ("write", "sync")][-2:]
    await anchor.close()


async def test_the_file_is_only_ever_opened_for_adding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `chattr +a` nothing else is allowed, and nothing else is tried."""
    flags: list[int] = []
    opened = os.open

    def noted(path: object, flag: int, *rest: int, **more: object) -> int:
        if str(path) == str(tmp_path / "a"):
            flags.append(flag)
        return opened(path, flag, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", noted)
    anchor = FileAnchor(tmp_path / "a")
    for size in (1, 2):
        await anchor.put(note_over(size))

    assert flags
    assert all(flag & os.O_APPEND and not flag & os.O_TRUNC for flag in flags)
    assert 0o600 == (tmp_path / "a").stat().st_mode & 0o777
    await anchor.close()


async def test_a_line_that_a_full_disk_tore_swallows_no_note(tmp_path: Path) -> None:
    """Also one that another process tears a moment before."""
    anchor = FileAnchor(tmp_path / "a")
    await anchor.put(note_over(1))
    with (tmp_path / "a").open("ab") as file:
        file.write(b'"torn')
    await anchor.put(note_over(2))

    assert [note_over(1), note_over(2)] == await anchor.notes()
    await anchor.close()


async def test_a_file_that_was_there_and_is_gone_is_not_made_again(tmp_path: Path) -> None:
    """A new one would hide that the old one was taken away, and everything it held."""
    anchor = FileAnchor(tmp_path / "a", create=False)

    for act in (anchor.put(note_over(1)), anchor.notes(), anchor.check()):
        with pytest.raises(StorageUnavailable, match="is gone"):
            await act
    assert not (tmp_path / "a").exists()
    await anchor.close()


async def test_a_directory_that_is_not_mounted_is_not_made(tmp_path: Path) -> None:
    """The file would land on the very disk that it must not be on."""
    anchor = FileAnchor(tmp_path / "disk" / "a")

    with pytest.raises(StorageUnavailable, match="mount it"):
        await anchor.put(note_over(1))
    assert not (tmp_path / "disk").exists()
    await anchor.close()


@pytest.mark.parametrize("what", ["a directory", "a link"])
async def test_what_is_no_plain_file_cannot_be_used(tmp_path: Path, what: str) -> None:
    """One sentence names the anchor and what is wrong."""
    if what == "a link":
        (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").touch()
    else:
        (tmp_path / "a").mkdir()
    anchor = FileAnchor(tmp_path / "a")

    with pytest.raises(StorageUnavailable, match="cannot be used"):
        await anchor.put(note_over(1))
    await anchor.close()


async def test_a_relative_path_and_a_closed_anchor_are_refused(tmp_path: Path) -> None:
    """An anchor is found from wherever one starts."""
    with pytest.raises(InvalidInput, match="absolute"):
        FileAnchor("anchor")
    anchor = FileAnchor(tmp_path / "a")
    await anchor.close()
    with pytest.raises(StorageUnavailable, match="closed"):
        await anchor.notes()


@pytest.mark.parametrize(
    ("note", "size"),
    [("o\n12\nr", 12), ("o\n1", None), ("", None), ("o\nx\nr", None), (f"o\n{'9' * 20}\nr", None), ("o\n²\nr", None)],
    ids=["whole", "cut", "empty", "no number", "too long", "no decimal"],
)
def test_a_notes_claim_is_read_without_believing_it(note: str, size: int | None) -> None:
    """What says nothing comes first, and is never left out."""
    assert size == claimed_size(note)
    assert (note in by_size([note], since=13)) is (size is None)


async def test_what_another_process_tears_after_one_looked_swallows_no_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock is held between them, so that what the file's end was says nothing."""
    path = tmp_path / "a"
    anchor = FileAnchor(path)
    await anchor.put(note_over(1))

    def torn_meanwhile(*_: object) -> bytes:
        with path.open("ab") as file:
            file.write(b'"torn')
        return b"\n"

    monkeypatch.setattr(os, "pread", torn_meanwhile)
    await anchor.put(note_over(2))

    assert note_over(2) in await anchor.notes()
    await anchor.close()
