"""Changes from git and from the disk: nothing hidden, nothing dropped, nothing run."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from squads.adapters import git, work_tree
from squads.contracts.errors import ArtifactTooLarge, InvalidInput, InvalidPath, NotAWorkTree


def call(cwd: Path, *arguments: str) -> str:
    named = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
    named |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | named
    done = subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True)
    return done.stdout.decode().strip()


def repository_at(top: Path) -> Path:
    top.mkdir()
    call(top, "init", "-b", "main")
    (top / "a.txt").write_text("hello\n")
    call(top, "add", ".")
    call(top, "commit", "-m", "first")
    return top


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return repository_at(tmp_path / "work")


def test_the_environment_does_not_lead_to_another_repository(top, tmp_path, monkeypatch):
    other = repository_at(tmp_path / "other")
    (top / "new.txt").write_text("x")
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nothing"))
    monkeypatch.setenv("GIT_PRINT_SHA1_ELLIPSIS", "yes")

    change = git.work_tree_change(top)

    assert {"new.txt": b"x"} == change.files
    assert () == change.removals


def test_only_what_is_staged_reads_the_hook_s_index(top, tmp_path, monkeypatch):
    (top / "b.txt").write_text("b")
    index = tmp_path / "index"
    monkeypatch.setenv("GIT_INDEX_FILE", str(index))
    subprocess.run(["git", "add", "."], cwd=top, check=True)

    assert ["b.txt"] == list(git.staged_change(top).files)


def test_replaced_objects_and_monitors_are_not_believed(top, tmp_path):
    (top / "a.txt").write_text("bad\n")
    call(top, "commit", "-am", "second")
    good, bad = call(top, "rev-parse", "HEAD~1:a.txt"), call(top, "rev-parse", "HEAD:a.txt")
    call(top, "replace", bad, good)
    monitor = tmp_path / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    monitor.chmod(0o755)
    call(top, "config", "core.fsmonitor", str(monitor))
    (top / "b.txt").write_text("b")

    assert {"a.txt": b"bad\n"} == git.last_change(top).files
    assert "b.txt" in git.work_tree_change(top).files
    assert not (tmp_path / "ran").exists()


def test_a_missing_object_is_never_fetched(top, tmp_path):
    """A repository can name a program as its transport; reading what it lacks must not run that program."""
    (top / "a.txt").write_text("other\n")
    call(top, "add", ".")
    blob = call(top, "rev-parse", ":a.txt")
    (top / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for key, value in (
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", "ssh://example.org/x"),
        ("core.sshCommand", f"touch {tmp_path}/ran; false"),
    ):
        call(top, "config", key, value)

    with pytest.raises(NotAWorkTree, match="missing in this repository"):
        git.staged_change(top)
    assert not (tmp_path / "ran").exists()


def test_a_top_folder_may_end_in_a_newline(tmp_path):
    top = repository_at(tmp_path / "odd\n")

    assert top == git.top_of(top)


def test_two_files_of_one_name_are_refused_by_both_names(tmp_path):
    here, one, two = tmp_path / "here", tmp_path / "one", tmp_path / "two"
    for folder in (here, one, two):
        folder.mkdir()
        (folder / "x.sql").write_text(folder.name)

    with pytest.raises(InvalidPath, match=r"one/x\.sql and .*two/x\.sql would both be x\.sql"):
        work_tree.files_at([one / "x.sql", two / "x.sql"], here)
    assert ["x.sql"] == list(work_tree.files_at([one / "x.sql", one / "x.sql"], here).files)


def test_submodules_are_refused_wherever_they_show(top, tmp_path):
    inner = repository_at(tmp_path / "inner")
    call(top, "-c", "protocol.file.allow=always", "submodule", "add", str(inner), "sub")

    for read in (git.staged_change, git.work_tree_change):
        with pytest.raises(InvalidPath, match=r"sub is a submodule.*gate that repository by itself"):
            read(top)
    call(top, "commit", "-m", "add")
    call(top, "rm", "-q", "-f", "sub")
    call(top, "config", "diff.ignoreSubmodules", "all")
    with pytest.raises(InvalidPath, match="submodule"):
        git.staged_change(top)
    with pytest.raises(InvalidPath, match="submodule"):
        git.last_change(top)


def test_a_nested_repository_is_refused(top):
    repository_at(top / "nested")

    with pytest.raises(InvalidPath, match="nested is a repository of its own"):
        git.work_tree_change(top)


def test_what_is_no_file_is_refused(top, monkeypatch):
    (top / "a.txt").unlink()
    os.mkfifo(top / "a.txt")
    with pytest.raises(InvalidPath, match="is a named pipe"):
        git.work_tree_change(top)
    (top / "a.txt").unlink()
    monkeypatch.chdir(top)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        with pytest.raises(InvalidPath, match="is a socket"):
            work_tree.files_at([top], top)
    with pytest.raises(InvalidPath, match="is a device"):
        work_tree.files_at([Path("/dev/null")], top)


def test_folders_are_read_whole(tmp_path):
    """Only the repository and the store of the folder itself are left out; links to folders are links."""
    for name in (".git/HEAD", ".squads/ledger.db", "d/.squads/x.sql", "d/.git/x.sql", "d/e/y.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "l").symlink_to("d")
    (tmp_path / "d/e/y.sql").chmod(0o755)

    change = work_tree.files_at([tmp_path], tmp_path)

    assert ["d/.git/x.sql", "d/.squads/x.sql", "d/e/y.sql", "l"] == sorted(change.files)
    assert {"d/e/y.sql": "executable", "l": "link"} == change.modes
    (tmp_path / ".squads/ledger.db").rename(tmp_path / ".squads/x.sql")
    assert ".squads/x.sql" in work_tree.files_at([tmp_path], tmp_path).files


@pytest.mark.parametrize("flag", ["assume-unchanged", "skip-worktree"])
def test_files_that_git_does_not_look_at_are_refused(top, flag):
    call(top, "update-index", f"--{flag}", "a.txt")
    (top / "a.txt").write_text("changed\n")

    with pytest.raises(InvalidInput, match=f"a.txt is marked {flag}.*git update-index --no-{flag} a.txt"):
        git.work_tree_change(top)


def test_the_sum_of_bytes_is_bounded(top, monkeypatch):
    monkeypatch.setattr(work_tree, "BYTES_MAX", 10)
    for name in "bcd":
        (top / name).write_text("1234")

    with pytest.raises(ArtifactTooLarge):
        git.work_tree_change(top)


def test_an_unmerged_file_is_said(top):
    """Nothing of it is staged; on the disk it has bytes, and whether they hold marks is for the gate to say."""
    call(top, "switch", "-q", "-c", "other")
    for branch in ("other", "main"):
        call(top, "switch", "-q", branch)
        (top / "a.txt").write_text(branch)
        call(top, "commit", "-am", branch)
    with pytest.raises(subprocess.CalledProcessError):
        call(top, "merge", "other")

    with pytest.raises(InvalidInput, match=r"a\.txt is not merged; resolve the conflict"):
        git.staged_change(top)
    assert git.work_tree_change(top).files["a.txt"].startswith(b"<<<<<<< ")


def test_a_missing_object_is_said(top):
    blob = call(top, "rev-parse", "HEAD:a.txt")
    (top / ".git/objects" / blob[:2] / blob[2:]).unlink()

    with pytest.raises(NotAWorkTree, match=r"a\.txt .*is missing"):
        git.last_change(top)


@pytest.mark.parametrize("raw", [b":1 2\0a\0", b":1 2 3 4 M\0", b"\0\0", b":1 2 3 4 X\0a\0"])
def test_an_answer_that_is_none_is_said(raw):
    with pytest.raises(NotAWorkTree, match="cannot read"):
        git._parse(raw)


def test_modes_come_from_git_and_from_the_disk(top):
    (top / "run").write_text("#!/bin/sh\n")
    (top / "run").chmod(0o755)
    (top / "link").symlink_to("a.txt")
    expected = {"run": "executable", "link": "link"}

    assert expected == git.work_tree_change(top).modes
    call(top, "add", ".")
    assert expected == git.staged_change(top).modes


def test_a_file_that_left_the_index_and_stays_on_the_disk_is_a_file(top):
    call(top, "rm", "-q", "--cached", "a.txt")

    change = git.work_tree_change(top)

    assert (["a.txt"], ()) == (list(change.files), change.removals)
