"""The traffic of `bus.py` as a careful engineer writes it by hand on the same client: redis-py, its asyncio face.

Two amounts of care. `Bare` does what every tutorial that deserves its name does: the message's JSON on a stream, read
by a group, validated by pydantic, and then the reply, the acknowledgement and the deletion in one MULTI. It knows no
duplicates and no forgeries. `Equal` adds, in the least code, what makes those impossible: a signature over the stream's
name and the bytes (HMAC-SHA256, or Ed25519), checked before anything is parsed, and two small scripts that accept an id
once and answer only what is still pending. Neither bounds its backlog, looks after dead consumers, or buries a message.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from bus_messages import ADDRESS, answer_to
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from redis.asyncio import BlockingConnectionPool, Redis

from squads.contracts.messages import RUNNER, Envelope

BLOCK_MS = 2_000
CONNECTIONS = 100
"""As many as redis-py opens by default; with 4 or 16 the same traffic was not faster."""
SEEN_MS = 24 * 3600 * 1000
Fields = dict[Any, Any]
"""An entry's fields, bytes to bytes."""
Entry = tuple[bytes, Fields]

SEND = """
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[3]) then
  return redis.call('XADD', KEYS[1], '*', 'b', ARGV[1], 's', ARGV[2])
end
return false
"""
COMMIT = """
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XDEL', KEYS[1], ARGV[2])
if redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[5]) then
  redis.call('XADD', KEYS[2], '*', 'b', ARGV[3], 's', ARGV[4])
end
return 1
"""


class Bare:
    """Streams, groups, JSON and MULTI; nothing else."""

    def __init__(self, url: str, workspace: str) -> None:
        # Commands share a few connections; who waits for messages has one alone, so that nobody waits behind the wait.
        pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, timeout=60)
        self.client = Redis.from_pool(pool)
        self.reader = Redis.from_url(url)
        self.requests = f"hand:{{{workspace}}}:requests"
        self.replies = f"hand:{{{workspace}}}:replies"
        self.seen = f"hand:{{{workspace}}}:seen:"

    async def open(self) -> None:
        """Make both streams and their groups."""
        for stream, group in ((self.requests, ADDRESS), (self.replies, RUNNER)):
            if not await self.client.exists(stream):
                await self.client.xgroup_create(stream, group, id="0", mkstream=True)

    async def close(self) -> None:
        """Let go of the connections."""
        await self.client.aclose()
        await self.reader.aclose()

    # What is measured ---------------------------------------------------------------------------------------------

    async def send(self, envelope: Envelope) -> None:
        """Send one request."""
        await self.client.xadd(self.requests, self.written(self.requests, envelope))

    async def send_batch(self, envelopes: Sequence[Envelope]) -> None:
        """Send requests in one pipeline."""
        async with self.client.pipeline(transaction=False) as pipe:
            for envelope in envelopes:
                pipe.xadd(self.requests, self.written(self.requests, envelope))
            await pipe.execute()

    async def consume(self, count: int, slots: int) -> None:
        """Answer `count` requests, up to `slots` at once; each commits when it is done."""
        if slots > 1:
            await self._serve(count, slots)
            return
        while count:
            for entry in await self._read(self.requests, ADDRESS, 1):
                await self.commit(entry)
                count -= 1

    async def consume_batch(self, count: int, slots: int) -> None:
        """Answer `count` requests, up to `slots` read at once and committed together."""
        while count:
            entries = await self._read(self.requests, ADDRESS, min(slots, count))
            await self.commit_all(entries)
            count -= len(entries)

    async def answer(self, slots: int) -> None:
        """Answer requests until cancelled."""
        await self.consume(1 << 62, slots)

    async def collect(self, arrived: Callable[[Envelope], None]) -> None:
        """Hand every reply over and be done with it, until cancelled."""
        while True:
            entries = await self._read(self.replies, RUNNER, 100)
            for _, fields in entries:
                arrived(self.read(self.replies, fields))
            if entries:
                ids = [id for id, _ in entries]
                async with self.client.pipeline(transaction=True) as pipe:
                    pipe.xack(self.replies, RUNNER, *ids)
                    pipe.xdel(self.replies, *ids)
                    await pipe.execute()

    # How ----------------------------------------------------------------------------------------------------------

    def written(self, stream: str, envelope: Envelope) -> Fields:
        """Return an entry's fields."""
        return {b"b": envelope.model_dump_json().encode()}

    def read(self, stream: str, fields: Fields) -> Envelope:
        """Return an entry's message."""
        return Envelope.model_validate_json(fields[b"b"])

    async def commit(self, entry: Entry) -> None:
        """Reply to one request and be done with it."""
        id, fields = entry
        reply = answer_to(self.read(self.requests, fields))
        async with self.client.pipeline(transaction=True) as pipe:
            pipe.xadd(self.replies, self.written(self.replies, reply))
            pipe.xack(self.requests, ADDRESS, id)
            pipe.xdel(self.requests, id)
            await pipe.execute()

    async def commit_all(self, entries: Sequence[Entry]) -> None:
        """Reply to requests and be done with them, in one go."""
        if not entries:
            return
        replies = [answer_to(self.read(self.requests, fields)) for _, fields in entries]
        ids = [id for id, _ in entries]
        async with self.client.pipeline(transaction=True) as pipe:
            for reply in replies:
                pipe.xadd(self.replies, self.written(self.replies, reply))
            pipe.xack(self.requests, ADDRESS, *ids)
            pipe.xdel(self.requests, *ids)
            await pipe.execute()

    async def _read(self, stream: str, group: str, count: int) -> list[Entry]:
        found = await self.reader.xreadgroup(group, "by-hand", {stream: ">"}, count=count, block=BLOCK_MS)
        if not found:
            return []
        entries: Any = found[stream.encode()][0] if isinstance(found, dict) else found[0][1]
        return [(id, fields) for id, fields in entries]

    async def _serve(self, count: int, slots: int) -> None:
        working: set[asyncio.Task[None]] = set()
        free = asyncio.Event()

        def done(task: asyncio.Task[None]) -> None:
            working.discard(task)
            task.result()
            free.set()

        while count:
            while len(working) >= slots:
                free.clear()
                await free.wait()
            entries = await self._read(self.requests, ADDRESS, min(slots - len(working), count))
            count -= len(entries)
            for entry in entries:
                task = asyncio.ensure_future(self.commit(entry))
                working.add(task)
                task.add_done_callback(done)
        await asyncio.gather(*working)


class Equal(Bare):
    """The same, signed and deduplicated."""

    def __init__(self, url: str, workspace: str, *, private_key: bytes | None = None) -> None:
        super().__init__(url, workspace)
        self._keyed = hmac.new(bytes(32), digestmod=sha256)
        private = None if private_key is None else Ed25519PrivateKey.from_private_bytes(private_key)
        self._sign = None if private is None else private.sign
        self._verify = None if private is None else private.public_key().verify
        self._scripts = ("", "")

    async def open(self) -> None:
        await super().open()
        self._scripts = (await self.client.script_load(SEND), await self.client.script_load(COMMIT))

    async def send(self, envelope: Envelope) -> None:
        await self._send(self.client, envelope)

    async def send_batch(self, envelopes: Sequence[Envelope]) -> None:
        async with self.client.pipeline(transaction=False) as pipe:
            for envelope in envelopes:
                self._send(pipe, envelope)
            await pipe.execute()

    def written(self, stream: str, envelope: Envelope) -> Fields:
        raw = envelope.model_dump_json().encode()
        return {b"b": raw, b"s": self._mark(stream, raw)}

    def read(self, stream: str, fields: Fields) -> Envelope:
        raw, mark = fields[b"b"], fields[b"s"]
        if self._verify is not None:
            self._verify(mark, stream.encode() + b"\n" + raw)
        elif not hmac.compare_digest(mark, self._mark(stream, raw)):
            raise InvalidSignature
        return Envelope.model_validate_json(raw)

    async def commit(self, entry: Entry) -> None:
        await self._commit(self.client, *entry)

    async def commit_all(self, entries: Sequence[Entry]) -> None:
        async with self.client.pipeline(transaction=False) as pipe:
            for entry in entries:
                self._commit(pipe, *entry)
            await pipe.execute()

    def _mark(self, stream: str, raw: bytes) -> bytes:
        if self._sign is not None:
            return self._sign(stream.encode() + b"\n" + raw)
        keyed = self._keyed.copy()
        keyed.update(stream.encode() + b"\n" + raw)
        return keyed.digest()

    def _send(self, to: Any, envelope: Envelope) -> Any:
        fields = self.written(self.requests, envelope)
        seen = self.seen + envelope.id
        return to.evalsha(self._scripts[0], 2, self.requests, seen, fields[b"b"], fields[b"s"], SEEN_MS)

    def _commit(self, to: Any, id: bytes, fields: Fields) -> Any:
        reply = answer_to(self.read(self.requests, fields))
        out = self.written(self.replies, reply)
        keys = (self.requests, self.replies, self.seen + reply.id)
        return to.evalsha(self._scripts[1], 3, *keys, ADDRESS, id, out[b"b"], out[b"s"], SEEN_MS)
