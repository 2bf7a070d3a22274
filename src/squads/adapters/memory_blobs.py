"""Content in this process's memory: for tests, for trying things out, and for squads that keep nothing.

It must never outlive its process or promise to.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from squads.contracts.errors import BlobBroken, BlobMissing, SubjectErased


class MemoryBlobs:
    """A `BlobStore` in a dictionary. Durable for as long as the object lives."""

    def __init__(self, owner: Callable[[str], str] = lambda subject: subject) -> None:
        """Make an empty store; `owner` says whom the name of a packet stands for."""
        self._content: dict[str, bytes] = {}
        self._subjects: dict[str, set[str]] = {}
        """Digest to whom it is stored for."""
        self._owner = owner
        self._erased: set[str] = set()

    def check(self, subject: str) -> str:
        """Return whose content it is that is stored for `subject`. Raises `SubjectErased`."""
        owner = self._owner(subject)
        if owner in self._erased:
            raise SubjectErased(
                f"subject {owner!r} was erased, and nothing more is stored about it; begin again under another name"
            )
        return owner

    def keep(self, content: bytes, subject: str = "") -> str:
        """Store `content` at once; what `put` does, for callers that hold a lock and cannot wait."""
        digest = sha256(content).hexdigest()
        owner = self.check(subject)
        self._subjects.setdefault(digest, set()).add(owner)
        self._content[digest] = bytes(content)
        return digest

    def erase_subject(self, subject: str) -> int:
        """Remove all that is stored for a subject, for good; return how many blobs went."""
        self._erased.add(subject)
        gone = [digest for digest, subjects in self._subjects.items() if subject in subjects]
        for digest in gone:
            self._subjects[digest].discard(subject)
            if not self._subjects[digest]:
                del self._subjects[digest], self._content[digest]
        return len(gone)

    async def put(self, content: bytes, *, subject: str = "") -> str:
        """Store `content` and return its SHA-256 as 64 hex digits. Raises `SubjectErased`."""
        return self.keep(content, subject)

    async def get(self, digest: str) -> bytes:
        """Return the content. Raises `BlobMissing` or `BlobBroken`."""
        content = self._content.get(digest)
        if content is None:
            raise BlobMissing(f"no content under {digest[:64]!r} here: never stored, or erased")
        if sha256(content).hexdigest() != digest:
            raise BlobBroken(f"the content under {digest} has another digest; store it again from its source")
        return content

    async def has(self, digest: str) -> bool:
        """Say whether content is stored under this digest."""
        return digest in self._content

    async def erase(self, digest: str) -> bool:
        """Remove the content; True when there was some."""
        self._subjects.pop(digest, None)
        return self._content.pop(digest, None) is not None
