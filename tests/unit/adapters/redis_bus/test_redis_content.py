"""Content that is too large for a message waits in the store; what comes back is what was set down, or nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.redis_bus.content import INLINE_BYTES_MAX, picked_up, set_down
from squads.contracts.base import digest_of
from squads.contracts.errors import InvalidInput, MessageTooLarge, StorageUnavailable
from squads.contracts.messages import MESSAGE_BYTES_MAX, STORED_MAX, Envelope, Failed, PlanRequest, Signed

LARGE = (b"a" * 30_000, bytes(range(256)) * 100, b"")


def reply(*content: bytes, **changes: Any) -> Envelope:
    body = Signed(
        **{"payload": b"\xffsaid", "key": b"k" * 32, "signature": b"\xfe" * 64, "content": content, **changes}
    )
    return enveloped(body)


def enveloped(body: Any) -> Envelope:
    return Envelope(id="a" * 64, sender="style", recipient="runner", packet="b" * 32, cause="c" * 64, body=body)


def body_of(envelope: Envelope) -> Signed:
    assert isinstance(envelope.body, Signed)
    return envelope.body


def written(envelope: Envelope) -> bytes:
    return envelope.model_dump_json().encode()


REQUEST = PlanRequest(
    packet="b" * 32, workspace="d" * 32, content="e" * 64, due_ms=1, request="f" * 64, attempt=1, builders=(), gates=()
)


@pytest.mark.parametrize(
    "envelope",
    [reply(), reply(b"small", b"\xff"), enveloped(Failed(about="c" * 64, reason="crashed")), enveloped(REQUEST)],
    ids=["nothing", "small", "failed", "request"],
)
async def test_what_fits_goes_as_it_is(envelope: Envelope) -> None:
    """Nothing is stored, and the very message comes out on both sides."""
    blobs = MemoryBlobs()

    assert envelope is await set_down(envelope, blobs)
    assert envelope is await picked_up(envelope, blobs)
    assert not blobs._content


async def test_a_large_reply_comes_back_as_it_was() -> None:
    """By way of the wire: its bytes are in the store, and the message is small."""
    blobs, envelope = MemoryBlobs(), reply(*LARGE)

    sent = await set_down(envelope, blobs)
    received = Envelope.model_validate_json(written(sent))

    assert tuple(map(digest_of, LARGE)) == body_of(received).stored
    assert () == body_of(received).content
    assert len(written(sent)) < INLINE_BYTES_MAX
    assert envelope == await picked_up(received, blobs)


@pytest.mark.parametrize("over", [0, 1])
async def test_the_bound_is_on_what_the_message_would_have(over: int) -> None:
    """At the bound it goes as it is, a byte over it and it is set down: counted as base64, with what stands around."""
    size_bytes = sum(len(f'"{"=" * (n // 3 * 4)}",') for n in (6, 300))

    sent = await set_down(reply(b"x" * 300, payload=b"\xffsaid."), MemoryBlobs(), inline_bytes_max=size_bytes - over)

    assert over == len(body_of(sent).stored)


async def test_what_goes_as_it_is_fits_into_a_message() -> None:
    """Whatever it consists of: the bound on content leaves room for everything else."""
    blobs = MemoryBlobs()

    for envelope in (reply(b"x" * 24_500), reply(*[b""] * 10_900), reply(b"", payload=b"\xff" * 24_500)):
        assert envelope is await set_down(envelope, blobs)
        assert INLINE_BYTES_MAX * 0.9 < len(written(envelope)) < MESSAGE_BYTES_MAX


async def test_thousands_of_blobs_are_named_by_a_list() -> None:
    """As many files as a packet may allow still make a small message, and all of them arrive."""
    blobs = MemoryBlobs()
    envelope = reply(*(f"file {number} ".encode() * 2 for number in range(3_000)))

    sent = await set_down(envelope, blobs)

    assert body_of(sent).listed is not None
    assert len(written(sent)) < 1_000
    assert envelope == await picked_up(Envelope.model_validate_json(written(sent)), blobs)


@pytest.mark.parametrize("number", [STORED_MAX, STORED_MAX + 1])
async def test_a_message_names_so_many_blobs_itself(number: int) -> None:
    """At the bound it names them, one more and it names their list; either fits into a message."""
    blobs = MemoryBlobs()
    envelope = reply(*(str(n).encode() * 100 for n in range(number)))

    sent = await set_down(envelope, blobs, inline_bytes_max=1)

    assert (number > STORED_MAX) == (body_of(sent).listed is not None)
    assert len(written(sent)) < INLINE_BYTES_MAX
    assert envelope == await picked_up(sent, blobs)


async def test_twice_is_once() -> None:
    """Set down or picked up again, a message is what it was; the same bytes in two files are one blob."""
    blobs = MemoryBlobs()
    envelope = reply(*LARGE, *LARGE)

    sent = await set_down(envelope, blobs)
    again = await set_down(sent, blobs)
    back = await picked_up(again, blobs)

    assert sent is again
    assert sent == await set_down(envelope, blobs)
    assert LARGE == body_of(back).content
    assert back is await picked_up(back, blobs)
    half = reply(*LARGE, stored=("a" * 64,))
    assert half is await set_down(half, blobs)


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_blob_that_is_missing_was_not_brought(number: int, caplog: pytest.LogCaptureFixture) -> None:
    """The reply arrives without it, nothing is left that names it, and the log says which."""
    blobs = MemoryBlobs()
    sent = await set_down(reply(*LARGE), blobs)
    await blobs.erase(digest_of(LARGE[number]))

    with caplog.at_level(logging.WARNING, "squads.bus.content"):
        received = body_of(await picked_up(sent, blobs))

    assert (LARGE[:number], (), None) == (received.content, received.stored, received.listed)
    assert "'style'" in caplog.text
    assert digest_of(LARGE[number]) in caplog.text


async def test_other_bytes_under_a_digest_were_not_brought() -> None:
    """Whoever writes to the store cannot put words into a reply."""
    blobs = MemoryBlobs()
    sent = await set_down(reply(*LARGE), blobs)
    blobs._content[digest_of(LARGE[1])] = b"planted"

    assert LARGE[:1] == body_of(await picked_up(sent, blobs)).content


class Counting(MemoryBlobs):
    """A store that counts what is read of it."""

    read_bytes = 0
    reads = 0

    async def get(self, digest: str) -> bytes:
        content = await super().get(digest)
        self.reads += 1
        self.read_bytes += len(content)
        return content


@pytest.mark.parametrize("over", [0, 1])
async def test_no_more_is_loaded_than_the_bound_and_one_blob(over: int) -> None:
    """A reply that names gigabytes of others' content is given up, and comes without any of it."""
    blobs = Counting()
    names = tuple([await blobs.put(bytes([number]) * 1_000) for number in range(100)])

    received = body_of(await picked_up(reply(stored=names), blobs, bytes_max=100_000 - over))
    few = body_of(await picked_up(reply(stored=names), blobs, bytes_max=5_500))

    assert (100, 0)[over] == len(received.content)
    assert () == few.content
    assert 100_000 + 6_000 == blobs.read_bytes


@pytest.mark.parametrize("over", [0, 1])
async def test_no_more_blobs_are_fetched_than_the_bound(over: int) -> None:
    """However small they are; the names of too many are not even looked up."""
    blobs = Counting()
    names = tuple([await blobs.put(bytes([number])) for number in range(100)])
    listed = await blobs.put("".join(f"{name}\n" for name in names).encode())

    for named in ({"stored": names}, {"listed": listed}):
        received = body_of(await picked_up(reply(**named), blobs, count_max=100 - over))
        assert ((100, 0)[over], (), None) == (len(received.content), received.stored, received.listed)

    assert (201, 1)[over] == blobs.reads


async def test_the_same_name_many_times_is_fetched_once() -> None:
    """A list may say one digest a thousand times; what is held is one blob."""
    blobs = Counting()
    name = await blobs.put(b"x" * 1_000)
    listed = await blobs.put(f"{name}\n".encode() * 1_000)

    received = body_of(await picked_up(reply(stored=(name,) * 200, listed=listed), blobs, bytes_max=1_000))

    assert (b"x" * 1_000,) == received.content
    assert 2 == blobs.reads


@pytest.mark.parametrize(
    "text",
    [b"", b"x", b"\n", b"a" * 64, b"A" * 64 + b"\n", b"a" * 64 + b"\r\n", b'["' + b"a" * 64 + b'"]', b"\xff" * 65],
)
async def test_what_is_no_list_brings_nothing(text: bytes) -> None:
    """Anything may lie under a digest; only digests, one a line, are taken for a list."""
    blobs = MemoryBlobs()
    listed = await blobs.put(text)

    received = body_of(await picked_up(reply(b"inline", listed=listed), blobs))

    assert ((), None) == (received.stored, received.listed)
    assert received.content in ((), (b"inline",))


async def test_a_message_that_names_too_many_is_no_message() -> None:
    """The contract has the bound, so nothing behind the border ever sees one."""
    with pytest.raises(ValueError, match="at most 256"):
        reply(stored=("a" * 64,) * (STORED_MAX + 1))


async def test_more_than_would_be_picked_up_is_refused_where_it_is_sent() -> None:
    """The sender hears of it and can say so, instead of a runner that finds nothing."""
    blobs = MemoryBlobs()

    with pytest.raises(MessageTooLarge, match="'style' brings 2 blobs of 60,000 bytes"):
        await set_down(reply(b"a" * 30_000, b"b" * 30_000), blobs, bytes_max=59_999)
    with pytest.raises(MessageTooLarge, match="'style' brings 3 blobs"):
        await set_down(reply(*LARGE), blobs, count_max=2)
    assert not blobs._content


async def test_a_blob_that_the_store_refuses_makes_the_message_too_large() -> None:
    """Which is what a worker knows how to say."""

    class Small(MemoryBlobs):
        async def put(self, content: bytes) -> str:
            raise InvalidInput("over the 7 that hosts can share")

    with pytest.raises(MessageTooLarge, match="cannot be stored: over the 7"):
        await set_down(reply(*LARGE), Small())


async def test_a_store_that_cannot_be_reached_is_no_missing_content() -> None:
    """Nobody knows whether it is there: the message must come again, not be taken without its content."""

    class Down(MemoryBlobs):
        async def get(self, digest: str) -> bytes:
            raise StorageUnavailable("down")

    with pytest.raises(StorageUnavailable):
        await picked_up(reply(stored=("a" * 64,)), Down())
