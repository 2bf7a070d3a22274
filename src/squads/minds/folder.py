"""One folder that tools and commands write in, walked a step at a time and never out of it.

Every path is checked like an artifact's and opened folder by folder without following links, so nothing that was left
there leads elsewhere. A file is written beside its place and moved there: what stood there before, a link or another
name of some file outside, is replaced and never written through. Only the folder's own paths stand in its messages.
"""

from __future__ import annotations

import errno
import os
import posixpath
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from squads.contracts.artifact import checked_path
from squads.contracts.errors import InvalidPath, ToolProblem

ENTRIES_MAX = 100_000
"""How many files and folders are looked through; with more it is an error, never a part of them."""
_STAY = os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | _STAY
_PERMISSIONS = {"file": 0o600, "executable": 0o700}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or link, as it stands there now."""

    path: str
    mode: str
    """As in an artifact: `file`, `executable` or `link`; `other` for what no artifact can hold."""
    size_bytes: int
    mark: tuple[int, ...] = field(repr=False)
    """Another one whenever the content may be another one."""


class Folder:
    """The folder at `root`, which is there and has no link in its own path."""

    def __init__(self, root: str) -> None:
        self.root = root

    def walk(self, enters: Callable[[str], bool]) -> Iterator[Entry]:
        """Yield every file and link below the folders that `enters` says yes to, in no order."""
        waiting, seen = [""], 0
        while waiting:
            folder = waiting.pop()
            try:
                descriptor = self._open(folder)
            except OSError as error:
                raise ToolProblem(
                    f"{folder or '.'} cannot be looked into: {error.strerror}; give it back its mode"
                ) from None
            try:
                with os.scandir(descriptor) as entries:
                    for entry in entries:
                        seen += 1
                        if seen > ENTRIES_MAX:
                            raise ToolProblem(f"there are more than {ENTRIES_MAX:,} files and folders; remove some")
                        path = f"{folder}/{entry.name}" if folder else entry.name
                        if entry.is_dir(follow_symlinks=False):
                            if enters(path):
                                waiting.append(path)
                        else:
                            yield _entry(path, entry.stat(follow_symlinks=False))
            finally:
                os.close(descriptor)

    def read(self, path: str, bytes_max: int) -> bytes:
        """Return a file's content. Raises `ToolProblem` where there is no plain file, and `InvalidPath`."""
        with self._parent(path) as (folder, name):
            # Not to wait for a writer, should it be a pipe.
            descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _STAY, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise ToolProblem(f"{path} is no plain file; list the files to see what there is")
                content = file.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise ToolProblem(f"{path} has more than {bytes_max:,} bytes, which is more than can be read")
        return content

    def target(self, path: str) -> str:
        """Return where a link points, as it is written in it. Raises `ToolProblem` and `InvalidPath`."""
        with self._parent(path) as (folder, name):
            return os.readlink(name, dir_fd=folder)

    def put(self, path: str, content: bytes, mode: str) -> None:
        """Write a file, or a link whose target is `content`, in place of what is there; make the folders it stands in.

        Raises `ToolProblem` and `InvalidPath`.
        """
        with self._parent(path, make=True) as (folder, name):
            beside = f".tmp-{secrets.token_hex(8)}"
            try:
                if mode == "link":
                    os.symlink(_inner_target(path, content), beside, dir_fd=folder)
                else:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _STAY
                    with os.fdopen(os.open(beside, flags, 0o600, dir_fd=folder), "wb") as file:
                        os.fchmod(file.fileno(), _PERMISSIONS[mode])
                        file.write(content)
                try:
                    os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
                except IsADirectoryError:
                    os.rmdir(name, dir_fd=folder)  # only an empty one goes
                    os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(beside, dir_fd=folder)
                raise

    def remove(self, path: str) -> None:
        """Remove a file or a link, never what it points to. Raises `ToolProblem` and `InvalidPath`."""
        with self._parent(path) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def unlink(self, path: str) -> None:
        """Remove what a walk has found, also under a name that no artifact may hold."""
        above, _, name = path.rpartition("/")
        descriptor = self._open(above)
        try:
            os.unlink(name, dir_fd=descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Yield an open folder and the name in it; what the system refuses in the block becomes a `ToolProblem`."""
        *above, name = checked_path(path).split("/")
        try:
            descriptor = self._open("/".join(above), make=make)
            try:
                yield descriptor, name
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ToolProblem(f"{path}: {_REASONS.get(error.errno or 0, error.strerror)}") from None

    def _open(self, path: str, *, make: bool = False) -> int:
        """Open a folder step by step, so that no link on the way is followed."""
        descriptor = os.open(self.root, _FOLDER)
        try:
            for part in path.split("/") if path else ():
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=descriptor)
                below = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


_REASONS = {
    errno.ENOENT: "there is no such file; list the files to see what there is",
    errno.ENOTDIR: "one of the folders in it is a file or a link; name the file where it really is",
    errno.ELOOP: "it is a link, and links are not followed; name the file where it really is",
    errno.EISDIR: "it is a folder; name a file",
    errno.ENOTEMPTY: "it is a folder with files in it; name a file",
    errno.EACCES: "its mode does not allow it",
}


def remove_tree(top: str) -> None:
    """Remove a folder and everything in it, whatever modes were left there. What is not there is no error."""
    with suppress(OSError):
        os.chmod(top, 0o700)  # noqa: PTH101
    for parent, folders, _ in os.walk(top):
        for name in folders:
            if not os.path.islink(inner := os.path.join(parent, name)):  # noqa: PTH114, PTH118
                with suppress(OSError):
                    os.chmod(inner, 0o700)  # noqa: PTH101
    shutil.rmtree(top, ignore_errors=True)


def check_target(path: str, target: str) -> str:
    """Return a link's target when it stays inside. Raises `InvalidPath`."""
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    if not target or target.startswith("/") or reached == ".." or reached.startswith("../"):
        raise InvalidPath(f"{path!r} is a link to {target!r}, which leads out; let it point to a file beside it")
    return target


def _inner_target(path: str, content: bytes) -> str:
    if b"\0" in content:
        raise InvalidPath(f"{path!r} is a link whose target holds a NUL; no file has such a name")
    return check_target(path, os.fsdecode(content))


def _entry(path: str, found: os.stat_result) -> Entry:
    if stat.S_ISREG(found.st_mode):
        mode = "executable" if found.st_mode & stat.S_IXUSR else "file"
    else:
        mode = "link" if stat.S_ISLNK(found.st_mode) else "other"
    # The time of change cannot be set by a program, unlike that of modification.
    return Entry(path, mode, found.st_size, (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))


def made_folder() -> str:
    """Return a new folder for its owner only, with no link in its path."""
    return str(Path(tempfile.mkdtemp(prefix="squads-")).resolve())
