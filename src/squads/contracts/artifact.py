"""Artifacts and their manifests: bytes that gates judge, and the one digest that names them.

A manifest lists every file's digest and a random salt; its own digest is the artifact's name. Any change of bytes is
another digest, so a verdict or an approval can never drift onto other content. Paths are plain, relative and POSIX:
an artifact can be written to a directory without ever leaving it.
"""

from __future__ import annotations

import fnmatch
import mimetypes
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal, Self, cast

from pydantic import Field, field_validator, model_validator

from squads.contracts.base import Content, Digest, digest_of, json_in
from squads.contracts.errors import EmptyArtifact, InvalidArtifact, InvalidPath, NotText

PATH_BYTES_MAX = 1_024
_TEXT_TYPES = {
    ".sql": "application/sql",
    ".py": "text/x-python",
    ".md": "text/markdown",
    ".toml": "application/toml",
    ".yml": "application/yaml",
    ".yaml": "application/yaml",
}


def checked_path(path: str) -> str:
    """Return `path` when an artifact may hold it. Raises `InvalidPath` with what to write instead."""
    if not isinstance(path, str) or not path:
        raise InvalidPath("an artifact's path is empty; give a relative path such as 'src/app.py'")
    problem = ""
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        problem = "is absolute; make it relative to the artifact's root"
    elif "\\" in path:
        problem = "has a backslash; write '/' between folders"
    elif any(part in ("", ".", "..") for part in path.split("/")):
        problem = "has an empty, '.' or '..' part; an artifact never reaches outside its root"
    elif path.isascii() and path.isprintable():
        pass  # nearly every path, and every one is checked many times: no letter of it needs a look of its own
    elif any(unicodedata.category(c) in ("Cc", "Cs", "Cf") for c in path):
        problem = "has a control or formatting character"
    elif unicodedata.normalize("NFC", path) != path:
        problem = "is not in Unicode normal form C; two spellings of one name would be two files"
    if not problem and len(path.encode()) > PATH_BYTES_MAX:
        problem = f"is longer than {PATH_BYTES_MAX} bytes"
    if problem:
        raise InvalidPath(f"the artifact's path {path!r} {problem}")
    return path


def media_type_of(path: str) -> str:
    """Return the media type that `path`'s ending suggests; `application/octet-stream` when none does."""
    for ending, media_type in _TEXT_TYPES.items():
        if path.endswith(ending):
            return media_type
    return mimetypes.guess_type(path, strict=False)[0] or "application/octet-stream"


Mode = Literal["file", "executable", "link"]
"""What a path is: a plain file, one that may be executed, or a link whose content is its target."""


class FileEntry(Content):
    """One line of a manifest."""

    path: str
    mode: Mode = "file"
    media_type: str
    digest: Digest
    size_bytes: int = Field(ge=0)

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        return checked_path(path)


class Manifest(Content):
    """What an artifact consists of, without its bytes. `digest` names the artifact."""

    kind: Literal["manifest"] = "manifest"
    files: tuple[FileEntry, ...] = ()
    """Sorted by path, no path twice."""
    removals: tuple[str, ...] = ()
    """Paths of the base that this change removes; sorted."""
    base: Digest | None = None
    """The manifest of what is changed; None for an artifact that stands alone."""
    made_from: tuple[Digest, ...] = ()
    """The artifacts it was made from, in order of their tasks."""
    author: str
    attempt: int = Field(ge=1)
    salt: Digest
    """32 random bytes: the digest says nothing about the content once that is erased."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        paths = [entry.path for entry in self.files]
        for path in self.removals:
            checked_path(path)
        both = [*paths, *self.removals]
        if not both:
            raise EmptyArtifact("an artifact without a file and without a removal: there is nothing to judge")
        if len(set(both)) != len(both):
            twice = sorted({p for p in both if both.count(p) > 1})[0]
            raise InvalidPath(f"{twice!r} stands twice in one artifact; a path is written once or removed once")
        folders = {p.rsplit("/", n)[0] for p in paths for n in range(1, p.count("/") + 1)}
        if clash := sorted(folders & set(paths)):
            raise InvalidPath(f"{clash[0]!r} is a file and a folder of one artifact; rename one of them")
        if paths != sorted(paths) or list(self.removals) != sorted(self.removals):
            raise InvalidPath("a manifest lists its files and removals sorted by path; sort them")
        if self.removals and self.base is None:
            raise InvalidPath("an artifact that removes files needs `base`, the manifest they are removed from")
        return self

    @cached_property
    def blob(self) -> bytes:
        """The canonical bytes that `digest` is taken over."""
        return self.canonical()

    @cached_property
    def digest(self) -> str:
        """The artifact's name."""
        return digest_of(self.blob)

    @cached_property
    def size_bytes(self) -> int:
        """The sum of the files' sizes."""
        return sum(entry.size_bytes for entry in self.files)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path it writes or removes."""
        return (*(entry.path for entry in self.files), *self.removals)

    @classmethod
    def parse(cls, blob: bytes) -> Self:
        """Read a manifest back from its blob; the same bytes give the same digest or a `ValueError`."""
        manifest = cls.model_validate(json_in(blob))
        if manifest.blob != blob:
            raise ValueError("not a canonical manifest: writing it again gives other bytes")
        return manifest


class File(Content):
    """One file of an artifact, with its bytes."""

    path: str
    content: bytes
    mode: Mode = "file"
    media_type: str = ""
    """Guessed from the path when empty."""

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        return checked_path(path)

    @property
    def text(self) -> str:
        """The content as text. Raises `NotText` where it is not UTF-8."""
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            raise NotText(
                f"{self.path} is not UTF-8 (byte {error.start} is 0x{self.content[error.start]:02x}); "
                "convert it, or let a gate for binary files read it"
            ) from error

    @cached_property
    def entry(self) -> FileEntry:
        """Its line in the manifest."""
        return FileEntry(
            path=self.path,
            mode=self.mode,
            media_type=self.media_type or media_type_of(self.path),
            digest=digest_of(self.content),
            size_bytes=len(self.content),
        )


def _bytes(path: str, content: object) -> bytes:
    """Return a file's content as bytes. `bytes(3)` would be three zeros, so only text and bytes count."""
    if isinstance(content, str):
        try:
            return content.encode()
        except UnicodeEncodeError as error:
            raise NotText(
                f"the content of {path!r} has a lone surrogate at character {error.start}, which no UTF-8 can hold"
            ) from None
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    raise InvalidArtifact(f"the content of {path!r} is {type(content).__name__} {content!r:.40}; give text or bytes")


class Artifact(Content):
    """Files that gates judge. Make one with `Artifact.of({...})`, or in a builder with `task.artifact({...})`."""

    files: tuple[File, ...] = ()
    removals: tuple[str, ...] = ()
    base: Digest | None = None
    made_from: tuple[Digest, ...] = ()
    author: str = "unknown"
    attempt: int = Field(default=1, ge=1)
    salt: Digest = "0" * 64

    @classmethod
    def of(
        cls,
        files: Mapping[str, str | bytes],
        *,
        modes: Mapping[str, str] | None = None,
        removals: Iterable[str] = (),
        base: str | None = None,
        made_from: Iterable[str] = (),
        author: str = "unknown",
        attempt: int = 1,
        salt: str = "0" * 64,
    ) -> Artifact:
        """Return an artifact of `files`: path to text (written as UTF-8) or bytes.

        `modes` says which paths are `executable` or a `link`; the others are plain files. The default salt hides
        nothing; a squad sets a random one. Raises `InvalidPath` and `EmptyArtifact`.
        """
        if not isinstance(files, Mapping) or isinstance(removals, (str, bytes)):
            raise InvalidArtifact("files are a mapping of path to content, and removals a list of paths")
        kinds = modes or {}
        made = tuple(
            File(path=path, content=_bytes(path, files[path]), mode=cast("Mode", kinds.get(path, "file")))
            for path in sorted(files, key=str)
        )
        artifact = cls(
            files=made,
            removals=tuple(sorted(removals)),
            base=base,
            made_from=tuple(made_from),
            author=author,
            attempt=attempt,
            salt=salt,
        )
        artifact.manifest  # noqa: B018  (a bad path or an empty artifact is said here, not when it is first used)
        return artifact

    @cached_property
    def manifest(self) -> Manifest:
        """What it consists of, and its digest."""
        return Manifest(
            files=tuple(file.entry for file in self.files),
            removals=self.removals,
            base=self.base,
            made_from=self.made_from,
            author=self.author,
            attempt=self.attempt,
            salt=self.salt,
        )

    @property
    def digest(self) -> str:
        """The digest of the manifest: the artifact's name."""
        return self.manifest.digest

    def __getitem__(self, path: str) -> File:
        for file in self.files:
            if file.path == path:
                return file
        raise KeyError(f"{path!r} is not in this artifact; it holds {', '.join(f.path for f in self.files)}")

    def matching(self, *patterns: str) -> tuple[File, ...]:
        """Return the files whose path or name matches one of the shell patterns, such as `*.sql`."""
        return tuple(
            f
            for f in self.files
            if any(
                fnmatch.fnmatchcase(f.path, p) or fnmatch.fnmatchcase(f.path.rsplit("/", 1)[-1], p) for p in patterns
            )
        )
