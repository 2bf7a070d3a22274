"""Which of a workspace's keys are kept by a signer daemon, and where it listens.

`signers.json` beside the private keys maps roles to sockets; what it does not name is a key file here. Whoever writes
that file chooses who signs for a role, so it is its owner's alone; a key that nobody registered speaks for nobody.

    {"format": 1, "sockets": {"gate:schema": "/run/squads/signer.sock"}}
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from squads.adapters.private_files import open_private
from squads.adapters.signer_client import DaemonSigner
from squads.adapters.signer_rules import kind_of
from squads.contracts.errors import InvalidInput, KeyUnavailable
from squads.kernel.ports import Signer
from squads.ledger.errors import Malformed
from squads.ledger.statement import strict_json

SIGNERS: Final = "signers.json"
"""The file's name, in the directory of a workspace's keys."""
_BYTES_MAX: Final = 256 * 1024


def remote(keys: Path, role: str) -> DaemonSigner | None:
    """Return the signer whose daemon `signers.json` names for a role; None where its key is, or would be, a file here.

    The daemon has been asked for the public key when this returns. Raises `KeyUnavailable`.
    """
    path = sockets(keys).get(role)
    if path is None:
        return None
    signer = DaemonSigner(path, role)
    signer.public_key  # noqa: B018  (a daemon that is away must be met here, and not in the middle of a packet)
    return signer


def sockets(keys: Path) -> dict[str, Path]:
    """Return the sockets of signer daemons by role, as `signers.json` says; none where there is no such file.

    Raises `KeyUnavailable` for a file that others may write, or that does not read as one.
    """
    path = keys / SIGNERS
    try:
        descriptor = open_private(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise KeyUnavailable(f"{path} cannot be opened: {error.strerror}; it must be a plain file") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077 or found.st_uid not in {os.geteuid(), 0}:
            raise KeyUnavailable(f"{path} must be a plain file of this user alone; run `chmod 600 {path}`")
        content = os.read(descriptor, _BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    try:
        value = strict_json(content)
        named = value["sockets"] if isinstance(value, dict) and value.keys() == {"format", "sockets"} else None
        if not isinstance(named, dict) or value["format"] != 1 or len(content) > _BYTES_MAX:
            raise Malformed("it has exactly the fields format (1) and sockets")
        for role, place in named.items():
            kind_of(role)
            if not isinstance(place, str) or not place.startswith("/"):
                raise Malformed(f"the socket of {role} is an absolute path")
    except (Malformed, InvalidInput) as error:
        raise KeyUnavailable(
            f'{path} cannot be read: {error}; write {{"format": 1, "sockets": {{"gate:NAME": "/run/..."}}}}'
        ) from error
    return {role: Path(place) for role, place in named.items()}


def daemon_signers(path: Path, roles: Iterable[str]) -> dict[str, Signer]:
    """Return the signers of roles (`gate:schema`) that one daemon keeps. Raises `KeyUnavailable`."""
    made: dict[str, Signer] = {}
    for role in roles:
        made[role] = signer = DaemonSigner(path, role)
        signer.public_key  # noqa: B018
    return made
