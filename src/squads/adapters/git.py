"""A real change as an artifact, from git: the work tree, what is staged, or commits.

Git is called with argument lists, never through a shell, and only to read; what the environment or the repository
could make it run or read instead is switched off. Links are kept as links and must not point out of the tree. What
git knows and an artifact cannot hold (submodules, nested repositories) is refused with a sentence, never left out.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from squads.adapters.work_tree import BYTES_MAX, Change, change_of, check_link, named, read_all, too_large
from squads.contracts.errors import ArtifactTooLarge, InvalidInput, InvalidPath, NotAWorkTree

LINK, MODULE = "120000", "160000"
MODES = {"100755": "executable", LINK: "link"}
_RAW = ("--raw", "-z", "--no-renames", "--no-abbrev", "--no-relative", "--ignore-submodules=none")
# The variables of git that may say where things are. All others are dropped: each of them could lead git to another
# repository, index, object store or program than the one that stands in this folder.
_KEPT = {
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
}


def top_of(directory: Path) -> Path:
    """Return the root of the work tree that `directory` lies in. Raises `NotAWorkTree`."""
    return Path(os.fsdecode(_git(directory, "rev-parse", "--show-toplevel").removesuffix(b"\n")))


def last_change(directory: Path) -> Change:
    """Return what the newest commit changed."""
    head = _head(directory)
    if head is None:
        raise NotAWorkTree("there is no commit here yet; commit something, or gate the work tree")
    parents = _git(directory, "rev-list", "--parents", "-n", "1", head).decode().split()[1:]
    return _between(directory, parents[0] if parents else None, head, f"commit {head[:12]}")


def change_in_range(directory: Path, text: str) -> Change:
    """Return what changed from BASE to HEAD in `BASE..HEAD` (HEAD when left out). Raises `NotAWorkTree`."""
    base, dots, head = text.partition("..")
    if not dots or head.startswith("."):
        raise NotAWorkTree(f"{text!r} is no range; write BASE..HEAD, such as main..HEAD")
    old, new = _commit(directory, base or "HEAD"), _commit(directory, head or "HEAD")
    return _between(directory, old, new, f"{base or 'HEAD'}..{head or 'HEAD'}")


def staged_change(directory: Path) -> Change:
    """Return exactly what is staged for the next commit."""
    head = _head(directory)
    # A commit hook's own index (`git commit -a`, `git commit <path>`) is what will be committed.
    raw = _git(directory, "diff-index", "--cached", *_RAW, head or _empty(directory), own_index=True)
    entries, removals = _parse(raw)
    files, modes = _blobs(directory, entries)
    return change_of("the staged change", files, modes, removals, head, _before(directory, raw))


def work_tree_change(directory: Path) -> Change:
    """Return everything in the work tree that differs from the newest commit, untracked files included.

    The bytes are those on the disk, before clean filters and line-ending conversion.
    """
    top = top_of(directory)
    head = _head(directory)
    _check_nothing_hidden(_git(top, "ls-files", "-v", "-z"))
    raw = _git(top, "diff-index", *_RAW, head or _empty(top))
    entries, removals = _parse(raw)
    others = [os.fsdecode(p) for p in _git(top, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0") if p]
    for name in others:
        if name.endswith("/"):
            raise _another_repository(name.rstrip("/"), "a repository of its own inside this one")
    files, modes = read_all({name: (top / name, top) for name in (*entries, *others)})
    return change_of("the work tree's change", files, modes, removals, head, _before(top, raw))


def commit_of(directory: Path, name: str = "HEAD") -> str | None:
    """Return the full id of a commit; None where HEAD has none yet. Raises `NotAWorkTree`."""
    return _head(directory) if name == "HEAD" else _commit(directory, name)


def base_of(directory: Path, text: str) -> str:
    """Return the commit that a range `BASE..HEAD` begins at. Raises `NotAWorkTree`."""
    base, _, _ = text.partition("..")
    return _commit(directory, base or "HEAD")


def files_at(directory: Path, commit: str, folders: Iterable[str], *, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    """Return the plain files of a commit below some folders of its top, by path, whose names end in `suffixes`.

    Raises `InvalidPath` for a link among them: what it leads to may be nobody's to judge with.
    """
    top = top_of(directory)
    listed = _git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *folders)
    entries: dict[str, tuple[str, str]] = {}
    for line in listed.split(b"\0"):
        if not line:
            continue
        about, _, name = line.partition(b"\t")
        mode, kind, blob = about.decode().split()
        path = os.fsdecode(name)
        if mode == LINK:
            # Left out in silence, a card would be a gate that nobody asks.
            raise InvalidPath(
                f"{named(path)} is a link in {commit[:12]}; what judges must be plain files: copy it there"
            )
        if kind == "blob" and path.lower().endswith(suffixes):
            entries[path] = (mode, blob)
    return _blobs(top, entries)[0]


def _check_nothing_hidden(listed: bytes) -> None:
    """Refuse files that git was told not to look at: their changes would be in no listing."""
    for line in listed.split(b"\0"):
        mark, name = line[:1], os.fsdecode(line[2:])
        if mark in (b"S", b"s"):
            flag, option = "skip-worktree", "--no-skip-worktree"
        elif mark.islower():
            flag, option = "assume-unchanged", "--no-assume-unchanged"
        else:
            continue
        raise InvalidInput(
            f"{named(name)} is marked {flag}, so git does not say whether it changed; "
            f"run `git update-index {option} {named(name)}`, or gate with --staged"
        )


def _between(directory: Path, old: str | None, new: str, title: str) -> Change:
    raw = _git(directory, "diff-tree", "-r", *_RAW, old or _empty(directory), new)
    entries, removals = _parse(raw)
    files, modes = _blobs(directory, entries)
    return change_of(title, files, modes, removals, old, _before(directory, raw))


def _before(directory: Path, raw: bytes) -> dict[str, bytes] | None:
    """Return what stood at the paths that a change edits or removes; None where that cannot be had.

    Only gates that compare need it, and they abstain without: what is missing or too large here keeps no others from
    judging the change itself.
    """
    *fields, _ = raw.split(b"\0")
    entries: dict[str, tuple[str, str]] = {}
    for number in range(0, len(fields) - 1, 2):
        mode, _, blob, _, status = fields[number].decode(errors="replace").removeprefix(":").split(" ")
        if status in ("D", "M", "T") and mode not in (LINK, MODULE):
            entries[os.fsdecode(fields[number + 1])] = (mode, blob)
    try:
        return _blobs(directory, entries)[0]
    except (NotAWorkTree, ArtifactTooLarge):
        return None


def _parse(raw: bytes) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Return path to (mode, blob id) of what is there after the change, and the paths that are gone."""
    *fields, _ = raw.split(b"\0")
    entries: dict[str, tuple[str, str]] = {}
    removals: list[str] = []
    for number in range(0, len(fields), 2):
        parts = fields[number].decode(errors="replace").removeprefix(":").split(" ")
        if len(parts) != 5 or number + 1 == len(fields):
            raise _not_understood(fields[number])
        old, mode, _, blob, status = parts
        path = os.fsdecode(fields[number + 1])
        if status == "U":
            raise InvalidInput(f"{named(path)} is not merged; resolve the conflict and `git add` it first, then gate")
        if MODULE in (old, mode):
            raise _another_repository(path, "a submodule")
        if status == "D":
            removals.append(path)
        elif status in ("A", "M", "T"):
            entries[path] = (mode, blob)
        else:
            raise _not_understood(fields[number])
    return entries, removals


def _blobs(directory: Path, entries: Mapping[str, tuple[str, str]]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Read all blobs with one process; sizes are asked for first, so that a huge one is never read."""
    if not entries:
        return {}, {}
    wanted = "".join(f"{blob}\n" for _, blob in entries.values()).encode()
    sizes = _git(directory, "cat-file", "--batch-check=%(objectsize)", given=wanted).splitlines()
    if len(sizes) != len(entries):
        raise _not_understood(b"fewer objects than asked for")
    for (path, (_, blob)), said in zip(entries.items(), sizes, strict=True):
        if not said.isdigit():
            raise NotAWorkTree(
                f"the content of {named(path)} (object {blob[:12]}) is missing in this repository; "
                "fetch it (`git fetch`, and look with `git fsck`), then gate again"
            )
    if sum(map(int, sizes)) > BYTES_MAX:
        raise too_large()
    out = _git(directory, "cat-file", "--batch", given=wanted)
    files: dict[str, bytes] = {}
    at = 0
    for (path, (mode, blob)), size in zip(entries.items(), [int(text) for text in sizes], strict=True):
        header, _, _ = out[at : at + 200].partition(b"\n")
        if header != f"{blob} blob {size}".encode():
            raise _not_understood(header)
        at += len(header) + 1
        files[path] = out[at : at + size]
        at += size + 1
        if mode == LINK:
            check_link(path, os.fsdecode(files[path]))
    return files, {path: MODES[mode] for path, (mode, _) in entries.items() if mode in MODES}


def _another_repository(path: str, what: str) -> InvalidPath:
    return InvalidPath(
        f"{named(path)} is {what}, whose files are not part of this change; gate that repository by itself, "
        "and here name the files to judge"
    )


def _not_understood(said: bytes) -> NotAWorkTree:
    return NotAWorkTree(f"git answered what squads cannot read ({said[:80]!r}); name the files to judge, and report it")


def _commit(directory: Path, name: str) -> str:
    return _git(directory, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}").decode().strip()


def _head(directory: Path) -> str | None:
    try:
        return _commit(directory, "HEAD")
    except NotAWorkTree:
        top_of(directory)  # a repository without a commit has an empty base; no repository has none
        return None


def _empty(directory: Path) -> str:
    """Return the id of the tree without files, in this repository's hash."""
    return _git(directory, "hash-object", "-t", "tree", "--stdin").decode().strip()


def _environment(*, own_index: bool) -> dict[str, str]:
    kept = _KEPT | {"GIT_INDEX_FILE"} if own_index else _KEPT
    mine = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in kept}
    # A repository can name a program as its transport and lack an object: reading that object would run the program.
    return {**mine, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


def _git(directory: Path, *arguments: str, given: bytes = b"", own_index: bool = False) -> bytes:
    # Replace refs would show other objects than those named; a file system monitor is a program the repository names.
    command = ["git", "--no-replace-objects", "-c", "core.fsmonitor=false", *arguments]
    environment = _environment(own_index=own_index)
    try:
        done = subprocess.run(
            command, cwd=directory, env=environment, input=given, capture_output=True, check=False, timeout=120
        )
    except FileNotFoundError as error:
        raise NotAWorkTree("git is not installed, or not on the PATH; install it, or name files") from error
    except subprocess.TimeoutExpired as error:
        raise NotAWorkTree(f"git {arguments[0]} did not answer within two minutes; try again, or name files") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = named(said[-1].removeprefix("fatal: ")) if said else f"exit code {done.returncode}"
        raise NotAWorkTree(f"git cannot read this here: {why}; run it inside a work tree, or name files")
    return done.stdout
