"""The scratch workspace: what goes in, what comes out, and that no path and no link leads elsewhere."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.errors import ArtifactTooLarge, InvalidPath, ToolProblem
from squads.contracts.packet import AttemptKind, Limits, Packet
from squads.contracts.thinking import Effects
from squads.contracts.work import BuildWork, ReviewWork
from squads.minds.folder import Folder
from squads.minds.scratch import Scratch

BAD_PATHS = [
    "",
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a//b",
    "./a",
    "a\\b",
    "C:x",
    "a\0b",
    "a\nb",
    "e\u0301",
    "x" * 1_025,
]


def built(**more: Any) -> BuildWork:
    fields: dict[str, Any] = {"attempt": 1, "packet": Packet(brief="Make it."), **more}
    return BuildWork(task="work", brief="Make it.", author="builder", salt="0" * 64, **fields)


def on_disk(scratch: Scratch) -> dict[str, bytes]:
    top = Path(scratch.folder)
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


# --- filling and closing --------------------------------------------------------------------------------------------


def test_the_folder_is_for_its_owner_only_and_goes_away() -> None:
    """Whatever was left in it, and closing twice is no error."""
    with Scratch({"src/a.py": b"1"}, modes={"src/a.py": "executable"}) as scratch:
        top = Path(scratch.folder)
        assert 0o700 == top.stat().st_mode & 0o777
        assert 0o700 == (top / "src/a.py").stat().st_mode & 0o777
        (top / "locked").mkdir()
        (top / "locked" / "x").write_text("")
        (top / "locked").chmod(0)

    assert not top.exists()
    scratch.close()


def test_closing_follows_no_link(tmp_path: Path) -> None:
    """A link to somebody's folder is removed, the folder is not, nor is its mode changed."""
    (tmp_path / "kept").write_text("kept")
    tmp_path.chmod(0o750)
    with Scratch() as scratch:
        (Path(scratch.folder) / "way").symlink_to(tmp_path)

    assert "kept" == (tmp_path / "kept").read_text()
    assert 0o750 == tmp_path.stat().st_mode & 0o777


@pytest.mark.parametrize("path", BAD_PATHS)
def test_nothing_is_filled_in_under_a_path_that_no_artifact_may_hold(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no folder is left behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with pytest.raises(InvalidPath):
        Scratch({path: b"x"})

    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("target", [b"/etc/passwd", b"../x", b"a/../../x", b"", b"a\0b"])
def test_a_link_that_leads_out_is_not_filled_in(target: bytes) -> None:
    """An artifact never reaches outside its root."""
    with pytest.raises(InvalidPath):
        Scratch({"way": target}, modes={"way": "link"})


def test_a_build_finds_its_inputs_and_over_them_what_it_made_before() -> None:
    """Modes and links included."""
    given = Artifact.of({"a.txt": "given", "b.txt": "given", "tool": "#!"}, modes={"tool": "executable"})
    before = Artifact.of({"b.txt": "mine", "way": "a.txt"}, modes={"way": "link"})
    with Scratch.of_build(built(inputs={"one": given}, previous=before)) as scratch:
        files = on_disk(scratch)
        modes = {entry.path: entry.mode for entry in scratch.entries()}

    assert {"a.txt": b"given", "b.txt": b"mine", "tool": b"#!", "way": b"given"} == files
    assert {"a.txt": "file", "b.txt": "file", "tool": "executable", "way": "link"} == modes


def test_of_inputs_that_meet_the_one_built_on_the_other_counts() -> None:
    """In whatever order they come; what was not changed meets nothing."""
    first = Artifact.of({"x.py": "first", "y.py": "same"})
    second = Artifact.of({"x.py": "second", "y.py": "same"}, made_from=[first.digest])
    for inputs in ({"a": first, "b": second}, {"b": second, "a": first}):
        with Scratch.of_build(built(inputs=inputs)) as scratch:
            assert {"x.py": b"second", "y.py": b"same"} == on_disk(scratch)


def test_inputs_that_meet_otherwise_stand_side_by_side() -> None:
    """So that the task that builds their meeting place can read both; neither is part of what it makes."""
    one, other = Artifact.of({"x": "one", "own": "1"}), Artifact.of({"x/y": "other"})
    with Scratch.of_build(built(inputs={"a": one, "b": other})) as scratch:
        files = on_disk(scratch)
        scratch.write("x", b"both")
        with pytest.raises(ToolProblem, match="another task"):
            scratch.write(".inputs/a/x", b"changed")
        (Path(scratch.folder) / ".inputs/a/x").write_text("changed")
        made = scratch.collect()

    assert {".inputs/a/x": b"one", ".inputs/b/x/y": b"other", "own": b"1"} == files
    assert {"x": b"both"} == made.files


def test_a_review_finds_the_attempt_and_can_change_nothing() -> None:
    """A gate reads."""
    work = ReviewWork(
        packet=Packet(brief="x"), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=Artifact.of({"a": "1"})
    )
    with Scratch.of_review(work) as scratch:
        assert b"1" == scratch.read("a")
        for change in (lambda: scratch.write("a", b"2"), lambda: scratch.remove("a")):
            with pytest.raises(ToolProblem, match="for reading"):
                change()
        assert {"a": b"1"} == on_disk(scratch)


# --- reading and writing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_that_no_artifact_may_hold_is_refused_everywhere(path: str) -> None:
    """With a sentence; nothing is read, written or removed."""
    with Scratch() as scratch:
        for call in (scratch.read, scratch.remove, scratch.target, lambda p: scratch.write(p, b"x")):
            with pytest.raises(InvalidPath):
                call(path)

        assert {} == on_disk(scratch)


def test_no_link_is_followed(tmp_path: Path) -> None:
    """Neither as the file nor as a folder on the way; writing to a link replaces the link."""
    (tmp_path / "secret").write_text("hunter2")
    with Scratch() as scratch:
        top = Path(scratch.folder)
        (top / "way").symlink_to(tmp_path)
        (top / "file").symlink_to(tmp_path / "secret")
        for path in ("way/secret", "file"):
            with pytest.raises(ToolProblem) as problem:
                scratch.read(path)
            assert str(tmp_path) not in str(problem.value)
            assert scratch.folder not in str(problem.value)
        for call in (lambda: scratch.write("way/new", b"x"), lambda: scratch.remove("way/secret")):
            with pytest.raises(ToolProblem):
                call()
        scratch.write("file", b"mine")
        scratch.remove("way")

        assert {"file": b"mine"} == on_disk(scratch)
    assert ["secret"] == os.listdir(tmp_path)
    assert "hunter2" == (tmp_path / "secret").read_text()


def test_a_second_name_of_a_file_outside_is_not_written_through(tmp_path: Path) -> None:
    """A hard link looks like a plain file; writing puts another in its place."""
    outside = tmp_path / "outside"
    outside.write_text("as it was")
    with Scratch() as scratch:
        os.link(outside, Path(scratch.folder) / "mine")
        scratch.write("mine", b"changed")

        assert b"changed" == scratch.read("mine")
    assert "as it was" == outside.read_text()


def test_a_pipe_is_neither_waited_for_nor_collected() -> None:
    """A reader of a pipe would wait for a writer for ever."""
    with Scratch() as scratch:
        os.mkfifo(Path(scratch.folder) / "pipe")
        with pytest.raises(ToolProblem):
            scratch.read("pipe")
        assert b"" == scratch.taken()
        with pytest.raises(InvalidPath, match="neither a file nor a link"):
            scratch.collect()
        scratch.write("pipe", b"a file now")

        assert {"pipe": b"a file now"} == scratch.collect().files


def test_what_is_not_there_or_is_a_folder_is_said() -> None:
    """In words of the workspace, for who called the tool."""
    with Scratch({"src/a": b"1"}) as scratch:
        for path, word in (("nothing", "no such file"), ("src", "folder|plain"), ("src/a/b", "is a file")):
            with pytest.raises(ToolProblem, match=word) as problem:
                scratch.read(path)
            assert scratch.folder not in str(problem.value)
        with pytest.raises(ToolProblem, match="folder"):
            scratch.write("src", b"x")

        assert {"src/a": b"1"} == on_disk(scratch)


def test_an_executable_stays_one_and_an_empty_folder_makes_way() -> None:
    """Writing keeps the mode of what was there."""
    with Scratch({}, {"run.sh": b"1"}, modes={"run.sh": "executable"}) as scratch:
        (Path(scratch.folder) / "empty").mkdir()
        scratch.write("run.sh", b"2")
        scratch.write("empty", b"3")
        made = scratch.collect()

    assert {"run.sh": b"2", "empty": b"3"} == made.files
    assert {"run.sh": "executable"} == made.modes


def test_more_than_an_artifact_may_hold_is_not_written() -> None:
    """Bytes and files, at the bound and one over it; inputs as they were given do not count."""
    limits = Limits(files_max=2, artifact_bytes_max=10)
    with Scratch({"given": b"x" * 10, "more": b"", "and more": b""}, limits=limits) as scratch:
        scratch.write("a", b"x" * 5)
        scratch.write("b", b"x" * 5)
        for path, content in (("a", b"x" * 6), ("c", b""), ("given", b"")):
            with pytest.raises(ToolProblem, match="was not written"):
                scratch.write(path, content)

        assert {"a": b"x" * 5, "b": b"x" * 5} == scratch.collect().files


def test_a_folder_with_too_many_entries_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a part of what is there."""
    monkeypatch.setattr("squads.minds.folder.ENTRIES_MAX", 3)
    with Scratch({"a/b": b"", "c": b""}) as scratch:
        assert 2 == len(scratch.entries())
        (Path(scratch.folder) / "d").write_text("")
        with pytest.raises(ToolProblem, match="more than 3"):
            scratch.entries()


def test_many_threads_may_write_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none is lost, nor goes over the bound: between looking and writing nobody else writes."""
    put = Folder.put

    def puts(folder: Folder, path: str, content: bytes, mode: str) -> None:
        inside.append(path)
        most.append(len(inside))
        put(folder, path, content, mode)
        inside.remove(path)

    inside: list[str] = []
    most: list[int] = []
    monkeypatch.setattr(Folder, "put", puts)
    with Scratch(limits=Limits(files_max=20)) as scratch:

        def write(number: int) -> None:
            try:
                scratch.write(f"{number}.txt", b"x")
            except ToolProblem:
                refused.append(number)

        refused: list[int] = []
        threads = [threading.Thread(target=write, args=(n,)) for n in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (20, 12) == (len(scratch.collect().files), len(refused))
        assert 1 == max(most)


# --- what became of it ----------------------------------------------------------------------------------------------


def test_an_unchanged_input_is_not_collected_and_ones_own_file_is() -> None:
    """An artifact is whole in what its author made, and silent about what others made."""
    with Scratch({"given": b"1", "changed": b"1", "mode": b"1", "back": b"1"}, {"own": b"1"}) as scratch:
        scratch.write("changed", b"2")
        scratch.write("back", b"2")
        scratch.write("back", b"1")
        scratch.write("new", b"3")
        (Path(scratch.folder) / "mode").chmod(0o700)
        made = scratch.collect()

    assert {"changed": b"2", "mode": b"1", "new": b"3", "own": b"1"} == made.files
    assert ({"mode": "executable"}, ()) == (made.modes, made.removals)


def test_a_change_of_mode_alone_is_a_change() -> None:
    """Also after it was taken; it is part of the artifact's digest."""
    with Scratch({"run.sh": b"1"}) as scratch:
        (Path(scratch.folder) / "run.sh").chmod(0o700)
        changes = scratch.taken()

        assert "executable" == json.loads(changes)["files"]["run.sh"]["mode"]
        assert ({"run.sh": b"1"}, {"run.sh": "executable"}) == (scratch.collect().files, scratch.collect().modes)


def test_a_removed_own_file_is_gone_and_an_input_needs_a_base() -> None:
    """Without a base an artifact cannot say that something is removed."""
    with Scratch({"given": b"1"}, {"own": b"1", "kept": b"1"}) as scratch:
        scratch.remove("own")
        with pytest.raises(ToolProblem, match="another task"):
            scratch.remove("given")
        (Path(scratch.folder) / "given").unlink()
        made = scratch.collect()

    assert (["kept"], ()) == (list(made.files), made.removals)


def test_with_a_base_what_is_removed_is_collected() -> None:
    """What was removed before too, unless it was written again; and the work takes it."""
    before = Artifact.of({"own": "1"}, removals=["old", "again"], base="a" * 64)
    work = built(previous=before, inputs={"one": Artifact.of({"given": "1", "old": "x"})})
    with Scratch.of_build(work) as scratch:
        scratch.remove("given")
        scratch.write("again", b"2")
        made = scratch.collect()

    artifact = work.artifact(made.files, modes=made.modes, removals=made.removals, base=scratch.base)
    assert ("given", "old") == artifact.removals
    assert ["again", "own"] == [file.path for file in artifact.files]


def test_caches_and_histories_are_left_out() -> None:
    """A tool may not write there, and what a program left there is nobody's work; what was given there counts."""
    with Scratch({}, {"node_modules/own.js": b"1"}) as scratch:
        for path in ("__pycache__/a.pyc", ".git/HEAD", "node_modules/b.js", "src/.venv/x", ".tmp-abc/x"):
            with pytest.raises(ToolProblem, match="no artifact takes files from"):
                scratch.write(path, b"x")
            place = Path(scratch.folder) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("x")
        scratch.write("node_modules/own.js", b"2")

        assert {"node_modules/own.js": b"2"} == scratch.collect().files
        assert ["node_modules/own.js"] == list(json.loads(scratch.taken())["files"])


@pytest.mark.parametrize(
    "make",
    [
        lambda top: os.symlink("/etc/passwd", top / "way"),
        lambda top: os.symlink("../out", top / "way"),
        lambda top: (top / "a\nb").write_text("x"),
        lambda top: (top / "a\\b").write_text("x"),
        lambda top: (top / os.fsdecode(b"\xff")).write_text("x"),
    ],
    ids=["absolute link", "link out", "line end", "backslash", "half a character"],
)
def test_what_no_artifact_can_hold_is_said_and_never_left_out(make: Any) -> None:
    """An artifact that lost a part on the way would be judged as something that it is not."""
    with Scratch() as scratch:
        make(Path(scratch.folder))

        assert b"" == scratch.taken()
        with pytest.raises(InvalidPath):
            scratch.collect()


def test_a_link_made_by_a_program_is_collected_as_a_link() -> None:
    """Its content is its target, and what it points to is not read."""
    with Scratch({"a": b"1"}) as scratch:
        (Path(scratch.folder) / "way").symlink_to("a")
        made = scratch.collect()

    assert ({"way": b"a"}, {"way": "link"}) == (made.files, made.modes)


def test_what_a_program_wrote_over_the_limits_is_not_collected() -> None:
    """Files and bytes; nothing is collected in part."""
    for names, size in ((("a", "b", "c"), 1), (("a",), 11)):
        with Scratch(limits=Limits(files_max=2, artifact_bytes_max=10)) as scratch:
            for name in names:
                (Path(scratch.folder) / name).write_bytes(b"x" * size)
            with pytest.raises(ArtifactTooLarge):
                scratch.collect()


def test_trimming_removes_the_largest_of_what_is_new() -> None:
    """Until the rest fits; what was there before stays, and below the limits nothing goes."""
    with Scratch({"given": b"x" * 50}, {"own": b"x" * 5}, limits=Limits(artifact_bytes_max=10)) as scratch:
        assert () == scratch.trim()
        for name, size in (("big", 100), ("small", 5), ("middle", 6)):
            (Path(scratch.folder) / name).write_bytes(b"x" * size)

        assert ("big", "middle") == scratch.trim()
        assert ["own", "small"] == sorted(scratch.collect().files)


def test_trimming_leaves_what_was_there_before() -> None:
    """However large it is: what is new has to make room."""
    with Scratch({}, {"own": b"x" * 8}, limits=Limits(artifact_bytes_max=10)) as scratch:
        (Path(scratch.folder) / "new").write_bytes(b"x" * 5)

        assert ("new",) == scratch.trim()
        assert {"own": b"x" * 8} == scratch.collect().files


# --- effects --------------------------------------------------------------------------------------------------------


def test_what_was_taken_can_be_redone_elsewhere() -> None:
    """New, changed and removed files, modes and links; file by file the same, and not taken again."""
    inputs, own = {"given": b"1", "src/a": b"1"}, {"own": b"1", "gone": b"1"}
    with Scratch(inputs, own) as first, Scratch(inputs, own) as second:
        effects: Effects = first
        top = Path(first.folder)
        first.write("src/a", b"2")
        first.write("new/deep", bytes(range(256)))
        first.remove("gone")
        (top / "own").unlink()
        (top / "own").mkdir()
        (top / "own" / "below").write_text("x")
        (top / "way").symlink_to("given")
        (top / "given").chmod(0o700)
        changes = effects.taken()
        second.redo(changes)

        assert first.collect() == second.collect()
        assert on_disk(first) == on_disk(second)
        assert (b"", b"") == (first.taken(), second.taken())


def test_only_what_changed_since_the_last_time_is_taken() -> None:
    """Writing the same bytes again is no change."""
    with Scratch({"a": b"1"}) as scratch:
        assert b"" == scratch.taken()
        scratch.write("a", b"1")
        assert b"" == scratch.taken()
        scratch.write("b", b"2")
        assert {"files": {"b": {"content": "Mg==", "mode": "file"}}, "gone": []} == json.loads(scratch.taken())
        scratch.remove("b")
        assert {"files": {}, "gone": ["b"]} == json.loads(scratch.taken())
        assert b"" == scratch.taken()


def test_a_change_in_place_of_the_same_size_is_seen() -> None:
    """Also where a program put the times back."""
    with Scratch({"a": b"12"}) as scratch:
        place = Path(scratch.folder) / "a"
        before = place.stat()
        os.utime(place, ns=(1, 1))
        place.write_bytes(b"21")
        os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))

        assert {"a": b"21"} == scratch.collect().files
        assert ["a"] == list(json.loads(scratch.taken())["files"])


def test_redoing_twice_is_redoing_once() -> None:
    """And nothing is done for nothing."""
    with Scratch({"a": b"1"}, {"b": b"1"}) as scratch:
        changes = b'{"files":{"a":{"content":"Mg==","mode":"executable"}},"gone":["b"]}'
        scratch.redo(changes)
        scratch.redo(changes)
        scratch.redo(b"")

        assert ({"a": b"2"}, {"a": "executable"}) == (scratch.collect().files, scratch.collect().modes)


def test_a_redone_path_leads_nowhere_else() -> None:
    """The journal is checked like every other path."""
    with Scratch() as scratch, pytest.raises(InvalidPath):
        scratch.redo(b'{"files":{"../x":{"content":"Mg==","mode":"file"}},"gone":[]}')


def test_a_folder_that_is_swapped_for_a_link_is_not_entered(tmp_path: Path) -> None:
    """The walk opens what it found, and a link is not opened."""
    (tmp_path / "secret").write_text("hunter2")
    with Scratch({"a/b": b"1"}) as scratch:
        top = Path(scratch.folder)

        def swap(path: str) -> bool:
            (top / "a" / "b").unlink()
            (top / "a").rmdir()
            (top / "a").symlink_to(tmp_path)
            return True

        with pytest.raises(ToolProblem):
            list(Folder(scratch.folder).walk(swap))
