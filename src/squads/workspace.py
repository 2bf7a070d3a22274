"""A workspace: the boundary of authority, memory and receipts. One ledger, one set of keys, one view.

It opens or founds the ledger, registers keys with the root's signature, and keeps the fold of the workspace's own
stream current. Nothing crosses from one workspace to another.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from squads.adapters.keys import InProcessSigner, keys_home, load_or_create
from squads.adapters.system import SystemClock, system_entropy
from squads.contracts.base import SALT_BYTES
from squads.contracts.errors import Conflict, Denied, InvalidInput, LedgerBroken, StorageUnavailable
from squads.contracts.plan import Statement
from squads.contracts.records import GrantRecord, LiftRecord, Record, StopRecord
from squads.kernel import view as views
from squads.kernel.effects import Ignore
from squads.kernel.ports import WORKSPACE, BlobStore, Clock, Entropy, Entry, Ledger, Signer, Stored
from squads.kernel.receipts import Receipt, payload_of, receipt_of, record_in
from squads.kernel.view import View
from squads.ledger.errors import Malformed
from squads.ledger.keys import LOG_FORMAT, parse_role, verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae, statement_bytes
from squads.ledger.trust import Trust
from squads.people import NAMES, opaque, remember, remembered

ROOT, LOG, RUNNER, PROGRAM, PEOPLE, JOURNAL = "root", "log", "runner", "program", "people", "journal"
OWNER = "owner"
"""Who a squad asks when nobody was named."""
FRESH_SECONDS = 0.1
"""How old the view may be when a role begins to work."""
CHECKPOINTS = "checkpoints"
"""The checkpoint file's name, beside the keys: restoring the database does not restore it."""


class Workspace:
    """An open workspace. Make one with `Workspace.memory()` or `Workspace.open(directory)`."""

    def __init__(
        self,
        ledger: Ledger,
        trust: Trust,
        *,
        keys: Path | None,
        signers: dict[str, Signer],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.ledger = ledger
        self.trust = trust
        self.clock = clock
        self.entropy = entropy
        self.id = trust.origin.split("/")[2]
        self._keys = keys
        self._signers = signers
        self._view: View | None = None
        self._time_floor = 0
        self._confirmed = 0.0
        self._names: set[str] = set()

    @classmethod
    def memory(cls, *, clock: Clock | None = None, entropy: Entropy = system_entropy) -> Workspace:
        """Return a workspace in this process's memory with keys that nobody keeps."""
        from squads.adapters.memory_ledger import MemoryLedger

        signers: dict[str, Signer] = {name: InProcessSigner(entropy(32)) for name in (ROOT, LOG)}
        origin = f"memory.invalid/squads/{entropy(16).hex()}/0"
        trust = Trust.of(origin, signers[ROOT].public_key, signers[LOG].public_key)
        ledger = MemoryLedger(origin, signers[LOG])
        return cls(ledger, trust, keys=None, signers=signers, clock=clock or SystemClock(), entropy=entropy)

    @classmethod
    def open(
        cls,
        directory: str | Path,
        *,
        keys: Path | None = None,
        clock: Clock | None = None,
        entropy: Entropy = system_entropy,
    ) -> Workspace:
        """Return the workspace kept in `directory`, founding it when there is none yet.

        The directory holds `ledger.db` and `trust.json`. Private keys and the checkpoint file stay in a directory of
        their own below `keys` (`keys_home()` when None), outside the work tree. Raises `LedgerError`, `KeyUnavailable`.
        """
        from squads.adapters.sqlite_ledger import SqliteLedger

        directory = Path(directory)
        trust = _trust_in(directory, keys or keys_home(), entropy)
        own = keys_of(trust, keys)
        signers: dict[str, Signer] = {name: load_or_create(own / f"{name}.key") for name in (ROOT, LOG)}
        _check_trust(directory, trust, signers)
        ledger = SqliteLedger.open(directory / "ledger.db", trust.origin, signers[LOG], outside=own / CHECKPOINTS)
        return cls(ledger, trust, keys=own, signers=signers, clock=clock or SystemClock(), entropy=entropy)

    @property
    def in_memory(self) -> bool:
        """True when nothing of it outlives this process."""
        return self._keys is None

    @property
    def blobs(self) -> BlobStore:
        """Where content lives."""
        return self.ledger.blobs

    @property
    def view(self) -> View:
        """What is true of the workspace as far as it was read. `refresh` reads on."""
        if self._view is None:
            raise LedgerBroken("the workspace was not opened; await workspace.found(...) first")
        return self._view

    def now_ms(self) -> int:
        """Return the time for the next leaf: the clock's, never before the newest leaf that was seen."""
        self._time_floor = max(self._time_floor, self.clock.now_ms())
        return self._time_floor

    def saw_time(self, time_ms: int) -> None:
        """Remember that the ledger holds a leaf of this time."""
        self._time_floor = max(self._time_floor, time_ms)

    def signer(self, role: str) -> Signer:
        """Return the signer that this process holds for a role, made or loaded when it is first asked for."""
        if role not in self._signers:
            self._signers[role] = (
                InProcessSigner(self.entropy(32)) if self._keys is None else load_or_create(self._key_file(role))
            )
        return self._signers[role]

    def person(self, name: str) -> str:
        """Return the opaque id under which leaves speak of a person; see `squads.people`."""
        return opaque(name, self.signer(PEOPLE))

    def introduce(self, names: Iterable[str]) -> None:
        """Remember people's names beside their keys, never in the ledger, so that `names` can tell them."""
        fresh = [name for name in names if name not in self._names]
        if fresh and self._keys is not None:
            remember(self._keys / NAMES, fresh)
        self._names.update(fresh)

    def names(self, *others: str) -> dict[str, str]:
        """Return names by opaque id, of people whose keys may answer now: those remembered here, and `others`.

        Nothing is made and nothing is written; a person whose name is not known here is left out.
        """
        if not self._has(PEOPLE):
            return {}
        kept = () if self._keys is None else remembered(self._keys / NAMES)
        people = self.view.people()
        ids = {self.person(name): name for name in (OWNER, *kept, *sorted(self._names), *others)}
        return {person: name for person, name in ids.items() if person in people}

    def holds(self, role: str) -> bool:
        """Say whether this process has the key that may speak as `role` now; none is made."""
        return self._has(role) and role in self.view.roles_of(self.signer(role).key_id.hex())

    def _has(self, role: str) -> bool:
        return role in self._signers or (self._keys is not None and self._key_file(role).exists())

    def _key_file(self, role: str) -> Path:
        assert self._keys is not None
        return self._keys / f"{role.replace(':', '-')}.key"

    async def found(self, roles: Iterable[str]) -> None:
        """Open the log if it is new, and register this process's key for every role that has none."""
        wanted = [RUNNER, PROGRAM, *roles]
        for role in wanted:  # before anything is appended: the log would keep what its own rules refuse
            try:
                parse_role(role)
            except Malformed as error:
                raise InvalidInput(str(error)) from error
        await self.refresh()
        while True:
            entries = self._founding() if self._view is None else []
            index = len(entries) if self._view is None else (await self.ledger.head()).size
            for role in wanted:
                signer = self.signer(role)
                if self._view is not None and role in self._view.roles_of(signer.key_id.hex()):
                    continue
                entries.append(self._registration(role, signer, index=index))
            if not entries:
                return
            try:
                length = self._view.length if self._view else 0
                await self.ledger.append(entries, expect={WORKSPACE: length}, time_ms=self.now_ms())
            except Conflict:
                self.saw_time((await self.ledger.head()).time_ms)
            await self.refresh()
            if self._view is not None and all(
                role in self._view.roles_of(self.signer(role).key_id.hex()) for role in wanted
            ):
                return

    async def confirm(self) -> None:
        """Make sure that the view was true within the last `FRESH_SECONDS`: stops of other processes are seen.

        Raises `LedgerError` when it cannot be read; whoever asks must take that for stopped.
        """
        if time.monotonic() - self._confirmed >= FRESH_SECONDS:
            await self.refresh()

    def confirmed(self) -> None:
        """Say that the ledger has just agreed to the view: an append that compares with it went through."""
        self._confirmed = time.monotonic()

    async def refresh(self) -> View | None:
        """Fold what was added to the workspace's stream; every signature is checked. None while the log is empty."""
        start = self._view.length if self._view else 0
        found = await self.ledger.read(WORKSPACE, start=start)
        for place, stored in enumerate(found, start):
            # Others may have read on while we waited: every receipt is folded once.
            if place == (self._view.length if self._view else 0):
                self._fold(read_verified(stored, self._view))
                self.saw_time(stored.time_ms)
        self.confirmed()
        return self._view

    async def stop(self, reason: str, *, packet: str | None = None, role: str = PROGRAM) -> bool:
        """Stop the workspace or one packet of it; anyone who holds a key may. False when it was stopped already.

        `role` is who stops it: `program`, a role such as `gate:schema`, or a person as `human:NAME`.
        """
        kind, _, name = role.partition(":")
        if kind == "human":
            role = f"human:{self.person(name)}"
        return await self._say(StopRecord, reason, packet, role)

    async def lift(self, reason: str, *, person: str, packet: str | None = None) -> bool:
        """Lift a stop, signed by a person; not by the one who set it where there is another. False: nothing to lift.

        Raises `Denied` when the rules do not let this person lift it.
        """
        return await self._say(LiftRecord, reason, packet, f"human:{self.person(person)}")

    async def grant(self, subject: str, scope: str, *, expires_ms: int | None = None, revoked: bool = False) -> None:
        """Grant a scope to a role such as `gate:schema`, or to a person as `human:NAME`, signed by the root."""
        kind, _, name = subject.partition(":")
        if kind == "human":
            subject = f"human:{self.person(name)}"
        record = GrantRecord(workspace=self.id, subject=subject, scope=scope, expires_ms=expires_ms, revoked=revoked)
        await self._append(record, self.signer(ROOT))

    async def close(self) -> None:
        """Finish what was accepted and let go of the ledger."""
        await self.ledger.close()

    # The rest is how receipts of the workspace's own stream are made.

    async def _say(self, kind: type[StopRecord] | type[LiftRecord], reason: str, packet: str | None, role: str) -> bool:
        digest, blob = Statement(text=reason).seal(self.entropy(SALT_BYTES))
        record = kind(workspace=self.id, packet=packet, author=role.split(":", 1)[-1], content=digest)
        return await self._append(record, self.signer(role), blob)

    async def _append(self, record: Record, signer: Signer, *content: bytes) -> bool:
        entry = signed_entry(WORKSPACE, payload_of(record), signer)
        while True:
            await self.refresh()
            now = self.now_ms()
            after = views.admit(self.view, record, key=signer.key_id.hex(), time_ms=now)
            if isinstance(after, Ignore):
                if after.reason in ("already stopped", "nothing to lift"):
                    return False
                raise Denied(f"this {record.kind} has no effect: {after.reason}")
            try:
                await self.ledger.append([entry], expect={WORKSPACE: self.view.length}, time_ms=now, content=content)
            except Conflict:
                self.saw_time((await self.ledger.head()).time_ms)
                continue
            await self.refresh()
            return True

    def _fold(self, receipt: Receipt) -> None:
        try:
            if receipt.kind == "log-open":
                self._check_founder(receipt)
                self._view = views.opened(receipt.predicate, receipt.keys)
                return
            if receipt.kind == "key-event":
                self._view = views.keyed(self.view, receipt.predicate, index=receipt.seq, signers=receipt.keys)
                return
        except Malformed as error:
            raise LedgerBroken(f"receipt {receipt.seq} is no valid {receipt.kind}: {error}") from error
        record = record_in(receipt)
        after = views.admit(self.view, record, key=receipt.keys[0].hex(), time_ms=receipt.time_ms, index=receipt.seq)
        if isinstance(after, Ignore):
            raise LedgerBroken(f"receipt {receipt.seq}: the rules ignore this {receipt.kind} ({after.reason})")
        self._view = after

    def _check_founder(self, receipt: Receipt) -> None:
        if self.trust.root_public_key.hex() not in receipt.predicate.get("root_public_keys", ()):
            raise LedgerBroken("this ledger was opened by another root than trust.json names; do not use it")

    def _founding(self) -> list[Entry]:
        root = self.signer(ROOT)
        predicate = {
            "format": LOG_FORMAT,
            "origin": self.trust.origin,
            "workspace": self.id,
            "root_public_keys": [root.public_key.hex()],
            "log_public_key": self.signer(LOG).public_key.hex(),
        }
        subject = ("root", root.key_id.hex())
        return [signed_entry(WORKSPACE, statement_bytes("log-open", (subject,), predicate), root)]

    def _registration(self, role: str, signer: Signer, *, index: int) -> Entry:
        predicate = {
            "event": "register",
            "key": signer.key_id.hex(),
            "public_key": signer.public_key.hex(),
            "alg": "ed25519",
            "subject": role,
            "roles": [role],
            "custody": signer.custody,
            "not_before_index": index,
        }
        subject = ("key", signer.key_id.hex())
        return signed_entry(WORKSPACE, statement_bytes("key-event", (subject,), predicate), self.signer(ROOT))


def signed_entry(stream: str, payload: bytes, signer: Signer) -> Entry:
    """Return a payload with its signature, ready to append."""
    signature = signer.sign(pae(PAYLOAD_TYPE, payload))
    return Entry(stream=stream, payload_type=PAYLOAD_TYPE, payload=payload, signatures=((signer.key_id, signature),))


def read_verified(stored: Stored, view: View | None) -> Receipt:
    """Return what a stored receipt says, its signatures checked against the keys in force there.

    Raises `LedgerBroken`. Entry 0 brings its own keys and is checked against them; whose keys they are is for
    `trust.json` to say.
    """
    keys = tuple(key for key, _ in stored.signatures)
    receipt = receipt_of(stored.seq, stored.payload_type, stored.payload, keys, stored.time_ms)
    try:
        registry = view.registry if view else views.opened(receipt.predicate, keys).registry
    except Malformed as error:
        raise LedgerBroken(f"the ledger does not begin with a log-open receipt: {error}") from error
    message = pae(stored.payload_type, stored.payload)
    for key, signature in stored.signatures:
        public = registry.public_key(key)
        if public is None or not verify_signature(public, signature, message):
            raise LedgerBroken(f"receipt {stored.seq}: the signature of key {key.hex()[:16]} does not verify")
    return receipt


def keys_of(trust: Trust, keys: Path | None = None) -> Path:
    """Return the directory that holds a workspace's private keys and its checkpoint file."""
    return (keys or keys_home()) / trust.origin.split("/")[2]


def _trust_in(directory: Path, keys: Path, entropy: Entropy) -> Trust:
    """Return what `trust.json` says; a new workspace gets keys, and a `trust.json` that names them."""
    path = directory / "trust.json"
    if not path.exists():
        if (directory / "ledger.db").exists():
            raise LedgerBroken(f"{directory} has a ledger and no trust.json; restore trust.json from a backup")
        identity = entropy(16).hex()
        root, log = (load_or_create(keys / identity / f"{name}.key") for name in (ROOT, LOG))
        trust = Trust.of(f"local.invalid/squads/{identity}/0", root.public_key, log.public_key)
        # Nothing of the store is meant for version control, and a store must not show up as a change to be gated.
        _write_once(directory / ".gitignore", b"*\n")
        _write_once(path, trust.to_json())
    try:
        return Trust.from_json(path.read_bytes())
    except (OSError, Malformed) as error:
        raise LedgerBroken(f"{path} cannot be read: {error}; restore it from a backup") from error


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that appears whole, unless there is one already: the first who writes it wins."""
    aside = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            aside.write_bytes(content)
            with suppress(FileExistsError):
                os.link(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise StorageUnavailable(
            f"cannot write {path}: {error.strerror}; make room, or choose another directory with --store"
        ) from error


def _check_trust(directory: Path, trust: Trust, signers: dict[str, Signer]) -> None:
    """The keys at hand must be the ones that trust.json names: nothing is ever signed with others."""
    if trust != Trust.of(trust.origin, signers[ROOT].public_key, signers[LOG].public_key):
        raise LedgerBroken(
            f"{directory / 'trust.json'} names other keys than {keys_home()} holds; "
            "set SQUADS_HOME to the directory that holds this workspace's keys"
        )
