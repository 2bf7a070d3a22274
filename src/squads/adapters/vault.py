"""Content keys: how content is encrypted at rest, and a file of keys outside the database, where one can be destroyed.

Content is encrypted with the key of its subject (AES-256-GCM), so that destroying 32 bytes erases all of it, in every
copy of the database too. A key must never stand where a backup of the content stands, never be made anew for content
that was sealed with another, and never reach a log, an error or a `repr`.

    keys.slots := magic (16 bytes)  id (16 random bytes)  slot 0 (32 random bytes)  slot 1 ...
                  a slot of zeros was destroyed, and is never used again
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from squads.adapters.file_lock import FileLock
from squads.adapters.private_files import make_private_directory, open_private, sync_directory
from squads.contracts.errors import BlobBroken, KeyUnavailable, StorageUnavailable
from squads.kernel.ports import Signer

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SEAL_BYTES: Final = 1 + NONCE_BYTES + TAG_BYTES
"""How much longer sealed content is than the content."""
SLOTS_AT_ONCE: Final = 256
"""How many slots the file grows by: one sync pays for the keys of so many subjects."""

_VERSION: Final = b"\x01"
_CONTENT: Final = b"squads.content/v1\n"
_WRAPPED: Final = b"squads.content-key/v1\n"
_DERIVED: Final = b"squads.content-key-encryption/v1\n"
_MAGIC: Final = b"squads.slots/v1\n"
_HEADER_BYTES: Final = len(_MAGIC) + 16
_DESTROYED: Final = bytes(KEY_BYTES)


def new_key(entropy: Callable[[int], bytes] = os.urandom) -> bytes:
    """Return a key for one subject's content."""
    return entropy(KEY_BYTES)


def closed(key: bytes, bound: bytes, data: bytes) -> bytes:
    """Return `data` encrypted: a version byte, a fresh nonce, the ciphertext and its tag. It opens only with `bound`.

    `bound` begins with a line that names what it is for, so that nothing of one kind opens as another.
    """
    nonce = os.urandom(NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, data, bound)


def opened(key: bytes, bound: bytes, data: bytes) -> bytes | None:
    """Return what `closed` got; None for other bytes, another key, or other things bound to it."""
    if len(data) < SEAL_BYTES or data[:1] != _VERSION:
        return None
    try:
        return AESGCM(key).decrypt(data[1 : 1 + NONCE_BYTES], data[1 + NONCE_BYTES :], bound)
    except InvalidTag:
        return None


def sealed(key: bytes, subject: str, digest: bytes, content: bytes) -> bytes:
    """Return `content` encrypted for one subject, under the 32-byte SHA-256 that it is asked for by.

    It is bound to subject and digest: moved to another row it does not open.
    """
    return closed(key, _CONTENT + digest + subject.encode(), content)


def unsealed(key: bytes, subject: str, digest: bytes, data: bytes) -> bytes:
    """Return the content that `sealed` got. Raises `BlobBroken` for other bytes, another key, subject or digest."""
    content = opened(key, _CONTENT + digest + subject.encode(), data)
    if content is None or sha256(content).digest() != digest:
        raise BlobBroken(
            f"the content stored under {digest.hex()} cannot be opened: it was changed, or its key belongs to another "
            "copy of this store; run `squads verify`"
        )
    return content


def wrapped(kek: bytes, subject: str, key: bytes) -> bytes:
    """Return a subject's key encrypted with a key-encryption key, for a store that keeps keys beside content."""
    return closed(kek, _WRAPPED + subject.encode(), key)


def unwrapped(kek: bytes, subject: str, data: bytes) -> bytes:
    """Return the key that `wrapped` got. Raises `KeyUnavailable` with another key-encryption key, or other bytes."""
    key = opened(kek, _WRAPPED + subject.encode(), data)
    if key is None or len(key) != KEY_BYTES:
        raise KeyUnavailable(
            f"the content key of subject {subject!r} was not wrapped with the key that is here; set SQUADS_HOME to the "
            "directory with this workspace's keys"
        )
    return key


def content_key_of(signer: Signer) -> bytes:
    """Return the key-encryption key that belongs to a key file: the same for the same key.

    An Ed25519 signature is deterministic and cannot be made without the key, so its hash is a key that only the key's
    holder can derive. A signer in another process must know to sign this message.
    """
    return sha256(signer.sign(_DERIVED)).digest()


class FileVault:
    """Keys in the slots of one file, for its owner only. Which slot is whose, its user keeps: in a database.

    Reading is safe from any thread. Growing and destroying take the file's lock.
    """

    def __init__(self, path: Path, *, create: bool, identity: bytes | None = None, reading: bool = False) -> None:
        """Open the file; with `create`, make it where there is none.

        Args:
            path: The file, in a directory for its owner only.
            create: Whether a missing file may be made: only where nothing was ever sealed with its keys.
            identity: The `identity` that it must have; None takes any.
            reading: True where no key will be made or destroyed, so that it need not be writable.

        Raises:
            StorageUnavailable: It is missing, or cannot be read or written, or is another ledger's.
            KeyUnavailable: Others may read it.
        """
        self.path = path
        if create:
            self._make()
        try:
            descriptor = open_private(path, (os.O_RDONLY if reading else os.O_RDWR) | os.O_NONBLOCK)
        except FileNotFoundError:
            raise StorageUnavailable(
                f"the keys of this ledger's content are gone: there is no {path}; restore that file, or set "
                "SQUADS_HOME to the directory that holds it; no new keys are made for content that others closed"
            ) from None
        except OSError as error:
            raise self._unusable(error) from error
        self._descriptor = descriptor
        self._closed = False
        try:
            self._check(os.fstat(descriptor))
            header = os.pread(descriptor, _HEADER_BYTES, 0)
            if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
                raise StorageUnavailable(f"{path} holds no content keys of squads; restore it from your backup")
            self.identity = header[len(_MAGIC) :]
            """16 random bytes that no other file of slots has."""
            if identity is not None and identity != self.identity:
                raise StorageUnavailable(
                    f"{path} holds the content keys of another ledger; restore the one that belongs to this ledger"
                )
            self._lock = None if reading else FileLock(path)
        except OSError as error:
            os.close(descriptor)
            raise self._unusable(error) from error
        except BaseException:
            os.close(descriptor)
            raise

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return max(0, os.fstat(self._descriptor).st_size - _HEADER_BYTES) // KEY_BYTES

    def key(self, slot: int) -> bytes | None:
        """Return the key in a slot; None where it was destroyed. Raises `StorageUnavailable` for a slot not there."""
        try:
            found = os.pread(self._descriptor, KEY_BYTES, _HEADER_BYTES + slot * KEY_BYTES)
        except OSError as error:
            raise self._unusable(error) from error
        if len(found) != KEY_BYTES:
            raise StorageUnavailable(
                f"{self.path} ends before slot {slot}, whose key closes content of this ledger: it was cut, or an old "
                "copy was restored; restore the newest copy"
            )
        return None if found == _DESTROYED else found

    def ensure(self, slots: int) -> None:
        """Make sure that there are so many slots, durably; the file grows by many at once."""
        if self.slots >= slots:
            return
        with self._held():
            have = self.slots
            if have >= slots:
                return
            fresh = os.urandom(KEY_BYTES * max(SLOTS_AT_ONCE, slots - have))
            try:
                # Behind the last whole slot: what a crash left there was never given to anybody.
                self._write(fresh, _HEADER_BYTES + have * KEY_BYTES)
            except OSError as error:
                raise self._unusable(error) from error

    def destroy(self, slot: int) -> None:
        """Overwrite a slot with zeros, durably. Twice is no error."""
        with self._held():
            if self.key(slot) is None:
                return
            try:
                self._write(_DESTROYED, _HEADER_BYTES + slot * KEY_BYTES)
            except OSError as error:
                raise self._unusable(error) from error

    def close(self) -> None:
        """Let go of the file. Closing twice is no error."""
        if not self._closed:
            self._closed = True
            if self._lock is not None:
                self._lock.close()
            os.close(self._descriptor)

    def __repr__(self) -> str:
        return f"FileVault({str(self.path)!r})"

    def _held(self) -> AbstractContextManager[None]:
        if self._lock is None:
            raise StorageUnavailable(f"{self.path} was opened for reading; keys are made and destroyed by who writes")
        return self._lock.held()

    def _make(self) -> None:
        """Make the file unless it is there: written aside and linked, so that it appears whole and only once."""
        if self.path.exists():
            return
        aside = self.path.with_name(f".{self.path.name}.{token_hex(8)}")
        try:
            make_private_directory(self.path.parent)
            descriptor = open_private(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_MAGIC + os.urandom(16 + KEY_BYTES * SLOTS_AT_ONCE))
                    file.flush()
                    os.fsync(file.fileno())
                with suppress(FileExistsError):
                    os.link(aside, self.path)
                sync_directory(self.path.parent)
            finally:
                aside.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def _write(self, data: bytes, place: int) -> None:
        written = os.pwrite(self._descriptor, data, place)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes could be written")
        os.fsync(self._descriptor)

    def _check(self, found: os.stat_result) -> None:
        if not stat.S_ISREG(found.st_mode):
            raise StorageUnavailable(f"{self.path} is no plain file, and holds no content keys; move it away")
        if found.st_mode & 0o077:
            raise KeyUnavailable(
                f"others may read the content keys in {self.path} (mode {stat.S_IMODE(found.st_mode):04o}); "
                f"run `chmod 600 {self.path}`"
            )

    def _unusable(self, error: OSError) -> StorageUnavailable:
        return StorageUnavailable(
            f"the content keys in {self.path} cannot be used: {error.strerror or error}; make file and directory "
            "writable for their owner, and free some space"
        )
