"""Content that hosts share on the bus's server: nobody else's bytes, no more than it may have, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest

from squads.adapters.redis_bus import blobs as module
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.blobs import KEEP_SECONDS, LEFT_MIN, RedisBlobs
from squads.adapters.redis_bus.content import picked_up, set_down
from squads.adapters.redis_bus.link import Link
from squads.contracts.artifact import Artifact
from squads.contracts.base import digest_of
from squads.contracts.errors import BlobBroken, BlobMissing, InvalidInput, StorageUnavailable
from squads.contracts.messages import Envelope, Signed
from squads.contracts.packet import Limits
from squads.handover import Reader
from squads.testing.redis_server import RedisServer

DIGEST = digest_of(b"content")


@pytest.fixture(scope="module", params=RedisServer.available())
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


@pytest.fixture
async def link(server: RedisServer) -> AsyncIterator[Link]:
    link = Link.open(BusAddress.parse(server.url))
    yield link
    await link.close()


@pytest.fixture
def workspace() -> str:
    return uuid4().hex


@pytest.fixture
def blobs(link: Link, workspace: str) -> RedisBlobs:
    return RedisBlobs(link, workspace)


def key(workspace: str, digest: str = DIGEST) -> str:
    return f"sq:{{{workspace}}}:blob:{digest}"


async def test_content_lies_under_its_workspace_and_digest(link: Link, workspace: str) -> None:
    """Where the access rules let a role reach it, and where another workspace has nothing."""
    await RedisBlobs(link, workspace).put(b"content")

    assert await link.call("GET", key(workspace)) == b"content"
    assert not await RedisBlobs(link, uuid4().hex).has(DIGEST)


@pytest.mark.parametrize(
    "planted", [("SET", b"planted"), ("SET", b"conten"), ("SET", b""), ("RPUSH", b"content"), ("SADD", b"content")]
)
async def test_what_somebody_planted_is_never_content(
    blobs: RedisBlobs, link: Link, workspace: str, planted: tuple[str, bytes]
) -> None:
    """Other bytes, fewer, none, or no bytes at all: it is not returned, and whoever has the content puts it right."""
    await link.call(planted[0], key(workspace), planted[1])

    with pytest.raises((BlobBroken, BlobMissing), match=DIGEST):
        await blobs.get(DIGEST)
    await blobs.put(b"content")
    assert await blobs.get(DIGEST) == b"content"


async def test_an_empty_file_is_there_or_missing_like_any_other(blobs: RedisBlobs) -> None:
    """To the server's command, no bytes and no key are the same; to a reader they are not."""
    with pytest.raises(BlobMissing):
        await blobs.get(digest_of(b""))
    await blobs.put(b"")
    assert await blobs.get(digest_of(b"")) == b""


async def test_no_more_is_read_than_content_may_have(
    blobs: RedisBlobs, link: Link, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lies there, and however large the server lets it be."""
    monkeypatch.setattr(module, "BLOB_BYTES_MAX", 1_000)
    answers: list[int] = []
    call = link.call

    async def counted(*command: Any) -> Any:
        answer = await call(*command)
        answers.append(len(answer))
        return answer

    monkeypatch.setattr(link, "call", counted)
    huge = bytes(1_000_000)
    await call("SET", key(workspace, digest_of(huge)), huge)

    with pytest.raises(BlobBroken):
        await blobs.get(digest_of(huge))
    assert [1_001] == answers


@pytest.mark.parametrize("over", [0, 1])
async def test_content_has_a_bound(blobs: RedisBlobs, monkeypatch: pytest.MonkeyPatch, over: int) -> None:
    """At the bound it is stored; over it nothing is, of what comes with it neither."""
    monkeypatch.setattr(module, "BLOB_BYTES_MAX", 1_000)
    content = bytes(1_000 + over)

    if over:
        with pytest.raises(InvalidInput, match="content of 1,001 bytes is over the 1,000"):
            await blobs.put_many([b"content", content])
    else:
        await blobs.put_many([b"content", content])

    assert (set(), {DIGEST, digest_of(content)})[over] == await blobs.missing([DIGEST, digest_of(content)])


async def test_thousands_are_put_and_found_in_few_goes(blobs: RedisBlobs, link: Link, monkeypatch: Any) -> None:
    """In order, each once, and what is no digest is missing."""
    goes: list[int] = []
    calls = link.calls

    async def counted(commands: Any, **options: Any) -> Any:
        goes.append(len(commands))
        return await calls(commands, **options)

    monkeypatch.setattr(link, "calls", counted)
    contents = [str(number % 2_900).encode() for number in range(3_000)]
    never = {digest_of(b"never"), "no digest", "../x"}

    digests = await blobs.put_many(contents)
    missing = await blobs.missing([*digests, *never])

    assert [digest_of(content) for content in contents] == digests
    assert never == missing
    assert 2 * 2_900 + 1 == sum(goes)
    assert 500 == max(goes)
    assert [] == await blobs.put_many([])
    assert set() == await blobs.missing([])


async def test_large_contents_go_one_at_a_time(blobs: RedisBlobs, link: Link, monkeypatch: Any) -> None:
    """What goes in one go is bounded in bytes, so that it fits into the deadline of one command."""
    goes: list[int] = []
    calls = link.calls

    async def counted(commands: Any, **options: Any) -> Any:
        goes.append(sum(len(part) for command in commands for part in command if isinstance(part, bytes)))
        return await calls(commands, **options)

    monkeypatch.setattr(link, "calls", counted)

    await blobs.put_many([bytes([number]) * 3 * 1024 * 1024 for number in range(4)])

    assert [3 * 1024 * 1024] * 4 == goes


async def test_content_stays_until_it_is_erased(blobs: RedisBlobs, link: Link, workspace: str) -> None:
    """Unless it is said how long."""
    await blobs.put(b"content")

    assert await link.call("TTL", key(workspace)) == -1


async def test_a_life_begins_anew_when_content_is_put_or_asked_for(link: Link, workspace: str) -> None:
    """So what an open request speaks of stays, however long it is open: it is offered again before that."""
    blobs = RedisBlobs(link, workspace, keep_seconds=1_000)
    await blobs.put(b"content")

    for again in (lambda: blobs.missing([DIGEST]), lambda: blobs.put(b"content"), lambda: blobs.put_many([b"content"])):
        await link.call("EXPIRE", key(workspace), 10)
        await again()
        assert 990 <= await link.call("TTL", key(workspace)) <= 1_000
    await link.call("PEXPIRE", key(workspace), 0)
    assert {DIGEST} == await blobs.missing([DIGEST])


@pytest.mark.parametrize(("left", "lives_on"), [(899, False), (850, True)])
async def test_asking_writes_only_where_a_life_grows_short(
    link: Link, workspace: str, left: int, lives_on: bool
) -> None:
    """A runner asks for everything that is open again and again; that must not fill the append-only file."""
    blobs = RedisBlobs(link, workspace, keep_seconds=1_000)
    await blobs.put(b"content")
    await link.call("EXPIRE", key(workspace), left)

    assert set() == await blobs.missing([DIGEST])
    assert lives_on == (await link.call("TTL", key(workspace)) > 900)


async def test_what_expires_while_it_is_asked_for_is_missing(
    link: Link, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and its new life it may end; then it is put again."""
    blobs = RedisBlobs(link, workspace, keep_seconds=1_000)
    calls = link.calls

    async def just_there(commands: Any) -> Any:
        return [1] if commands[0][0] == "PTTL" else await calls(commands)

    monkeypatch.setattr(link, "calls", just_there)

    assert {DIGEST} == await blobs.missing([DIGEST])


async def test_what_stays_is_not_made_to_expire(link: Link, workspace: str) -> None:
    """Somebody keeps it until it is erased; being asked for it takes nothing away."""
    await RedisBlobs(link, workspace).put(b"content")

    assert set() == await RedisBlobs(link, workspace, keep_seconds=1_000).missing([DIGEST])
    assert await link.call("TTL", key(workspace)) == -1


async def test_reading_content_does_not_keep_it(link: Link, workspace: str) -> None:
    """Reading needs no right to write; who sends requests keeps content alive."""
    blobs = RedisBlobs(link, workspace, keep_seconds=1_000)
    await blobs.put(b"content")
    await link.call("EXPIRE", key(workspace), 10)

    await blobs.get(DIGEST)
    await blobs.has(DIGEST)

    assert await link.call("TTL", key(workspace)) <= 10


def test_the_usual_life_is_longer_than_any_answer_may_take() -> None:
    """A role may take the longest time that a packet can allow, and its content is still there."""
    (reply_ms_max,) = [bound.le for bound in Limits.model_fields["reply_ms_max"].metadata if hasattr(bound, "le")]

    assert reply_ms_max / 1_000 + 43_200 <= KEEP_SECONDS * LEFT_MIN


@pytest.mark.parametrize("keep_seconds", [0, -1])
def test_a_life_of_no_time_is_refused(keep_seconds: int) -> None:
    """Content that is gone at once would look like content that was lost."""
    with pytest.raises(InvalidInput, match="give at least 1, or None"):
        RedisBlobs(Link.open(BusAddress.parse("redis://localhost")), "a" * 32, keep_seconds=keep_seconds)


async def test_a_server_that_cannot_be_reached_is_storage_that_is_not_available(workspace: str) -> None:
    """Nobody takes it for content that is missing, and the sentence says where and what to do."""
    link = Link.open(BusAddress.parse("redis://:secret@127.0.0.1:1/0"), deadline_seconds=0.2)
    blobs = RedisBlobs(link, workspace)

    for attempt in (
        blobs.put(b"x"),
        blobs.get(DIGEST),
        blobs.has(DIGEST),
        blobs.missing([DIGEST]),
        blobs.erase(DIGEST),
    ):
        with pytest.raises(StorageUnavailable, match=r"shared content could not be .*127\.0\.0\.1:1") as raised:
            await attempt
        assert "secret" not in str(raised.value)
    await link.close()


async def test_a_reader_reads_artifacts_from_it(blobs: RedisBlobs) -> None:
    """A role's host reads the shared store as the runner reads the ledger's."""
    artifact = Artifact.of({"a.txt": "a", "b/c.bin": bytes(range(256)), "empty": b""})
    await blobs.put_many([artifact.manifest.blob, *(file.content for file in artifact.files)])

    read = await Reader(blobs).artifact(artifact.digest)

    assert artifact.manifest == read.manifest
    assert [file.content for file in artifact.files] == [file.content for file in read.files]
    await blobs.erase(digest_of(b"a"))
    with pytest.raises(BlobMissing):
        await Reader(blobs).artifact(artifact.digest)


async def test_a_reply_leaves_its_content_here_and_takes_it_up_again(blobs: RedisBlobs) -> None:
    """A megabyte in a hundred files, through the server."""
    contents = tuple(bytes([number]) * 10_000 for number in range(100))
    body = Signed(payload=b"said", key=b"k" * 32, signature=b"s" * 64, content=contents)
    envelope = Envelope(id="a" * 64, sender="b", recipient="runner", packet="b" * 32, cause="c" * 64, body=body)

    sent = await set_down(envelope, blobs)

    assert sent != envelope
    assert envelope == await picked_up(sent, blobs)
