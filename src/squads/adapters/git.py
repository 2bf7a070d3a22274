"""A real change as an artifact: from a git work tree, from files, or from standard input.

Git is called with argument lists, never through a shell, and only to read. Links are kept as links and must not point
out of the tree; what is no plain file (submodules, sockets) is not part of a change.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from squads.contracts.artifact import checked_path
from squads.contracts.errors import ArtifactTooLarge, EmptyArtifact, InvalidPath, NotAWorkTree, StorageUnavailable

BYTES_MAX = 10 * 1024 * 1024
LINK, MODULE = "120000", "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Files to judge, and what they change."""

    title: str
    """What it is, in a few words."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    removals: tuple[str, ...] = ()
    base: str | None = None
    """SHA-256 of `git:<commit id>`; None for files that change nothing."""


def top_of(directory: Path) -> Path:
    """Return the root of the work tree that `directory` lies in. Raises `NotAWorkTree`."""
    return Path(_git(directory, "rev-parse", "--show-toplevel").decode().strip())


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
    """Return what is staged for the next commit."""
    head = _head(directory)
    raw = _git(
        directory, "diff-index", "--cached", "--raw", "-z", "--no-renames", "--abbrev=40", head or _empty(directory)
    )
    entries, removals = _parse(raw)
    files = _blobs(directory, entries)
    return _change("the staged change", files, removals, head)


def work_tree_change(directory: Path) -> Change:
    """Return everything in the work tree that differs from the newest commit, untracked files included."""
    top = top_of(directory)
    head = _head(directory)
    raw = _git(top, "diff-index", "--raw", "-z", "--no-renames", "--abbrev=40", head or _empty(top))
    entries, removals = _parse(raw)
    names = [path for path, (mode, _) in entries.items() if mode != MODULE]
    names += [os.fsdecode(p) for p in _git(top, "ls-files", "--others", "--exclude-standard", "-z").split(b"\0") if p]
    found = {path: _read(top / path, top) for path in names if (top / path).is_file() or (top / path).is_symlink()}
    return _change("the work tree's change", found, removals, head)


def files_at(paths: Iterable[Path], directory: Path) -> Change:
    """Return files, and all files below folders, as they stand on the disk.

    Paths inside `directory` keep their place; others are named from the folder they were found in.
    """
    root = directory.resolve()
    files: dict[str, bytes] = {}
    names = []
    for path in paths:
        names.append(str(path))
        if not path.exists() and not path.is_symlink():
            raise InvalidPath(f"there is no file {path}; check the path")
        whole = Path(os.path.abspath(path))  # noqa: PTH100  (a link given by name stays that name)
        base = root if whole.is_relative_to(root) else whole.parent
        found = sorted(_below(whole)) if whole.is_dir() and not whole.is_symlink() else [whole]
        for file in found:
            files[file.relative_to(base).as_posix()] = _read(file, base)
            if sum(map(len, files.values())) > BYTES_MAX:
                raise _too_large()
    return _change(", ".join(names), files, (), None)


def from_text(content: bytes, name: str) -> Change:
    """Return one file that came without a disk, such as on standard input."""
    if len(content) > BYTES_MAX:
        raise _too_large()
    return _change(name, {name: content}, (), None)


def _change(title: str, files: Mapping[str, bytes], removals: Iterable[str], commit: str | None) -> Change:
    gone = tuple(sorted(removals)) if commit else ()
    for path in (*files, *gone):
        checked_path(path)
    if not files and not gone:
        raise EmptyArtifact(f"{title} holds no file: there is nothing to judge; change something, or name files")
    base = hashlib.sha256(f"git:{commit}".encode()).hexdigest() if commit else None
    return Change(title=title, files=dict(files), removals=gone, base=base)


def _between(directory: Path, old: str | None, new: str, title: str) -> Change:
    raw = _git(
        directory, "diff-tree", "-r", "--raw", "-z", "--no-renames", "--abbrev=40", old or _empty(directory), new
    )
    entries, removals = _parse(raw)
    return _change(title, _blobs(directory, entries), removals, old)


def _parse(raw: bytes) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Return path to (mode, blob id) of what is there after the change, and the paths that are gone."""
    fields = raw.split(b"\0")
    entries: dict[str, tuple[str, str]] = {}
    removals: list[str] = []
    for meta, name in zip(fields[0::2], fields[1::2], strict=False):
        _, mode, _, blob, status = meta.decode().lstrip(":").split(" ")
        path = os.fsdecode(name)
        if status == "D":
            removals.append(path)
        elif mode != MODULE:
            entries[path] = (mode, blob)
    return entries, removals


def _blobs(directory: Path, entries: Mapping[str, tuple[str, str]]) -> dict[str, bytes]:
    """Read all blobs with one process; sizes are asked for first, so that a huge one is never read."""
    if not entries:
        return {}
    wanted = "".join(f"{blob}\n" for _, blob in entries.values()).encode()
    checked = _git(directory, "cat-file", "--batch-check=%(objectsize)", given=wanted).decode().split("\n")
    if sum(int(size) for size in checked if size.isdigit()) > BYTES_MAX:
        raise _too_large()
    out = _git(directory, "cat-file", "--batch", given=wanted)
    files: dict[str, bytes] = {}
    at = 0
    for path, (mode, _) in entries.items():
        end = out.index(b"\n", at)
        size = int(out[at:end].split(b" ")[2])
        content = out[end + 1 : end + 1 + size]
        at = end + 2 + size
        if mode == LINK:
            _check_link(path, os.fsdecode(content))
        files[path] = content
    return files


def _check_link(path: str, target: str) -> None:
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith("/") or reached == ".." or reached.startswith("../"):
        raise InvalidPath(f"{path} is a link to {target}, out of the tree; an artifact never reaches outside its root")


def _read(path: Path, root: Path) -> bytes:
    try:
        if path.is_symlink():
            target = os.readlink(path)  # noqa: PTH115  (the text of the link, not what it resolves to)
            _check_link(path.relative_to(root).as_posix(), target)
            return os.fsencode(target)
        if path.stat().st_size > BYTES_MAX:
            raise _too_large()
        return path.read_bytes()
    except OSError as error:
        raise StorageUnavailable(f"cannot read {path}: {error.strerror}; check the file and its mode") from error


def _below(folder: Path) -> Iterable[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in (".git", ".squads"))
        yield from (Path(parent) / name for name in names)


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


def _git(directory: Path, *arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=directory, input=given, capture_output=True, check=False, timeout=120
        )
    except FileNotFoundError as error:
        raise NotAWorkTree("git is not installed, or not on the PATH; install it, or name files") from error
    except subprocess.TimeoutExpired as error:
        raise NotAWorkTree(f"git {arguments[0]} did not answer within two minutes; try again, or name files") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1].removeprefix("fatal: ") if said else f"exit code {done.returncode}"
        raise NotAWorkTree(f"git cannot read this here: {why}; run it inside a work tree, or name files")
    return done.stdout


def _too_large() -> ArtifactTooLarge:
    return ArtifactTooLarge(f"the change has more than {BYTES_MAX:,} bytes; gate it in parts, or name fewer files")
