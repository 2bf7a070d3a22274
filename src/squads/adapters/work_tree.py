"""A change, and its files as they stand on the disk.

Links are kept as links and must not point out of the tree. What is neither a file nor a link is refused with a
sentence, never left out: a change that lost a part on the way would be judged as something it is not.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from squads.contracts.artifact import checked_path
from squads.contracts.errors import ArtifactTooLarge, EmptyArtifact, InvalidPath, StorageUnavailable

BYTES_MAX = 10 * 1024 * 1024
# Not every system has these; where one is missing, lstat before and fstat after still have to agree on a plain file.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Files to judge, and what they change."""

    title: str
    """What it is, in a few words."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    """Path to `executable` or `link`; a path that is not here is a plain file."""
    removals: tuple[str, ...] = ()
    base: str | None = None
    """SHA-256 of `git:<commit id>`; None for files that change nothing."""
    before: Mapping[str, bytes] | None = None
    """What stood at the paths that it edits or removes; None where that is not known."""


def files_at(paths: Iterable[Path], directory: Path) -> Change:
    """Return files, and all files below folders, as they stand on the disk.

    Paths inside `directory` keep their place; others are named from the folder they were found in. Raises
    `InvalidPath` where two files would get one name, and for what is no file.
    """
    root = directory.resolve()
    found: dict[str, tuple[Path, Path]] = {}
    names = []
    for path in paths:
        names.append(named(path))
        if not path.exists() and not path.is_symlink():
            raise InvalidPath(f"there is no file {named(path)}; check the path")
        whole = Path(os.path.abspath(path))  # noqa: PTH100  (a link given by name stays that name)
        base = root if whole.is_relative_to(root) else whole.parent
        for file in sorted(_below(whole)) if whole.is_dir() and not whole.is_symlink() else [whole]:
            place = file.relative_to(base).as_posix()
            other, _ = found.setdefault(place, (file, base))
            if other != file:
                raise InvalidPath(
                    f"{named(other)} and {named(file)} would both be {named(place)} in the artifact; "
                    "gate them one after the other, or from a folder that holds both"
                )
    files, modes = read_all(found)
    return change_of(", ".join(names), files, modes)


def from_text(content: bytes, name: str) -> Change:
    """Return one file that came without a disk, such as on standard input."""
    if len(content) > BYTES_MAX:
        raise too_large()
    return change_of(name, {name: content}, {})


def change_of(
    title: str,
    files: Mapping[str, bytes],
    modes: Mapping[str, str],
    removals: Iterable[str] = (),
    commit: str | None = None,
    before: Mapping[str, bytes] | None = None,
) -> Change:
    """Return a change whose paths an artifact may hold. Raises `InvalidPath` and `EmptyArtifact`."""
    gone = tuple(sorted(set(removals) - set(files))) if commit else ()
    for path in (*files, *gone):
        checked_path(path)
    if not files and not gone:
        raise EmptyArtifact(f"{title} holds no file: there is nothing to judge; change something, or name files")
    base = hashlib.sha256(f"git:{commit}".encode()).hexdigest() if commit else None
    return Change(title=title, files=dict(files), modes=dict(modes), removals=gone, base=base, before=before)


def read_all(places: Mapping[str, tuple[Path, Path]]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Read every file of artifact path to (file, root), and return their bytes and modes; bounded as a whole."""
    files: dict[str, bytes] = {}
    modes: dict[str, str] = {}
    left = BYTES_MAX
    for place, (file, root) in places.items():
        files[place], mode = _read(file, root, left)
        left -= len(files[place])
        if mode != "file":
            modes[place] = mode
    return files, modes


def check_link(path: str, target: str) -> None:
    """Raise `InvalidPath` where a link at `path` leads out of the tree."""
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if target.startswith("/") or reached == ".." or reached.startswith("../"):
        raise InvalidPath(
            f"{named(path)} is a link to {named(target)}, out of the tree; an artifact never reaches outside its root"
        )


def named(path: Path | str) -> str:
    """Return a path for a sentence: quoted and escaped where it holds what a terminal might obey."""
    text = str(path)
    return text if text.isprintable() else repr(text)


def too_large() -> ArtifactTooLarge:
    """Return the error for a change over the bound."""
    return ArtifactTooLarge(f"the change has more than {BYTES_MAX:,} bytes; gate it in parts, or name fewer files")


def _read(path: Path, root: Path, bytes_max: int) -> tuple[bytes, str]:
    """Return a file's bytes and mode. What it is comes from the opened file, so a swap cannot lead elsewhere."""
    try:
        kind = path.lstat().st_mode
        if stat.S_ISLNK(kind):
            target = os.readlink(path)  # noqa: PTH115  (the text of the link, not what it resolves to)
            check_link(path.relative_to(root).as_posix(), target)
            content, mode = os.fsencode(target), "link"
        else:
            _check_plain(path, kind)  # before it is opened: opening a device may already do something
            with os.fdopen(os.open(path, _OPEN), "rb") as file:
                kind = os.fstat(file.fileno()).st_mode
                _check_plain(path, kind)
                content, mode = file.read(bytes_max + 1), "executable" if kind & stat.S_IXUSR else "file"
    except OSError as error:
        raise StorageUnavailable(f"cannot read {named(path)}: {error.strerror}; check the file and its mode") from error
    if len(content) > bytes_max:
        raise too_large()
    return content, mode


def _check_plain(path: Path, kind: int) -> None:
    if stat.S_ISREG(kind):
        return
    what = next(
        (
            word
            for is_it, word in (
                (stat.S_ISDIR, "folder"),
                (stat.S_ISFIFO, "named pipe"),
                (stat.S_ISSOCK, "socket"),
                (stat.S_ISLNK, "link that came while it was read"),
            )
            if is_it(kind)
        ),
        "device",
    )
    raise InvalidPath(f"{named(path)} is a {what}, which no artifact can hold; remove it, or name the files beside it")


def _below(top: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(top, onerror=_unreadable):
        here = Path(parent)
        links = [name for name in folders if (here / name).is_symlink()]
        kept = [name for name in folders if name not in links]
        if here == top:
            kept = [name for name in kept if not _is_own(here / name)]
            names = [name for name in names if not _is_own(here / name)]
        folders[:] = sorted(kept)
        yield from (here / name for name in (*names, *links))


def _is_own(path: Path) -> bool:
    """Return whether it is the repository or the store of the folder it stands in, and not merely named like one."""
    if path.is_symlink():
        return False
    if path.name == ".git":
        return path.is_file() or (path / "HEAD").exists()
    return path.name == ".squads" and any((path / name).is_file() for name in ("ledger.db", "trust.json"))


def _unreadable(error: OSError) -> None:
    raise StorageUnavailable(f"cannot read {named(str(error.filename))}: {error.strerror}; check its mode") from error
