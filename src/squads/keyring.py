"""The private keys that a process has at hand, by the role they speak for.

A role's key is made when it is first asked for; the root's and the log's never are, except where a workspace is
founded: the root may be away, on a disk in a drawer. A key that was rotated stands in two files for a moment, and which
of them counts is for the log to say: whoever loads it next finishes what was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from squads.adapters.keys import InProcessSigner, load, load_or_create
from squads.adapters.private_files import sync_directory
from squads.contracts.errors import KeyUnavailable
from squads.custody import remote, sockets
from squads.kernel.ports import Entropy, Signer
from squads.stores import LOG, ROOT

NEXT: Final = ".next"
"""What is added to a key file's name for the key that it is being rotated to."""


class Speakers(Mapping[str, Signer]):
    """The signers of roles by name, looked up anew for every signature: a key may be rotated while it is in use."""

    def __init__(self, roles: Mapping[str, str], speaker: Callable[[str], Signer]) -> None:
        """`roles` says as what each name speaks, such as `gate:schema`; `speaker` returns who may do so now."""
        self._roles = roles
        self._speaker = speaker

    def __getitem__(self, name: str) -> Signer:
        return self._speaker(self._roles[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)


class Keyring:
    """One process's signers for one workspace.

    Args:
        directory: Where the key files are; None keeps all keys in memory.
        signers: Those that are there from the beginning.
        entropy: Where keys that are kept in memory come from.
        speaks: Says whether a key id holds a role in the log now.
    """

    def __init__(
        self,
        directory: Path | None,
        signers: Mapping[str, Signer],
        entropy: Entropy,
        speaks: Callable[[bytes, str], bool],
    ) -> None:
        self.directory = directory
        self._signers = dict(signers)
        self._entropy = entropy
        self._speaks = speaks
        self._brought: dict[str, Path] = {}

    def has(self, role: str) -> bool:
        """Say whether there is a key for a role; none is made."""
        if role in self._signers or self.directory is None:
            return role in self._signers
        return self.path(role).exists() or self._kept_elsewhere(role)

    def signer(self, role: str) -> Signer:
        """Return the signer for a role, loaded or made when it is first asked for.

        Raises `KeyUnavailable`, also for a root's or a log's key that is not at hand.
        """
        if role not in self._signers:
            if role in (ROOT, LOG) and not self.has(role):
                raise KeyUnavailable(self.away(role))
            if self.directory is None:
                self._signers[role] = InProcessSigner(self._entropy(32))
            else:
                self._signers[role] = self._found(self.directory, role)
        return self._signers[role]

    def away(self, role: str) -> str:
        """Return the sentence for a key that is never made here and is not at hand."""
        if role == ROOT:
            return (
                "the root key of this workspace is not on this machine; bring it and name its file with --root FILE, "
                "or run this command on the machine that holds it"
            )
        return f"the {role} key of this workspace is not in {self.directory}; restore it from your backup"

    def path(self, role: str) -> Path:
        """Return the file of a role's key."""
        assert self.directory is not None
        return self._brought.get(role) or self.directory / f"{role.replace(':', '-')}.key"

    def bring(self, role: str, path: Path) -> None:
        """Use the key in a file from elsewhere, in this process only. Raises `KeyUnavailable`."""
        self._brought[role] = path
        self._signers.pop(role, None)
        self.signer(role)

    def forget(self, role: str) -> None:
        """Load the key anew when it is next asked for: its file may hold another one by now. Not one in memory."""
        if self.directory is not None:
            self._signers.pop(role, None)

    @property
    def loaded(self) -> Mapping[str, Signer]:
        """The signers that are loaded now, by role."""
        return dict(self._signers)

    # A key's change, in an order that may be interrupted anywhere -------------------------------------------------

    def successor(self, role: str) -> Signer:
        """Return the key that a role's key is to be rotated to: kept aside until the log says that it counts."""
        return InProcessSigner(self._entropy(32)) if self.directory is None else load_or_create(self._next(role))

    def drop_successor(self, role: str) -> None:
        """Delete a key that was kept aside and will never count."""
        if self.directory is not None:
            self._next(role).unlink(missing_ok=True)

    def adopt(self, role: str, successor: Signer) -> None:
        """Put the successor in the old key's place; the old private key is gone then."""
        self._signers[role] = successor
        if self.directory is not None:
            self._replace(self._next(role), self.path(role))

    def settle(self, role: str) -> bool:
        """Finish a rotation that the log has and the key file does not; False where there is none."""
        if self.directory is None or not self._next(role).exists():
            return False
        successor = load(self._next(role))
        if not self._speaks(successor.key_id, role):
            return False  # not rotated yet, and the old key counts
        self.adopt(role, successor)
        return True

    def renew(self, role: str) -> Signer:
        """Keep a key that has ended aside, under its id, and return a new one in its place."""
        if self.directory is not None and self.path(role).exists():
            path = self.path(role)
            ended = load(path).key_id.hex()[:16]
            self.drop_successor(role)
            self._replace(path, path.with_name(f"{path.name}.revoked-{ended}"))
        self._signers.pop(role, None)
        return self.signer(role)

    def _kept_elsewhere(self, role: str) -> bool:
        return self.directory is not None and role not in self._brought and role in sockets(self.directory)

    def _found(self, directory: Path, role: str) -> Signer:
        if role not in self._brought and (kept := remote(directory, role)) is not None:
            return kept
        self.settle(role)
        path = self.path(role)
        return load(path) if role in (ROOT, LOG) else load_or_create(path)

    def _next(self, role: str) -> Path:
        path = self.path(role)
        return path.with_name(path.name + NEXT)

    def _replace(self, old: Path, new: Path) -> None:
        try:
            with suppress(FileNotFoundError):  # another process was as far, and has done it
                old.replace(new)
            sync_directory(new.parent)
        except OSError as error:
            raise KeyUnavailable(f"the key file {new} could not be put in place: {error}; run this again") from error
