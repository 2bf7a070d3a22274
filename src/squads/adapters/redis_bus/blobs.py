"""Content that hosts on many machines share, on the bus's server: by digest, re-hashed when read.

Every party of a workspace may write here, so nothing that is read is believed before it was hashed, and no more is read
than content may have. What it keeps is a copy: the ledger's store is where content stays, and this one must never be
the only place of anything that a receipt speaks of.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from squads.adapters.redis_bus.lines import Argument
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names
from squads.contracts.errors import BlobBroken, BlobMissing, BusError, InvalidInput, StorageUnavailable

BLOB_BYTES_MAX: Final = 64 * 1024 * 1024
"""The most that one content may have."""
KEEP_SECONDS: Final = 9 * 86_400
"""A life that loses nothing: a role may take seven days for one answer (`Limits.reply_ms_max`), and what is asked for
is offered again whenever it is sent again. Afterwards a request is too late, and nobody reads what it spoke of."""
LEFT_MIN: Final = 7 / 8
"""What `missing` leaves alone has at least so much of its life before it. Beginning it anew is a write, and a runner
asks every few seconds."""

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NOT_THERE: Final = -2  # what PTTL answers; -1 for a key that stays
_EMPTY: Final = sha256(b"").hexdigest()
# What goes in one go: much enough that waiting for the server does not count, little enough that one lost answer costs
# little, and that it fits into the link's deadline.
_COMMANDS_MAX: Final = 500
_BYTES_MAX: Final = 4 * 1024 * 1024


class RedisBlobs:
    """A `BlobStore` under `blob:<sha256>` of one workspace.

    Args:
        link: The server.
        workspace: The workspace's id.
        keep_seconds: How long content stays after it was last put, or lives on by `missing`; None keeps it until it is
            erased. Everybody who puts content into a workspace gives the same.
    """

    def __init__(self, link: Link, workspace: str, *, keep_seconds: int | None = None) -> None:
        if keep_seconds is not None and keep_seconds < 1:
            raise InvalidInput(f"shared content cannot be kept for {keep_seconds} s; give at least 1, or None")
        self._link = link
        self._names = Names(workspace)
        self._keep_seconds = keep_seconds

    async def put(self, content: bytes, *, subject: str = "") -> str:
        """Store `content` and return its SHA-256 as 64 hex digits; it is as durable as the server is told to be.

        `subject` is not kept: what is shared expires, and `squads.unsharing` removes it by digest before that.
        Raises `InvalidInput` for more than `BLOB_BYTES_MAX`, and `StorageUnavailable`.
        """
        return (await self.put_many([content]))[0]

    async def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Store all of `contents`, several in one go, and return their digests in order. Raises what `put` raises."""
        for content in contents:
            if len(content) > BLOB_BYTES_MAX:
                raise InvalidInput(
                    f"content of {len(content):,} bytes is over the {BLOB_BYTES_MAX:,} that hosts can share; "
                    "split the file, or leave it out of the artifact"
                )
        digests = [sha256(content).hexdigest() for content in contents]
        # Not SET NX: whoever wrote other bytes under this digest first would have kept the content out for good. The
        # same bytes written twice are the same, and their life begins anew.
        life: tuple[Argument, ...] = () if self._keep_seconds is None else ("EX", self._keep_seconds)
        commands = {
            digest: ("SET", self._names.blob(digest), bytes(content), *life)
            for digest, content in zip(digests, contents, strict=True)
        }
        with _translated("stored"):
            for batch in _batches(list(commands.values())):
                await self._link.calls(batch)
        return digests

    async def get(self, digest: str) -> bytes:
        """Return the content. Raises `BlobMissing`, `BlobBroken` or `StorageUnavailable`."""
        if _DIGEST.fullmatch(digest) is None:
            raise _missing(digest)
        try:
            with _translated("read"):
                # Not GET: what lies under the digest may be anybody's, and as large as the server takes.
                content: bytes = await self._link.call("GETRANGE", self._names.blob(digest), 0, BLOB_BYTES_MAX)
        except StorageUnavailable as error:
            if getattr(error.__cause__, "code", "") != "wrongtype":
                raise
            raise _broken(digest) from None
        if not content and (digest != _EMPTY or not await self.has(digest)):
            raise _missing(digest)  # to this command, nothing and no bytes are the same
        if sha256(content).hexdigest() != digest:
            raise _broken(digest)
        return content

    async def has(self, digest: str) -> bool:
        """Say whether something is stored under this digest, without reading it. Raises `StorageUnavailable`."""
        if _DIGEST.fullmatch(digest) is None:
            return False
        with _translated("looked for"):
            return bool(await self._link.call("EXISTS", self._names.blob(digest)))

    async def missing(self, digests: Collection[str]) -> set[str]:
        """Return those of `digests` that are not there; what is there has `LEFT_MIN` of its life before it.

        Raises `StorageUnavailable`.
        """
        asked = [digest for digest in dict.fromkeys(digests) if _DIGEST.fullmatch(digest)]
        lives = dict(
            zip(asked, await self._numbers(("PTTL", self._names.blob(digest)) for digest in asked), strict=True)
        )
        there = {digest for digest, left_ms in lives.items() if left_ms != _NOT_THERE}
        if self._keep_seconds is not None:
            old = [digest for digest in there if 0 <= lives[digest] < self._keep_seconds * 1_000 * LEFT_MIN]
            renewed = await self._numbers(("EXPIRE", self._names.blob(digest), self._keep_seconds) for digest in old)
            there -= {digest for digest, done in zip(old, renewed, strict=True) if not done}  # expired meanwhile
        return set(digests) - there

    async def erase(self, digest: str) -> bool:
        """Remove the content; True when there was some. Raises `StorageUnavailable`.

        The server's append-only file forgets it when it is next rewritten.
        """
        if _DIGEST.fullmatch(digest) is None:
            return False
        with _translated("erased"):
            return bool(await self._link.call("UNLINK", self._names.blob(digest)))

    async def _numbers(self, commands: Iterable[tuple[Argument, ...]]) -> list[int]:
        answers: list[int] = []
        with _translated("looked for"):
            for batch in _batches(list(commands)):
                answers += await self._link.calls(batch)
        return answers


def _batches(commands: Sequence[tuple[Argument, ...]]) -> Iterator[list[tuple[Argument, ...]]]:
    batch: list[tuple[Argument, ...]] = []
    size_bytes = 0
    for command in commands:
        size = sum(len(part) for part in command if isinstance(part, bytes))
        if batch and (len(batch) >= _COMMANDS_MAX or size_bytes + size > _BYTES_MAX):
            yield batch
            batch, size_bytes = [], 0
        batch.append(command)
        size_bytes += size
    if batch:
        yield batch


@contextmanager
def _translated(done: str) -> Iterator[None]:
    try:
        yield
    except BusError as error:
        raise StorageUnavailable(f"shared content could not be {done}: {error}") from error


def _missing(digest: str) -> BlobMissing:
    return BlobMissing(f"no content under {digest[:64]!r} on the bus's server: never stored, erased, or expired")


def _broken(digest: str) -> BlobBroken:
    return BlobBroken(
        f"what lies under {digest} on the bus's server has another digest; store it again from its source"
    )
