"""A workspace: the boundary of authority, memory and receipts. One ledger, one set of keys, one view.

It opens or founds the ledger, registers keys where the root is at hand, and says in the workspace's own stream what
people and the root have to say. Nothing crosses from one workspace to another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from squads.adapters.keys import InProcessSigner, keys_home
from squads.adapters.system import SystemClock, system_entropy
from squads.anchoring import Anchoring
from squads.contracts.base import SALT_BYTES
from squads.contracts.errors import InvalidInput, KeyUnavailable, LedgerBroken, SubjectErased
from squads.contracts.plan import Statement
from squads.contracts.records import GrantRecord, LiftRecord, PolicyRecord, Record, StopRecord
from squads.kernel.ports import Anchor, BlobStore, Clock, Custody, Entropy, Entry, Ledger, Signer
from squads.kernel.view import View
from squads.keyring import Keyring
from squads.ledger.errors import Malformed
from squads.ledger.keys import RegisteredKey, parse_role
from squads.ledger.trust import Trust
from squads.outside import anchors_in, keep_evidence
from squads.own_stream import OwnStream
from squads.people import NAMES, opaque, remember, remembered
from squads.registering import founding, registration
from squads.stores import LOG, ROOT, StoreUrl, keys_of, log_signer, open_ledger, placed, trust_or_new

RUNNER, PROGRAM, PEOPLE, JOURNAL = "runner", "program", "people", "journal"
OWNER = "owner"
"""Who a squad asks when nobody was named."""


class Workspace(OwnStream):
    """An open workspace. Make one with `Workspace.memory()` or `Workspace.open(store)`."""

    def __init__(
        self,
        ledger: Ledger,
        trust: Trust,
        *,
        keys: Path | None,
        signers: dict[str, Signer],
        clock: Clock,
        entropy: Entropy,
        anchors: Sequence[Anchor] = (),
        configured: Sequence[Anchor] = (),
    ) -> None:
        anchoring = Anchoring(
            ledger,
            (*configured, *anchors),
            log_key=trust.log_key,
            demanded=self._needs_anchors,
            closes=configured,
            evidence=None if keys is None else partial(keep_evidence, keys),
        )
        super().__init__(anchoring.ledger, trust, clock)
        self.anchoring = anchoring
        """How far its checkpoints have come outside."""
        self.entropy = entropy
        self.keyring = Keyring(keys, signers, entropy, self._speaks)
        self._names: set[str] = set()
        self._subjects: dict[str, str] = {}

    @classmethod
    def memory(
        cls, *, clock: Clock | None = None, entropy: Entropy = system_entropy, anchors: Sequence[Anchor] = ()
    ) -> Workspace:
        """Return a workspace in this process's memory with keys that nobody keeps."""
        from squads.adapters.memory_ledger import MemoryLedger

        signers: dict[str, Signer] = {name: InProcessSigner(entropy(32)) for name in (ROOT, LOG)}
        origin = f"memory.invalid/squads/{entropy(16).hex()}/0"
        trust = Trust.of(origin, signers[ROOT].public_key, signers[LOG].public_key)
        ledger = MemoryLedger(origin, signers[LOG])
        return cls(
            ledger, trust, keys=None, signers=signers, clock=clock or SystemClock(), entropy=entropy, anchors=anchors
        )

    @classmethod
    def open(
        cls,
        store: str | Path | StoreUrl,
        *,
        keys: Path | None = None,
        clock: Clock | None = None,
        entropy: Entropy = system_entropy,
        root: Signer | None = None,
        anchors: Sequence[Anchor] = (),
    ) -> Workspace:
        """Return the workspace kept in `store`, founding it when there is none yet.

        A store is a directory with `ledger.db` and `trust.json`, or `postgresql://host/database#schema`. Private keys,
        the checkpoint file and, of a database, `trust.json` stay in a directory of their own below `keys`
        (`keys_home()` when None), outside the work tree. Only the log's key must be there; the root's may be away.
        `root` is that of a workspace that is founded with a root key kept elsewhere. `anchors` are used besides those
        of `squads anchors`, and are not closed with it. Raises `LedgerError`, `KeyUnavailable`, `InvalidInput`.
        """
        place = placed(store)
        trust = trust_or_new(place, keys or keys_home(), entropy, root=root)
        own = keys_of(trust, keys)
        signers = {LOG: log_signer(place, trust, own)} | ({ROOT: root} if root else {})
        configured = anchors_in(own, trust.origin)  # before the ledger is opened: it may raise
        ledger = open_ledger(place, trust, signers[LOG], own)
        return cls(
            ledger,
            trust,
            keys=own,
            signers=signers,
            clock=clock or SystemClock(),
            entropy=entropy,
            anchors=anchors,
            configured=configured,
        )

    @classmethod
    def at(
        cls,
        store: str | Path | StoreUrl | None,
        *,
        keys: Path | None = None,
        clock: Clock | None = None,
        entropy: Entropy = system_entropy,
        anchors: Sequence[Anchor] = (),
    ) -> Workspace:
        """Return the workspace kept in `store`, or with None one in memory."""
        if store is None:
            return cls.memory(clock=clock, entropy=entropy, anchors=anchors)
        return cls.open(store, keys=keys, clock=clock, entropy=entropy, anchors=anchors)

    @property
    def in_memory(self) -> bool:
        """True when nothing of it outlives this process."""
        return self.keyring.directory is None

    @property
    def blobs(self) -> BlobStore:
        """Where content lives."""
        return self.ledger.blobs

    # Keys ---------------------------------------------------------------------------------------------------------

    def signer(self, role: str) -> Signer:
        """Return the signer that this process holds for a role, made or loaded when it is first asked for.

        The root's and the log's are never made. Raises `KeyUnavailable`.
        """
        return self.keyring.signer(role)

    def speaker(self, role: str) -> Signer:
        """Return the signer that may speak as `role` now; raises `KeyUnavailable`, saying why, where there is none.

        A key that was rotated by another process is picked up.
        """
        signer = self.signer(role)
        if self._speaks(signer.key_id, role):
            return signer
        known = self.view.registry.keys.get(signer.key_id)
        if known is not None:
            raise KeyUnavailable(ended(role, known))
        raise KeyUnavailable(f"no key of {role} on this machine is registered; `squads keys add {role}` registers it")

    def root(self) -> Signer:
        """Return the root's signer. Raises `KeyUnavailable` where its key is away, or is no root of this log."""
        signer = self.signer(ROOT)
        if self._view is None and signer.public_key != self.trust.root_public_key:
            raise LedgerBroken("trust.json names another root key than the one at hand; do not use this store")
        if self._view is not None and not self._speaks(signer.key_id, ROOT):
            known = self._view.registry.keys.get(signer.key_id)
            raise KeyUnavailable(
                ended(ROOT, known) if known else "the key at hand is no root of this workspace; bring the one that is"
            )
        return signer

    def holds(self, role: str) -> bool:
        """Say whether this process has the key that may speak as `role` now; none is made."""
        return self.keyring.has(role) and self._speaks(self.signer(role).key_id, role)

    async def found(self, roles: Iterable[str]) -> None:
        """Open the log if it is new, and register this machine's key for every role that has none here.

        Where the root's key is away nothing is registered. Raises `KeyUnavailable` with what to do for a role that then
        has no key here that counts, and for one whose key was revoked: it never speaks again by itself.
        """
        wanted = list(dict.fromkeys([RUNNER, PROGRAM, *roles]))
        for role in wanted:  # before anything is appended: the log would keep what its own rules refuse
            try:
                parse_role(role)
            except Malformed as error:
                raise InvalidInput(str(error)) from error

        def events(index: int) -> list[Entry]:
            entries = [founding(self.trust, self.id, self.root())] if self._view is None else []
            fresh = [role for role in wanted if self._is_unregistered(role)]
            if fresh and not self.keyring.has(ROOT):
                raise KeyUnavailable(
                    f"no key of {', '.join(fresh)} on this machine is registered, and the root key is away; bring it "
                    f"here and run `squads keys add {' '.join(fresh)} --root FILE`"
                )
            for role in fresh:
                key = self.signer(role)
                entries.append(
                    registration(role, key.public_key, key.key_id, key.custody, root=self.root(), index=index)
                )
            return entries

        await self.refresh()
        await self.anchoring.compare()
        await self.append_events(events)

    def _is_unregistered(self, role: str) -> bool:
        """Say whether a role's key is still to be registered. Raises `KeyUnavailable` where that is not for us."""
        if self._view is None:
            return True
        if self.holds(role):
            return False
        keys = self._view.registry.keys
        if self.keyring.has(role) and (known := keys.get(self.signer(role).key_id)):
            raise KeyUnavailable(ended(role, known))
        # A thief of a revoked key must not get a new one because a program with the root opens the workspace.
        of_role = [key for key in keys.values() if role in key.roles]
        if of_role and all(key.revoked for key in of_role):
            raise KeyUnavailable(ended(role, of_role[-1]))
        return True

    def _speaks(self, key: bytes, role: str) -> bool:
        return self._view is not None and role in self._view.roles_of(key.hex())

    def _needs_anchors(self) -> bool:
        policy = None if self._view is None else self._view.policy
        return policy is not None and "anchored" in (policy.end_level, policy.refusal_level)

    def _keys_changed(self, view: View) -> None:
        for role, signer in self.keyring.loaded.items():
            known = view.registry.keys.get(signer.key_id)
            if known is not None and not known.holds_at(view.index):
                self.keyring.forget(role)

    # People -------------------------------------------------------------------------------------------------------

    def person(self, name: str) -> str:
        """Return the opaque id under which leaves speak of a person; see `squads.people`."""
        return opaque(name, self.signer(PEOPLE))

    def introduce(self, names: Iterable[str]) -> None:
        """Remember people's names beside their keys, never in the ledger, so that `names` can tell them."""
        fresh = [name for name in names if name not in self._names]
        if fresh and self.keyring.directory is not None:
            remember(self.keyring.directory / NAMES, fresh)
        self._names.update(fresh)

    def names(self, *others: str) -> dict[str, str]:
        """Return names by opaque id, of people whose keys may answer now: those remembered here, and `others`.

        Nothing is made and nothing is written; a person whose name is not known here is left out.
        """
        if not self.keyring.has(PEOPLE):
            return {}
        kept = () if self.keyring.directory is None else remembered(self.keyring.directory / NAMES)
        people = self.view.people()
        ids = {self.person(name): name for name in (OWNER, *kept, *sorted(self._names), *others)}
        return {person: name for person, name in ids.items() if person in people}

    def spoken(self, role: str) -> str:
        """Return a role as the log calls it: a person by their opaque id, all others as they are."""
        kind, _, name = role.partition(":")
        return f"human:{self.person(name)}" if kind == "human" else role

    def belongs(self, packet: str, name: str | None) -> None:
        """Say whose a packet is that is about to be opened here: its content is kept, and erased, with that name's."""
        if name is not None:
            self._subjects[packet] = self.person(name)

    def subject_of(self, packet: str) -> str | None:
        """Return whose a packet is that was opened here under somebody's name; the ledger knows it of all of them."""
        return self._subjects.get(packet)

    async def keep_words(self, role: str, content: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Store what a person wrote as theirs, and return what is left: everything, for others than people."""
        kind, _, person = role.partition(":")
        if kind != "human":
            return content
        for blob in content:
            # Somebody whose content was erased can still stop and answer: the words are not kept, the receipt is.
            with suppress(SubjectErased):
                await self.blobs.put(blob, subject=person)
        return ()

    # What is said -------------------------------------------------------------------------------------------------

    async def stop(self, reason: str, *, packet: str | None = None, role: str = PROGRAM) -> bool:
        """Stop the workspace or one packet of it; anyone who holds a key may. False when it was stopped already.

        `role` is who stops it: `program`, a role such as `gate:schema`, or a person as `human:NAME`.
        """
        return await self._say(StopRecord, reason, packet, self.spoken(role))

    async def lift(self, reason: str, *, person: str, packet: str | None = None) -> bool:
        """Lift a stop, signed by a person; not by the one who set it where there is another. False: nothing to lift.

        Raises `Denied` when the rules do not let this person lift it.
        """
        return await self._say(LiftRecord, reason, packet, f"human:{self.person(person)}")

    async def grant(self, subject: str, scope: str, *, expires_ms: int | None = None, revoked: bool = False) -> None:
        """Grant a scope to a role such as `gate:schema`, or to a person as `human:NAME`, signed by the root."""
        subject = self.spoken(subject)
        record = GrantRecord(workspace=self.id, subject=subject, scope=scope, expires_ms=expires_ms, revoked=revoked)
        await self.append(record, self.root())

    async def declare(self, record: Record, role: str) -> None:
        """Append a receipt to the workspace's own stream, signed as `role`, whose key is here. Raises `Denied`."""
        await self.append(record, self.signer(role))

    async def set_policy(
        self,
        *,
        gate_custody: Custody | None = None,
        end_level: Literal["checkpointed", "anchored"] | None = None,
        refusal_level: Literal["checkpointed", "anchored"] | None = None,
        catch_ppm_min: int | None = None,
        false_refusals_ppm_max: int | None = None,
    ) -> PolicyRecord:
        """Say what this workspace demands from now on, signed by the root, and return all that is in force then.

        What is left out stays as it is. Saying nothing new appends nothing. Raises `KeyUnavailable` without the root.
        """
        said = {
            "gate_custody": gate_custody,
            "end_level": end_level,
            "refusal_level": refusal_level,
            "catch_ppm_min": catch_ppm_min,
            "false_refusals_ppm_max": false_refusals_ppm_max,
        }

        def changed() -> PolicyRecord | None:
            policy = self.policy.but(**{name: value for name, value in said.items() if value is not None})
            return None if policy == self.policy else policy

        await self.append(changed, self.root())
        return self.policy

    @property
    def policy(self) -> PolicyRecord:
        """What is demanded here now; what demands nothing until the root has said anything."""
        return self.view.policy or PolicyRecord(workspace=self.id)

    async def _say(self, kind: type[StopRecord] | type[LiftRecord], reason: str, packet: str | None, role: str) -> bool:
        digest, blob = Statement(text=reason).seal(self.entropy(SALT_BYTES))
        record = kind(workspace=self.id, packet=packet, author=role.split(":", 1)[-1], content=digest)
        return await self.append(record, self.signer(role), *await self.keep_words(role, (blob,)))

    async def close(self) -> None:
        """Finish what was accepted, let its last checkpoint out, and let go of the ledger."""
        await self.anchoring.close()
        await self.ledger.close()


def ended(role: str, key: RegisteredKey) -> str:
    """Return the sentence for a key that is known and may not speak as `role` now."""
    if role not in key.roles:
        return f"the key for {role} on this machine is registered as {', '.join(sorted(key.roles))}; it speaks for that"
    if key.revoked:
        again = "bring another root key" if role == ROOT else f"run `squads keys add {role}` if it shall speak again"
        return f"the key of {role} was revoked ({key.revoked}) at receipt {key.ended_by}; {again}"
    if key.successor is not None:
        return (
            f"the key of {role} was rotated at receipt {key.ended_by}, and the new one is not on this machine; act "
            f"where it is, or run `squads keys add {role}` for a key of this machine's own"
        )
    return f"the key of {role} speaks from receipt {key.from_index} on, and the log is not as far"
