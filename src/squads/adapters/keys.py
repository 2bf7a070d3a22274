"""Private keys: in this process's memory, and in files that only their owner can read.

An in-process key guards against mistakes, not against hostile code in the same process; its custody says so. A
private key must never reach a log, a `repr`, a pickle, or a file inside a work tree.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal, NoReturn

from squads.adapters.private_files import make_private_directory, open_private, sync_directory
from squads.contracts.errors import KeyUnavailable
from squads.ledger.keys import key_id

_FILE = re.compile(rb"squads\.private-key/v1 ed25519 ([0-9a-f]{64})\n")


class InProcessSigner:
    """A `Signer` that holds one Ed25519 key in memory."""

    __slots__ = ("_key_id", "_private", "_public_key")

    def __init__(self, private_key: bytes) -> None:
        """Use the raw 32-byte private key. Raises `KeyUnavailable` for anything else."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        if len(private_key) != 32:
            raise KeyUnavailable(f"an Ed25519 private key has 32 bytes, this one {len(private_key)}")
        self._private = Ed25519PrivateKey.from_private_bytes(private_key)
        self._public_key = self._private.public_key().public_bytes_raw()
        self._key_id = key_id(self._public_key)

    @classmethod
    def generate(cls, entropy: Callable[[int], bytes] = os.urandom) -> InProcessSigner:
        """Return a signer with a new key."""
        return cls(entropy(32))

    @property
    def public_key(self) -> bytes:
        """The raw 32-byte Ed25519 public key."""
        return self._public_key

    @property
    def key_id(self) -> bytes:
        """The 32-byte key id."""
        return self._key_id

    @property
    def custody(self) -> Literal["in-process"]:
        """Always `in-process`."""
        return "in-process"

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of exactly `message`."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"InProcessSigner(key_id={self._key_id.hex()[:16]}…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not pickled; hand the other process a key file")

    def __copy__(self) -> InProcessSigner:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> InProcessSigner:
        return self


def keys_home() -> Path:
    """Return the directory for keys: `SQUADS_HOME`, or `squads` in the user's configuration directory.

    It lies outside every work tree, so that a key is never committed. Nothing is created.
    """
    home = os.environ.get("SQUADS_HOME")
    if home:
        return Path(home)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "squads"
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification: a relative path is invalid and is ignored.
    base = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    return base / "squads"


def load_or_create(path: str | Path, *, entropy: Callable[[int], bytes] = os.urandom) -> InProcessSigner:
    """Return the key in the file, which is created with a new key if there is none.

    Two processes that create it at once get the same key. Raises `KeyUnavailable`.
    """
    path = Path(path)
    try:
        return load(path)
    except KeyUnavailable as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
    try:
        make_private_directory(path.parent)
        with suppress(FileExistsError):
            _write_new(path, entropy)
    except OSError as error:
        raise KeyUnavailable(
            f"no key could be created at {path}: {error}; set SQUADS_HOME to a directory you can write"
        ) from error
    return load(path)


def create(path: str | Path, *, entropy: Callable[[int], bytes] = os.urandom) -> InProcessSigner:
    """Return the new key in a new file. Raises `KeyUnavailable`, also where the file exists or could be read by others.

    Nothing is left behind where it fails.
    """
    path = Path(path)
    try:
        _write_new(path, entropy)
    except FileExistsError as error:
        raise KeyUnavailable(f"{path} exists, and a key is never written over another; name a new file") from error
    except OSError as error:
        raise KeyUnavailable(f"no key could be created at {path}: {error}; name a file that can be written") from error
    try:
        return load(path)
    except KeyUnavailable as error:
        path.unlink(missing_ok=True)
        raise KeyUnavailable(
            f"a key at {path} would not be safe there: {error}. A disk without file modes is mounted with umask=077, "
            "or name a file on another one"
        ) from error


def _write_new(path: Path, entropy: Callable[[int], bytes]) -> None:
    """Write a key to a new file, durably. Raises `FileExistsError`, and other kinds of `OSError`."""
    content = b"squads.private-key/v1 ed25519 %b\n" % entropy(32).hex().encode()
    # Written aside and linked, so that the file appears whole, and the first one to link it wins.
    aside = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        _write_exclusively(aside, content)
        try:
            os.link(aside, path)
        except OSError as error:
            # The file systems of removable disks often know no links.
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            _write_exclusively(path, content)
        sync_directory(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def _write_exclusively(path: Path, content: bytes) -> None:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def load(path: str | Path) -> InProcessSigner:
    """Return the key in the file. Raises `KeyUnavailable` if it is missing, damaged, or others may read it."""
    path = Path(path)
    try:
        # Not blocking, or a named pipe in its place would hang us.
        descriptor = open_private(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise KeyUnavailable(f"there is no key file {path}; create it, or restore it from your backup") from error
    except OSError as error:
        raise KeyUnavailable(f"the key file {path} cannot be opened: {error}; it must be a plain file") from error
    try:
        # What was opened is judged, not what the name may point to by now.
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeyUnavailable(f"the key file {path} is not a plain file")
        if found.st_mode & 0o077:
            raise KeyUnavailable(
                f"others may read the key file {path} (mode {stat.S_IMODE(found.st_mode):04o}); if nobody did, "
                f"run `chmod 600 {path}`, otherwise revoke this key and make a new one"
            )
        if found.st_uid not in {os.geteuid(), 0}:
            raise KeyUnavailable(f"the key file {path} belongs to another user ({found.st_uid}), who may read it")
        content = os.read(descriptor, 1024)
    finally:
        os.close(descriptor)
    match = _FILE.fullmatch(content)
    if match is None:
        raise KeyUnavailable(f"the key file {path} is damaged or no squads key; restore it from your backup")
    return InProcessSigner(bytes.fromhex(match[1].decode()))
