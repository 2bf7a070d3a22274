"""What every `BlobStore` must do, as tests: subclass, say how to open one, and let pytest collect it.

    from squads.testing.conformance_blobs import BlobsConformance

    class TestMyBlobs(BlobsConformance):
        @asynccontextmanager
        async def opened(self, where):
            yield MyBlobs(where)

It needs pytest-asyncio in auto mode. The suite must never read a store's inside: `damage` is for the subclass.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path

from squads.contracts.errors import BlobBroken, BlobMissing
from squads.kernel.ports import BlobStore

CONTENTS = (b"", b"x", "Grüße".encode(), bytes(range(256)) * 4_096)


class BlobsConformance:
    """The suite. `opened` is all that a subclass must give; `damage` makes one more rule testable."""

    def opened(self, where: Path) -> AbstractAsyncContextManager[BlobStore]:
        """Open the store that is kept in the directory `where`, and close it at the end of the block."""
        raise TypeError("a subclass says how to make one")

    async def damage(self, store: BlobStore, digest: str, where: Path) -> bool:
        """Change the stored bytes behind the store's back; False if this store has no way to."""
        return False

    async def test_content_comes_back_under_its_sha256(self, tmp_path: Path) -> None:
        """Empty, small, text and a megabyte: the digest is the name, and the bytes are the same."""
        async with self.opened(tmp_path) as store:
            for content in CONTENTS:
                digest = await store.put(content)

                assert sha256(content).hexdigest() == digest
                assert content == await store.get(digest)
                assert await store.has(digest)

    async def test_storing_twice_is_storing_once(self, tmp_path: Path) -> None:
        """Also at once: one erasure removes it all."""
        async with self.opened(tmp_path) as store:
            digests = set(await asyncio.gather(*(store.put(b"twice") for _ in range(8))))
            (digest,) = digests

            assert await store.erase(digest)
            assert not await store.has(digest)

    async def test_erased_content_is_missing_and_erasing_again_is_no_error(self, tmp_path: Path) -> None:
        """Only the named content goes, and it can be stored again."""
        async with self.opened(tmp_path) as store:
            gone, kept = await store.put(b"gone"), await store.put(b"kept")

            assert await store.erase(gone) is True
            assert await store.erase(gone) is False
            await _missing(store, gone)
            assert await store.get(kept) == b"kept"
            assert gone == await store.put(b"gone")
            assert await store.get(gone) == b"gone"

    async def test_what_is_no_digest_names_nothing(self, tmp_path: Path) -> None:
        """No name reaches outside the store: paths, upper case, short and long names are simply not there."""
        async with self.opened(tmp_path) as store:
            digest = await store.put(b"x")

            for name in ("", "..", "../../etc/passwd", digest[:-1], digest + "0", digest.upper(), "0" * 64, "é" * 64):
                assert not await store.has(name)
                assert not await store.erase(name)
                await _missing(store, name)

    async def test_changed_content_is_broken_never_returned(self, tmp_path: Path) -> None:
        """Every read hashes: a reader gets the bytes it asked for, or an error."""
        async with self.opened(tmp_path) as store:
            digest = await store.put(b"as it was written")
            if not await self.damage(store, digest, tmp_path):
                return
            try:
                await store.get(digest)
            except BlobBroken:
                return
            raise AssertionError("changed content was returned")


async def _missing(store: BlobStore, digest: str) -> None:
    try:
        await store.get(digest)
    except BlobMissing:
        return
    raise AssertionError(f"{digest!r} was not missing")
