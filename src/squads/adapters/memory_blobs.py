"""Content in this process's memory: for tests, for trying things out, and for squads that keep nothing.

It must never outlive its process or promise to.
"""

from __future__ import annotations

from hashlib import sha256

from squads.contracts.errors import BlobBroken, BlobMissing


class MemoryBlobs:
    """A `BlobStore` in a dictionary. Durable for as long as the object lives."""

    def __init__(self) -> None:
        """Make an empty store."""
        self._content: dict[str, bytes] = {}

    def keep(self, content: bytes) -> str:
        """Store `content` at once; what `put` does, for callers that hold a lock and cannot wait."""
        digest = sha256(content).hexdigest()
        self._content[digest] = bytes(content)
        return digest

    async def put(self, content: bytes) -> str:
        """Store `content` and return its SHA-256 as 64 hex digits."""
        return self.keep(content)

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
        return self._content.pop(digest, None) is not None
