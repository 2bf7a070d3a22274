"""A task's scratch workspace: a folder where a role's tools leave files, and what has become of it at the end.

What is not part of an artifact: folders that programs fill by themselves, see `LEFT_OUT`, and TMPDIR. A tool may not
write there; what a command leaves there stays on the disk, and neither `collect` nor `taken` sees it. A file that the
workspace was filled with is always seen, wherever it stands.
"""

from __future__ import annotations

import base64
import fnmatch
import json
import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from squads.contracts.artifact import Artifact, checked_path
from squads.contracts.base import canonical, digest_of
from squads.contracts.errors import ArtifactTooLarge, InvalidPath, ToolProblem
from squads.contracts.packet import Limits
from squads.contracts.work import BuildWork, ReviewWork
from squads.minds.folder import Entry, Folder, check_target, made_folder, remove_tree

_VERSIONS = (".git", ".hg", ".svn")
_CACHES = (".cache", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__")
_INSTALLED = (".nox", ".tox", ".venv", "node_modules")
LEFT_OUT = frozenset((*_VERSIONS, *_CACHES, *_INSTALLED))
"""Names of folders whose content is nobody's work, at any depth; beside them everything that begins with `.tmp-`."""
INPUTS = ".inputs"
"""Where inputs stand that speak of one path with different bytes: `.inputs/<task>/<path>`. Never collected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What goes into an artifact: `work.artifact(made.files, modes=made.modes, removals=made.removals, base=...)`."""

    files: dict[str, bytes]
    modes: dict[str, str]
    removals: tuple[str, ...]
    """Empty unless the workspace has a `base`."""


@dataclass(frozen=True, slots=True)
class _Seen:
    mark: tuple[int, ...]
    mode: str
    digest: str


class Scratch:
    """The folder, `Effects` over it, and what became of it. Use it as a context manager, or `close` it.

    Its methods block on the disk for as long as small files take, and may be called from any thread. All of them raise
    `ToolProblem` or `InvalidPath` with a sentence that a model can act on and that names no path outside.
    """

    def __init__(
        self,
        inputs: Mapping[str, bytes] | None = None,
        own: Mapping[str, bytes] | None = None,
        *,
        modes: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        base: str | None = None,
        removals: Iterable[str] = (),
        reads_only: bool = False,
    ) -> None:
        """Make the folder and fill it.

        Args:
            inputs: What others made. Collected only where it was changed.
            own: What the author made before, over the inputs. Collected also where it was not changed.
            modes: Paths that are `executable` or a `link`.
            limits: `files_max` and `artifact_bytes_max` bound what may be collected.
            base: The manifest that is changed. Only with it may an input be removed, for only then it can be said.
            removals: What the author removed from the base before; it stays removed unless it is written again.
            reads_only: True refuses every change.
        """
        self.limits, self.base, self.reads_only = limits or Limits(), base, reads_only
        filled = {**(inputs or {}), **(own or {})}
        self._inputs = {path: digest_of(content) for path, content in (inputs or {}).items()}
        self._own = frozenset(own or {})
        self._removals = frozenset(removals)
        self._modes = dict(modes or {})
        self._filled = frozenset(filled)
        self._above = frozenset(path.rsplit("/", n)[0] for path in filled for n in range(1, path.count("/") + 1))
        self._read_bytes_max = max([self.limits.artifact_bytes_max, *map(len, filled.values())])
        self._lock = threading.RLock()
        self._seen: dict[str, _Seen] = {}
        self._told_read: set[str] = set()
        self.were_read: set[str] = set()
        """Paths that were opened to be read."""
        self.folder = made_folder()
        """Where it is: for a command to run in, and for nobody's eyes."""
        self._files = Folder(self.folder)
        try:
            for path, content in filled.items():
                self._files.put(path, content, self._modes.get(path, "file"))
            self._note()
        except BaseException:
            self.close()
            raise

    @classmethod
    def of_build(cls, work: BuildWork) -> Scratch:
        """Return a workspace with the inputs of a task and, over them, what its author made before.

        Where inputs speak of one path differently, the one that was built on the others counts. Where none was, the
        path is left free, and what each of them says stands at `.inputs/<task>/<path>`.
        """
        inputs: dict[str, bytes] = {}
        modes: dict[str, str] = {}
        for task, artifact in work.inputs.items():
            for file in artifact.files:
                rivals = [
                    other
                    for other in work.inputs.values()
                    if any(_meet(f.path, file.path) and f.entry != file.entry for f in other.files)
                ]
                if any(artifact.digest in other.made_from for other in rivals):
                    continue
                won = all(other.digest in artifact.made_from for other in rivals)
                path = file.path if won else f"{INPUTS}/{task}/{file.path}"
                inputs[path], modes[path] = file.content, file.mode
        before = work.previous
        own = {file.path: file.content for file in before.files} if before else {}
        removals = before.removals if before else ()
        modes |= {file.path: file.mode for file in before.files} if before else {}
        clear = {p: c for p, c in inputs.items() if p in own or not any(_meet(p, other) for other in own)}
        return cls(
            {path: content for path, content in clear.items() if path not in removals},
            own,
            modes=modes,
            limits=work.packet.limits,
            base=before.base if before else None,
            removals=removals,
        )

    @classmethod
    def of_review(cls, work: ReviewWork) -> Scratch:
        """Return a workspace that holds the attempt and nothing else, and that nobody can change."""
        return cls.of_artifact(work.artifact, limits=work.packet.limits)

    @classmethod
    def of_artifact(cls, artifact: Artifact | None, *, limits: Limits | None = None) -> Scratch:
        """Return a workspace that holds an artifact and that nobody can change; None is an empty one."""
        files = artifact.files if artifact else ()
        return cls(
            {file.path: file.content for file in files},
            modes={file.path: file.mode for file in files},
            limits=limits,
            reads_only=True,
        )

    def entries(self, pattern: str = "") -> list[Entry]:
        """Return files and links sorted by path; `pattern` is a shell pattern for the path or the name."""
        found = [e for e in self._files.walk(self._enters) if e.path in self._filled or not _left_out(e.path)]
        return sorted((e for e in found if not pattern or _fits(e.path, pattern)), key=lambda entry: entry.path)

    def read(self, path: str) -> bytes:
        """Return a file's content. A link is not followed."""
        return self._files.read(path, self._read_bytes_max)

    def target(self, path: str) -> str:
        """Return where a link points, as it is written in it."""
        return self._files.target(path)

    def write(self, path: str, content: bytes) -> None:
        """Write a file and make the folders it stands in; an executable stays one, a link becomes a file."""
        self._check_change(path)
        with self._lock:
            there = self.entries()
            sizes = {entry.path: entry.size_bytes for entry in there if not self._given(entry)}
            sizes[path] = len(content)
            if too_much := self._too_much(len(sizes), sum(sizes.values())):
                raise ToolProblem(f"{path} was not written: with it, {too_much}; write less, or remove other files")
            executable = any(entry.path == path and entry.mode == "executable" for entry in there)
            self._files.put(path, content, "executable" if executable else "file")

    def remove(self, path: str) -> None:
        """Remove a file or a link. What another task made stays, unless the artifact is a change to a base."""
        self._check_change(path)
        if path in self._inputs and path not in self._own and self.base is None:
            raise ToolProblem(f"{path} was made by another task and cannot be removed here; write it anew, or object")
        self._files.remove(path)

    def collect(self) -> Collected:
        """Return what was made: new and changed files, and all of the author's own that are still there.

        Raises `ArtifactTooLarge`, and `InvalidPath` for what no artifact can hold: a pipe, a name with control
        characters, a link that leads out.
        """
        files: dict[str, bytes] = {}
        modes: dict[str, str] = {}
        with self._lock:
            there = [entry for entry in self.entries() if not entry.path.startswith(f"{INPUTS}/")]
            made = [entry for entry in there if entry.path in self._own or not self._given(entry)]
            if too_much := self._too_much(len(made), sum(entry.size_bytes for entry in made)):
                raise ArtifactTooLarge(f"{too_much}; write less, or ask for the task to be cut in two")
            for entry in made:
                content = self._content(entry)
                mode = self._modes.get(entry.path, "file")
                if entry.path in self._own or (self._inputs.get(entry.path), mode) != (digest_of(content), entry.mode):
                    files[entry.path] = content
                    modes[entry.path] = entry.mode
        gone: Iterable[str] = ()
        if self.base is not None:
            gone = (self._removals | (self._inputs.keys() - self._own)) - {entry.path for entry in there}
        return Collected(
            files=files,
            modes={path: mode for path, mode in modes.items() if mode != "file"},
            removals=tuple(sorted(path for path in gone if not path.startswith(f"{INPUTS}/"))),
        )

    def trim(self) -> tuple[str, ...]:
        """Remove what is new since `taken` and over the limits, the largest first; return the paths.

        For after a command: a tool cannot go over the limits, a program can.
        """
        gone = []
        with self._lock:
            made = {entry.path: entry for entry in self.entries() if not self._given(entry)}
            total = sum(entry.size_bytes for entry in made.values())
            for entry in sorted(made.values(), key=lambda e: (-e.size_bytes, e.path)):
                if not self._too_much(len(made), total):
                    break
                seen = self._seen.get(entry.path)
                if seen is None or seen.mark != entry.mark:
                    with suppress(OSError):
                        self._files.unlink(entry.path)
                    del made[entry.path]
                    total -= entry.size_bytes
                    gone.append(entry.path)
        return tuple(gone)

    def saw(self, path: str) -> None:
        """Remember that a file was opened to be read: what a gate has not opened, it has not looked at."""
        with self._lock:
            self.were_read.add(path)

    def taken(self) -> bytes:
        """Return what has changed since this was last asked, as canonical JSON; empty for nothing. See `Effects`.

        What no artifact can hold is not in it: `collect` refuses that where it was made.
        """
        with self._lock:
            before, contents = self._seen, self._note()
            gone = sorted(before.keys() - self._seen.keys())
            files = {
                path: {"content": base64.b64encode(content).decode("ascii"), "mode": self._seen[path].mode}
                for path, content in contents.items()
                if path not in before
                or (before[path].mode, before[path].digest) != (self._seen[path].mode, self._seen[path].digest)
            }
            read = sorted(self.were_read - self._told_read)
            self._told_read |= self.were_read
        if not (files or gone or read):
            return b""
        return canonical({"files": files, "gone": gone, **({"read": read} if read else {})})

    def redo(self, changes: bytes) -> None:
        """Make the changes that `taken` returned once; they are not taken again. See `Effects`."""
        if not changes:
            return
        said: dict[str, Any] = json.loads(changes)
        with self._lock:
            self.were_read |= set(said.get("read", ()))
            self._told_read |= self.were_read
            for path in said["gone"]:
                with suppress(ToolProblem):
                    self._files.remove(path)
            for path, one in said["files"].items():
                self._files.put(path, base64.b64decode(one["content"]), one["mode"])
            self._note()

    def close(self) -> None:
        """Remove the folder and everything in it. A second time does nothing."""
        remove_tree(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _note(self) -> dict[str, bytes]:
        """Remember how everything stands; return the content of what may be another than when it was last noted."""
        before, now, contents = self._seen, {}, {}
        for entry in self.entries():
            seen = before.get(entry.path)
            if seen is not None and seen.mark == entry.mark:
                now[entry.path] = seen
                continue
            with suppress(InvalidPath):
                content = self._content(entry)
                now[entry.path] = _Seen(entry.mark, entry.mode, digest_of(content))
                contents[entry.path] = content
        self._seen = now
        return contents

    def _content(self, entry: Entry) -> bytes:
        if entry.mode == "other":
            raise InvalidPath(f"{entry.path!r} is neither a file nor a link, which no artifact can hold; remove it")
        if entry.mode == "link":
            return os.fsencode(check_target(entry.path, self._files.target(entry.path)))
        return self.read(entry.path)

    def _given(self, entry: Entry) -> bool:
        """Return whether it is, for all that can be seen without reading it, an input as it was given."""
        seen = self._seen.get(entry.path)
        return (
            seen is not None
            and (seen.mark, seen.digest) == (entry.mark, self._inputs.get(entry.path))
            and seen.mode == self._modes.get(entry.path, "file")
        )

    def _check_change(self, path: str) -> None:
        if self.reads_only:
            raise ToolProblem("this workspace is for reading; nothing in it can be changed")
        if _left_out(checked_path(path)) and path not in self._filled:
            raise ToolProblem(f"{path} is in a folder that no artifact takes files from; write it elsewhere")
        if path.startswith(f"{INPUTS}/"):
            raise ToolProblem(f"{path} shows what another task made; write to the path that your own file shall have")

    def _too_much(self, files: int, size_bytes: int) -> str:
        if files > self.limits.files_max:
            return f"there would be {files:,} files, and an artifact has at most {self.limits.files_max:,}"
        if size_bytes > self.limits.artifact_bytes_max:
            return (
                f"there would be {size_bytes:,} bytes, and an artifact has at most {self.limits.artifact_bytes_max:,}"
            )
        return ""

    def _enters(self, folder: str) -> bool:
        return folder in self._above or not _left_out(folder)


def _left_out(path: str) -> bool:
    return any(part in LEFT_OUT or part.startswith(".tmp-") for part in path.split("/"))


def _meet(one: str, other: str) -> bool:
    """Return whether two paths cannot both be files of their own in one folder."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def _fits(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], pattern)
