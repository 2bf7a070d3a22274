"""Content that is too large for a message: it waits in the shared store while the message names it.

A reply that fits goes over the bus as it is. Of a larger one, every blob is left in the store and the message says the
digests. Nothing in here makes content believed: who takes a reply compares what it brought with what it signed, and
content that could not be fetched was simply not brought. It must never load more than it was allowed to.
"""

from __future__ import annotations

import logging
import re
from typing import Final

from squads.contracts.base import digest_of
from squads.contracts.errors import BlobError, InvalidInput, MessageTooLarge
from squads.contracts.messages import STORED_MAX, Envelope, Signed
from squads.kernel.ports import BlobStore

INLINE_BYTES_MAX: Final = 32 * 1024
"""How much of a message its payload and content may be together, as base64; half of what a message may have."""
FETCHED_BYTES_MAX: Final = 64 * 1024 * 1024
"""How many bytes one reply may bring: several times what `Limits.artifact_bytes_max` allows unless it is raised."""
FETCHED_MAX: Final = 100_100
"""How many blobs one reply may bring: as many files as `Limits.files_max` can allow, and what speaks of them."""

_LIST = re.compile(rb"(?:[0-9a-f]{64}\n)*")
_LINE_BYTES: Final = 65

log = logging.getLogger("squads.bus.content")


async def set_down(
    envelope: Envelope,
    blobs: BlobStore,
    *,
    inline_bytes_max: int = INLINE_BYTES_MAX,
    bytes_max: int = FETCHED_BYTES_MAX,
    count_max: int = FETCHED_MAX,
) -> Envelope:
    """Return the message as it goes over the bus: itself, or one whose content stays in `blobs` and is named.

    It is stored before this returns, so nobody reads the name before the content. What was set down already stays so.
    Raises `MessageTooLarge` for more than whoever picks it up would fetch, and `StorageUnavailable`.
    """
    body = envelope.body
    if not isinstance(body, Signed) or not body.content or body.stored or body.listed:
        return envelope
    if sum(_base64_bytes(part) for part in (body.payload, *body.content)) <= inline_bytes_max:
        return envelope
    blob_of = {digest_of(blob): blob for blob in body.content}  # two files with the same bytes are one blob
    size_bytes = sum(map(len, blob_of.values()))
    if len(blob_of) > count_max or size_bytes > bytes_max:
        raise MessageTooLarge(
            f"an answer of {envelope.sender!r} brings {len(blob_of):,} blobs of {size_bytes:,} bytes, and "
            f"{count_max:,} of {bytes_max:,} bytes together are taken; make smaller artifacts, or raise the bound "
            "on both ends"
        )
    try:
        for blob in blob_of.values():
            await blobs.put(blob)
        if len(blob_of) <= STORED_MAX:
            return envelope.but(body=body.but(content=(), stored=tuple(blob_of)))
        listed = await blobs.put("".join(f"{digest}\n" for digest in blob_of).encode())
    except InvalidInput as error:
        raise MessageTooLarge(f"an answer of {envelope.sender!r} cannot be stored: {error}") from error
    return envelope.but(body=body.but(content=(), listed=listed))


async def picked_up(
    envelope: Envelope,
    blobs: BlobStore,
    *,
    bytes_max: int = FETCHED_BYTES_MAX,
    count_max: int = FETCHED_MAX,
) -> Envelope:
    """Return the message with its content, as it was before `set_down`; none of the names is left in it.

    Fetching ends at the first blob that is missing, or is another one than its digest says: the reply comes without
    it and what follows. Where a reply names more than `count_max` blobs or `bytes_max` bytes, it comes without any of
    them. Either is in the log, and whoever checks the reply finds the content missing. A message without names is
    returned as it is.
    Raises `StorageUnavailable`: then nobody knows whether the content is there, and the message should come again.
    """
    body = envelope.body
    if not isinstance(body, Signed) or not (body.stored or body.listed):
        return envelope
    fetched: dict[str, bytes] = {digest_of(blob): blob for blob in body.content}
    try:
        await _fetch(body, blobs, fetched, bytes_max, count_max)
    except _TooMuch as error:
        log.warning("a reply of %r about packet %s brings too much: %s", envelope.sender, envelope.packet, error)
        fetched = {}
    except BlobError as error:
        log.warning("a reply of %r about packet %s lacks content: %s", envelope.sender, envelope.packet, error)
    return envelope.but(body=body.but(content=tuple(fetched.values()), stored=(), listed=None))


class _TooMuch(Exception):
    """Somebody names more than anybody needs."""


async def _fetch(body: Signed, blobs: BlobStore, fetched: dict[str, bytes], bytes_max: int, count_max: int) -> None:
    text = b"" if body.listed is None else await blobs.get(body.listed)
    number = len(body.stored) + len(text) // _LINE_BYTES
    if number > count_max:  # before a list of any length becomes a million strings
        raise _TooMuch(f"it names {number:,} blobs, and {count_max:,} are fetched")
    if _LIST.fullmatch(text) is None:
        raise _TooMuch(f"{digest_of(text)[:12]} is no list of digests, one a line")
    # One after another, since only what has arrived can be counted: what is held never passes the bound by more than
    # one blob, and a store bounds that one.
    size_bytes = 0
    for name in (*body.stored, *text.decode().splitlines()):
        if name not in fetched:
            blob = fetched[name] = await blobs.get(name)
            size_bytes += len(blob)
            if size_bytes > bytes_max:
                raise _TooMuch(f"what it names has more than {bytes_max:,} bytes")


def _base64_bytes(content: bytes) -> int:
    return (len(content) + 2) // 3 * 4 + 3  # with its quotes and comma
