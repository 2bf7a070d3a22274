"""What a signer daemon must never forget: a gate's counter, and the newest checkpoint of a log.

One file for each key, of lines that are only ever added, and each line is durable before the signature that it stands
for leaves. A line that was torn by a crash stands for nothing, since no signature had left. It must never be restored
from an old copy, nor begun anew beside a key that has signed: the daemon would say one number twice.

    {"format":1,"key":HEX}              the first line: whose state it is
    {"payload":BASE64,"ticket":HEX}     a gate's statement, with its counter inside; the last `REMEMBERED` are kept
    {"root":HEX,"size":N}               a checkpoint; the last one is kept
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from squads.adapters.private_files import open_private, sync_directory
from squads.adapters.signer_rules import Unsigned
from squads.adapters.signer_wire import base64_of
from squads.contracts.errors import KeyUnavailable, LedgerBroken, StorageUnavailable
from squads.contracts.records import VerdictRecord
from squads.kernel.receipts import payload_of, receipt_of, record_in
from squads.ledger.checkpoint import Checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.note import strict_base64
from squads.ledger.statement import PAYLOAD_TYPE, canonical_json, strict_json

REMEMBERED: Final = 1_024
"""How many of a gate's newest statements are given again, byte for byte, to whoever asks for their tickets again."""
_T = TypeVar("_T")


class Lines:
    """A file of lines for one key, with its name and mode kept tight. Every method raises `StorageUnavailable`.

    Args:
        key_id: Whose state it is: the first line says so, and a file of another key is never taken for this one's.
        begin: Make the file where there is none; without it a missing file is an error.
        keep: How many lines are needed; older ones go when there are many more.
    """

    def __init__(self, path: Path, key_id: bytes, *, begin: bool, keep: int = REMEMBERED) -> None:
        self.path = path
        self._header = canonical_json({"format": 1, "key": key_id.hex()})
        self._keep = keep
        self._broken = ""
        flags = os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | (os.O_CREAT if begin else 0)
        try:
            self._descriptor = open_private(path, flags)
        except FileNotFoundError as error:
            raise KeyUnavailable(
                f"the key beside {path} has no state: its counter, or its newest checkpoint, is not known, and a "
                "number could be said twice; restore that file as it was last, or, for a key that no signer daemon has "
                "signed with yet, start once with --new-state"
            ) from error
        except OSError as error:
            raise KeyUnavailable(
                f"{path} cannot be opened: {error}; it must be a plain file of the signer's"
            ) from error
        try:
            self.lines = self._read(begin)
        except OSError as error:
            os.close(self._descriptor)
            raise StorageUnavailable(f"{path} cannot be read or mended: {error.strerror}; make room") from error
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, line: bytes) -> None:
        """Add a line; it is durable when this returns, and not there where it raises."""
        if self._broken:
            raise StorageUnavailable(self._broken)
        size = -1
        try:
            size = os.fstat(self._descriptor).st_size
            _write(self._descriptor, line + b"\n")
        except OSError as error:
            # What is half written must not stand before the next line, and what may stand there after all counts.
            why = error.strerror or str(error)
            self._broken = f"{self.path} could not be written ({why}); make room, then start the signer again"
            with suppress(OSError):
                if size >= 0:
                    os.ftruncate(self._descriptor, size)
                    os.fsync(self._descriptor)
                    self._broken = ""
            raise StorageUnavailable(f"{self.path} cannot be written ({why}); nothing was signed, make room") from error
        self.lines.append(line)
        if len(self.lines) > 4 * self._keep:
            self._shorten()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _read(self, begin: bool) -> list[bytes]:
        content = b""
        while block := os.pread(self._descriptor, 1 << 20, len(content)):
            content += block
        *lines, torn = content.split(b"\n")
        if torn:  # nothing was signed for it
            os.ftruncate(self._descriptor, len(content) - len(torn))
            os.fsync(self._descriptor)
        if not lines and begin:
            try:
                _write(self._descriptor, self._header + b"\n")
                sync_directory(self.path.parent)
            except OSError as error:
                raise StorageUnavailable(f"{self.path} cannot be written ({error.strerror}); make room") from error
            return []
        if not lines or lines[0] != self._header:
            raise KeyUnavailable(
                f"{self.path} is damaged, or is the state of another key than the one beside it; restore both as they "
                "were last"
            )
        return lines[1:]

    def _shorten(self) -> None:
        """Keep only what is needed, in a new file that takes the old one's name when it is whole."""
        kept = self.lines[-self._keep :]
        aside = self.path.with_name(f".{self.path.name}.new")
        try:
            aside.unlink(missing_ok=True)
            fresh = open_private(aside, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)
            try:
                _write(fresh, b"".join(line + b"\n" for line in (self._header, *kept)))
            except OSError:
                os.close(fresh)
                raise
            aside.replace(self.path)
            sync_directory(self.path.parent)
        except OSError:
            return  # it stays long, and is tried again with the next line
        os.close(self._descriptor)
        self._descriptor, self.lines = fresh, kept


class GateState:
    """A gate's own counter, and what it has said last. Raises `KeyUnavailable` for a file that does not read as one."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._said: OrderedDict[str, bytes] = OrderedDict()
        self._next = 0
        self._newest: str | None = None
        for number, line in enumerate(lines.lines):
            ticket, payload, record = _parsed(lines.path, line, _statement)
            if record.actor_seq is None or (number and record.actor_seq != self._next):
                raise KeyUnavailable(f"{lines.path} is damaged at line {number + 1}; restore it as it was last")
            self._remember(ticket, payload, record.actor_seq)

    @property
    def next(self) -> int:
        """The number that the next verdict gets."""
        return self._next

    def numbered(self, record: VerdictRecord) -> bytes:
        """Return the statement of a verdict with its place among this gate's; durable when it returns.

        A ticket is answered once: asked for again, whatever is asked, it gives the very bytes that it gave before, so
        that neither a crash nor a second reading leaves two statements under one number, or a number that nobody has.
        Raises `StorageUnavailable`.
        """
        said = self._said.get(record.ticket)
        if said is not None:
            return said
        payload = payload_of(record.but(actor_seq=self._next, prev_by_actor=self._newest))
        self._lines.append(canonical_json({"payload": base64_of(payload), "ticket": record.ticket}))
        self._remember(record.ticket, payload, self._next)
        return payload

    def _remember(self, ticket: str, payload: bytes, number: int) -> None:
        self._said[ticket] = payload
        self._next, self._newest = number + 1, sha256(payload).hexdigest()
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()


class LogState:
    """The newest checkpoint that was signed. Raises `KeyUnavailable` for a file that does not read as one.

    Args:
        let_back: Let the next checkpoint, once, be below it, or have another root: for a log whose last commit failed
            after it was signed.
    """

    def __init__(self, lines: Lines, *, let_back: bool = False) -> None:
        self._lines = lines
        self._let_back = let_back
        self._size, self._root = 0, b""
        if lines.lines:
            self._size, self._root = _parsed(lines.path, lines.lines[-1], _mark)

    def rise(self, checkpoint: Checkpoint) -> None:
        """Remember a checkpoint, durably. Raises `Unsigned` where it takes back another one, `StorageUnavailable`."""
        if (checkpoint.size, checkpoint.root) == (self._size, self._root):
            return
        if checkpoint.size <= self._size and self._root and not self._let_back:
            was = "another root" if checkpoint.size == self._size else "fewer receipts"
            raise Unsigned(
                f"a checkpoint of {self._size} receipts was signed, and this one of {checkpoint.size} has {was}: "
                "the log was cut, restored from an old copy, or its last commit failed after it was signed; find out "
                "which, and only in the last case start the signer once with --let-log-back"
            )
        self._lines.append(canonical_json({"root": checkpoint.root.hex(), "size": checkpoint.size}))
        self._size, self._root, self._let_back = checkpoint.size, checkpoint.root, False

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it, durably. Raises `OSError`."""
    if os.write(descriptor, content) != len(content):
        raise OSError("not all of it could be written")
    os.fsync(descriptor)


def _parsed(path: Path, line: bytes, read: Callable[[dict[str, Any]], _T]) -> _T:
    try:
        value = strict_json(line)
        if not isinstance(value, dict):
            raise Malformed("not an object")
        return read(value)
    except (Malformed, LedgerBroken, KeyError, TypeError, ValueError) as error:
        raise KeyUnavailable(
            f"{path} is damaged: a line of it does not read as one; restore it as it was last, for without it a number "
            "could be said twice"
        ) from error


def _statement(value: dict[str, Any]) -> tuple[str, bytes, VerdictRecord]:
    payload = strict_base64(value["payload"])
    record = record_in(receipt_of(0, PAYLOAD_TYPE, payload, (), 0))
    if not isinstance(record, VerdictRecord) or value.keys() != {"payload", "ticket"}:
        raise Malformed("no verdict")
    return value["ticket"], payload, record


def _mark(value: dict[str, Any]) -> tuple[int, bytes]:
    size, root = value["size"], bytes.fromhex(value["root"])
    if type(size) is not int or size < 0 or len(root) != 32 or value.keys() != {"root", "size"}:
        raise Malformed("no checkpoint")
    return size, root
