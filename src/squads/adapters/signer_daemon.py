"""The signer daemon: keeps private keys in a process of its own, and signs for others what each key may say.

It listens on a Unix socket and nowhere else. Who asks is known from the kernel, what they may use from the allow-list,
and what a key may say from its role: a gate's key signs that gate's verdicts, with a counter that the daemon alone
keeps. It must never sign what it has not read, nor before what it must remember is durable.

One thread: a disk that does not write stops all signatures, and a client that does not speak stops nobody.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import socket
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from squads.adapters.keys import InProcessSigner, load, load_or_create
from squads.adapters.private_files import make_private_directory, open_private
from squads.adapters.signer_rules import LOG, AllowList, Judge, Peer, Unsigned, kind_of
from squads.adapters.signer_state import GateState, Lines, LogState
from squads.adapters.signer_wire import LENGTH_BYTES, base64_of, frame, length_of, question_in
from squads.contracts.errors import InvalidInput, KeyUnavailable, LedgerBroken, StorageUnavailable
from squads.contracts.records import VerdictRecord
from squads.kernel.receipts import payload_of, record_of
from squads.ledger.checkpoint import Checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.statement import PAYLOAD_TYPE, pae

log = logging.getLogger("squads.signer")

CONNECTIONS_MAX: Final = 512
"""How many connections are open at once, shared evenly among the users of the allow-list."""
IDLE_SECONDS: Final = 300.0
"""How long a connection may say nothing between two questions."""
FRAME_SECONDS: Final = 5.0
"""How long a client may take over one question once it has begun, or over reading one answer."""
DENIALS_LOGGED: Final = 1_000
"""Of denials that are alike, the first and every so many-th are logged."""


@dataclass(frozen=True, slots=True)
class _Held:
    signer: InProcessSigner
    judge: Judge
    state: GateState | LogState | None


class SignerDaemon:
    """Holds the keys of one directory, alone, and answers questions of peers.

    Args:
        keys: Where keys and their state are; a key that the allow-list names and that is not there yet is made.
        allow: Who may use which of them.
        origin: The log whose workspace these keys serve, from `trust.json`; without it none of the log's is signed.
        new_state: Begin a state for keys that have none: only for keys that no daemon has signed with.
        let_log_back: Let the log's next checkpoint, once, be below the newest one.

    Raises `KeyUnavailable`, `InvalidInput`, `StorageUnavailable`.
    """

    def __init__(
        self,
        keys: Path,
        allow: AllowList,
        *,
        origin: str | None = None,
        new_state: bool = False,
        let_log_back: bool = False,
    ) -> None:
        if LOG in allow.roles and origin is None:
            raise InvalidInput("the log's key signs checkpoints of one log only; name its trust.json with --trust FILE")
        self.allow = allow
        self._lock = _lock(keys)
        self._held: dict[str, _Held] = {}
        try:
            for role in allow.roles:
                self._held[role] = _held(keys, role, origin, new_state=new_state, let_log_back=let_log_back)
        except BaseException:
            self.close()
            raise

    @property
    def public_keys(self) -> dict[str, bytes]:
        """The raw public key of each role."""
        return {role: held.signer.public_key for role, held in self._held.items()}

    def answer(self, peer: Peer, body: bytes) -> dict[str, Any]:
        """Return the answer to one question. Whatever is wrong is in it."""
        try:
            asked = question_in(body)
        except Malformed as error:
            return {"refused": "malformed", "why": str(error)}
        role = asked["role"]
        uses, held = self.allow.uses(peer, role), self._held.get(role)
        if uses is None or held is None:
            # Who may not use a role is not told whether there is one.
            return {"refused": "denied", "why": f"the allow-list does not let {peer} use {role!r}"}
        try:
            match asked["do"]:
                case "key":
                    return {"public_key": held.signer.public_key.hex()}
                case "sign":
                    _let(held, asked["message"], uses)
                    return {"signature": held.signer.sign(asked["message"]).hex()}
                case _:
                    payload = _attested(held, asked["predicate"])
                    signature = held.signer.sign(pae(PAYLOAD_TYPE, payload))
                    return {"payload": base64_of(payload), "signature": signature.hex()}
        except Unsigned as error:
            return {"refused": "refused", "why": str(error)}
        except StorageUnavailable as error:
            log.error("%s", error)
            return {"refused": "unavailable", "why": str(error)}

    def close(self) -> None:
        """Let go of keys, state and lock."""
        for held in self._held.values():
            if held.state is not None:
                held.state.close()
        self._held.clear()
        os.close(self._lock)

    # The socket -------------------------------------------------------------------------------------------------

    async def serve(
        self, path: Path, stop: asyncio.Event, *, group: int | None = None, ready: Callable[[], object] = lambda: None
    ) -> None:
        """Answer at `path` until `stop` is set; `ready` is called once it listens.

        `group` is who may connect besides this user; nobody where it is None. Raises `InvalidInput` for a place where
        others could put a socket of theirs.
        """
        listening = listen(path, group)
        place = _inode(path)
        doors = _Doors(self)
        server = await asyncio.start_unix_server(doors.enter, sock=listening)
        try:
            ready()
            await stop.wait()
        finally:
            server.close()
            await doors.close()
            if _inode(path) == place:  # and not another signer's by now
                _unlink(path)
            await server.wait_closed()


def _held(keys: Path, role: str, origin: str | None, *, new_state: bool, let_log_back: bool) -> _Held:
    name = role.replace(":", "-")
    path = keys / f"{name}.key"
    fresh = not path.exists()
    signer = load_or_create(path) if fresh else load(path)
    state: GateState | LogState | None = None
    if (kind := kind_of(role)) in ("gate", LOG):
        lines = Lines(keys / f"{name}.state", signer.key_id, begin=fresh or new_state)
        try:
            state = GateState(lines) if kind == "gate" else LogState(lines, let_back=let_log_back)
        except BaseException:
            lines.close()
            raise
    return _Held(signer, Judge(role, signer.key_id, origin), state)


def _let(held: _Held, message: bytes, uses: frozenset[str]) -> None:
    """Return where the key may sign this message. Raises `Unsigned`, `StorageUnavailable`."""
    said = held.judge.judge(message, uses)
    if isinstance(said, VerdictRecord):
        raise Unsigned("a gate's verdict gets its number from the signer; have it attested, not signed")
    if isinstance(said, Checkpoint):
        assert isinstance(held.state, LogState)
        held.state.rise(said)


def _attested(held: _Held, predicate: dict[str, Any]) -> bytes:
    """Return the statement of a verdict with this gate's number. Raises `Unsigned`, `StorageUnavailable`."""
    if not isinstance(held.state, GateState):
        raise Unsigned(f"only a gate's verdicts are attested, and {held.judge.role} is no gate")
    try:
        record = record_of("verdict", predicate)
        said = held.judge.receipt(payload_of(record))
    except (LedgerBroken, Malformed) as error:
        raise Unsigned("it is no verdict that can be read in exactly one way") from error
    assert isinstance(said, VerdictRecord)
    if said.actor_seq is not None or said.prev_by_actor is not None:
        raise Unsigned("a gate's number and its previous verdict are the signer's to say; leave both empty")
    try:
        return held.state.numbered(said)
    except Malformed as error:  # with its number it is too long
        raise Unsigned(f"it is no verdict that can be signed: {error}") from error


class _Doors:
    """The open connections: bounded for each user, and none of them waits for another."""

    def __init__(self, daemon: SignerDaemon) -> None:
        self._daemon = daemon
        uids = {rule.uid for rule in daemon.allow.rules}
        self._each = max(4, CONNECTIONS_MAX // len(uids))
        self._idle: dict[int, OrderedDict[asyncio.Task[None], None]] = {uid: OrderedDict() for uid in uids}
        """By user: who waits for the next question, the longest first."""
        self._open: Counter[int] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._denials: Counter[tuple[int, str]] = Counter()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        task: Any = asyncio.current_task()
        self._tasks.add(task)
        try:
            peer = peer_of(writer.get_extra_info("socket"), exe=self._daemon.allow.asks_exe)
            if peer.uid not in self._idle:
                self._deny(peer, "", "it is in no rule")
                return
            if self._open[peer.uid] >= self._each:
                if not self._idle[peer.uid]:
                    self._deny(peer, "", "too many connections of this user are at work")
                    return
                self._idle[peer.uid].popitem(last=False)[0].cancel()
            self._open[peer.uid] += 1
            try:
                await self._serve(peer, task, reader, writer)
            finally:
                self._open[peer.uid] -= 1
                self._idle[peer.uid].pop(task, None)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # it is gone, or gets no more of our time; it may come again
        except Malformed as error:
            log.warning("a connection was closed: %s", error)
        except Exception as error:  # ours, and nobody else's connection ends with it
            log.error("a connection was closed by a fault of the signer: %s", type(error).__name__)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()  # what was to be said has been said, or nobody reads it
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve(
        self, peer: Peer, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        idle = self._idle[peer.uid]
        while True:
            idle[task] = None
            async with asyncio.timeout(IDLE_SECONDS):
                first = await reader.readexactly(1)
            idle.pop(task, None)
            async with asyncio.timeout(FRAME_SECONDS):
                head = first + await reader.readexactly(LENGTH_BYTES - 1)
                body = await reader.readexactly(length_of(head))
            answer = self._daemon.answer(peer, body)
            if "refused" in answer:
                self._deny(peer, answer["refused"], answer["why"])
            writer.write(frame(answer))
            async with asyncio.timeout(FRAME_SECONDS):
                await writer.drain()

    def _deny(self, peer: Peer, kind: str, why: str) -> None:
        if len(self._denials) > DENIALS_LOGGED:
            self._denials.clear()
        self._denials[peer.uid, kind] += 1
        if (count := self._denials[peer.uid, kind]) % DENIALS_LOGGED == 1:
            log.warning("nothing was signed for %s: %s%s", peer, why, f" ({count} such)" if count > 1 else "")

    async def close(self) -> None:
        """End every connection."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def peer_of(connection: Any, *, exe: bool = False) -> Peer:
    """Return who is at the other end, from the kernel. Raises `OSError` where the system cannot say."""
    if not hasattr(socket, "SO_PEERCRED"):
        raise OSError("this system does not say who is at the other end of a socket; run the signer on Linux")
    pid, uid, gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    runs = None
    if exe:
        with suppress(OSError):  # another user's, or gone: then no rule that names a file lets it in
            runs = str(Path(f"/proc/{pid}/exe").readlink())
    return Peer(uid & 0xFFFFFFFF, gid & 0xFFFFFFFF, pid, runs)


def listen(path: Path, group: int | None = None) -> socket.socket:
    """Return a listening socket at `path`, mode 0600, or 0660 for a group. Raises `InvalidInput` with what to do."""
    if not hasattr(socket, "SO_PEERCRED"):
        raise InvalidInput("this system does not say who is at the other end of a socket; run the signer on Linux")
    path = path.absolute()
    if len(os.fsencode(path)) > 100:
        raise InvalidInput(f"a socket's path has at most 100 bytes, and {path} has more; choose a shorter one")
    own = not path.parent.exists()
    try:
        make_private_directory(path.parent)
        if own and group is not None:
            os.chown(path.parent, -1, group)
            path.parent.chmod(0o750)
        check_directory(path.parent)
        _clear(path)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # nobody can connect before its mode is what it must be
        try:
            listening.bind(os.fspath(path))
        finally:
            os.umask(before)
        if group is not None:
            os.chown(path, -1, group)
            path.chmod(0o660)
        listening.listen(128)
    except OSError as error:
        raise InvalidInput(f"the signer cannot listen at {path}: {error.strerror or error}") from error
    return listening


def check_directory(directory: Path) -> None:
    """Raise `InvalidInput` where others could put another file, or directory, in the place of this one's."""
    resolved = directory.resolve()
    for place in (resolved, *resolved.parents):
        found = place.stat()
        shared = found.st_mode & 0o022 and not (place != resolved and found.st_mode & 0o1000)
        if shared or found.st_uid not in (os.geteuid(), 0):
            raise InvalidInput(
                f"others can write to {place}, so they could put a socket of their own where {directory} is; give the "
                "socket a directory of its own, such as /run/squads, that only the signer's user writes to"
            )


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _clear(path: Path) -> None:
    """Remove the socket of a signer that died. Raises `InvalidInput` where one lives, or where it is no socket."""
    if not path.is_socket():
        if path.exists() or path.is_symlink():
            raise InvalidInput(f"{path} exists and is no socket; name another path")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:
            pass
    raise InvalidInput(f"another signer answers at {path}; end it first, or name another path")


def _lock(keys: Path) -> int:
    """Return a descriptor that holds the directory of keys for this process alone. Raises `KeyUnavailable`."""
    try:
        make_private_directory(keys)
        descriptor = open_private(keys / "signer.lock", os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise KeyUnavailable(f"the directory of keys {keys} cannot be used: {error.strerror or error}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise KeyUnavailable(
            f"another signer holds the keys in {keys}; two would say a number twice, so end it first"
        ) from error
    return descriptor
