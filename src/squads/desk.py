"""What a person does at a workspace, without its roles: look, answer, stop, lift, and make somebody known.

The roles of a packet may belong to a program that is not running. None of this needs them: looking folds the ledger
again, and after the last answer of a packet nothing but its end follows. A desk never opens a packet, never asks a
role, and never speaks for a person whose key is not at hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from squads.adapters.local_bus import LocalBus
from squads.contracts.base import SALT_BYTES
from squads.contracts.errors import BlobError, Denied, InvalidInput, KeyUnavailable, LedgerBroken
from squads.contracts.messages import address_of
from squads.contracts.outcome import Outcome
from squads.contracts.plan import Statement
from squads.contracts.reasons import EXPLAINED
from squads.contracts.records import AnswerRecord, Channel
from squads.kernel.ports import Clock
from squads.kernel.receipts import receipt_of
from squads.lane import Lane
from squads.outcomes import outcome_of
from squads.overview import Person
from squads.resolve import NAME
from squads.runner import Runner
from squads.stores import LOG, ROOT, StoreUrl, check_there, keys_of, placed, trust_in
from squads.survey import HEX, PREFIX_CHARS_MIN, Survey
from squads.workspace import OWNER, PROGRAM, Workspace

_WHY = {
    "already answered": "{who} has already answered; nobody counts twice",
    "not asked": "{who} was not asked; asked: {asked}",
    "not answered by a person": (
        "not answered by a person: this packet demands one, at a terminal or on a page, "
        "and what a program or a flag says does not count"
    ),
    "own work": "own work: {who} made something of what would compose, and nobody approves their own work",
    "too late": "too late: the question has expired, and the next resume records the refusal",
    "packet expired": "too late: the packet's own time is over, and the next resume records that it expired",
    "stopped": "the packet is stopped; a person lifts the stop first",
}
"""Why an answer does not count, by what the kernel says."""


class Desk(Survey):
    """A place at one opened workspace. Make one with `async with Desk.open(store) as desk`."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        store: str | Path | StoreUrl,
        *,
        keys: Path | None = None,
        clock: Clock | None = None,
        root: Path | None = None,
    ) -> AsyncIterator[Desk]:
        """Open the workspace kept in `store`, which is never founded here.

        `root` is the file of the root's key, where that is not among the others.
        Raises `StorageUnavailable` where there is none, and `KeyUnavailable` where its keys are not on this machine.
        """
        place = placed(store)
        own = keys_of(trust_in(place, keys), keys)
        check_there(place)
        # Looked for before anything is opened: opening would make new keys, which this ledger knows nothing of.
        # The root's may be away: only what speaks of keys needs it.
        if not (own / f"{LOG}.key").exists():
            raise KeyUnavailable(
                f"the keys of the workspace in {place} are not in {own} ({LOG}.key is missing); "
                "set SQUADS_HOME to the directory that holds them"
            )
        workspace = Workspace.open(place, keys=keys, clock=clock)
        try:
            if root is not None:
                workspace.keyring.bring(ROOT, root)
            yield cls(workspace)
        finally:
            await workspace.close()

    # Acting -----------------------------------------------------------------------------------------------------------

    async def answer(
        self,
        packet: str,
        *,
        person: str = OWNER,
        approve: bool,
        reason: str = "",
        channel: Channel = "program",
        digest: str | None = None,
    ) -> Outcome:
        """Answer a packet's open question as `person`, and return how the packet stands then.

        With `digest`, or a beginning of it, the answer is about exactly that composition or about nothing. An answer
        that does not count raises `InvalidInput` with why.
        """
        author = await self._person(person)
        statement = Statement(text=reason).seal(self.workspace.entropy(SALT_BYTES)) if reason else None
        state, question = await self._asking(packet)
        if digest is not None:
            _check_digest(digest, question.composition)
        names = self.workspace.names(person)
        # No role is hosted here. While people are asked nothing is out for one, and what follows an answer is the
        # packet's end; should the rules ever want a role, its message waits on this bus for nobody, and the next
        # resume sends it again. `resume` also records an expiry that nobody has recorded yet.
        bus = LocalBus()
        for name, frozen in state.roles.items():
            bus.declare(address_of(name, frozen.digest))
        runner = Runner(self.workspace, bus, reader=self._reader)
        try:
            lane = await runner.resume(state.opened.packet)
            record = AnswerRecord(
                workspace=self.workspace.id,
                packet=lane.packet,
                question=question.question,
                subject=question.composition,
                author=author,
                decision="approved" if approve else "denied",
                channel=channel,
                content=statement[0] if statement else None,
            )
            ignored = await runner.say(lane, record, f"human:{author}", (statement[1],) if statement else ())
            if ignored:
                _check_open(lane)
                why = _WHY.get(ignored.reason, ignored.reason)
                said = why.format(who=person, asked=", ".join(question.asked))
                raise InvalidInput(f"the answer does not count: {said}")
            try:
                outcome = await outcome_of(lane, self.workspace, self._reader, names, runner.ignored)
            except BlobError as error:
                raise type(error)(f"the answer is recorded, and what it was about cannot be read: {error}") from error
        finally:
            await runner.close()
        if outcome is None:
            raise LedgerBroken(f"packet {state.opened.packet} moved on in a way that an answer cannot cause")
        return outcome

    async def stop(self, reason: str, *, packet: str | None = None, person: str | None = None) -> bool:
        """Stop the workspace or one packet; False when it was stopped already. Anyone may.

        Without `person` it is signed by the owner where their key is at hand, else as this program.
        """
        with suppress(KeyUnavailable):  # a runner whose key was revoked keeps nobody from stopping
            await self.workspace.found(())
        found = None if packet is None else await self._unended(packet)
        if person is not None:
            await self._person(person)
            role = f"human:{person}"
        else:
            role = PROGRAM
            with suppress(KeyUnavailable):  # a key that cannot be read keeps nobody from stopping
                owner = self._ids().get(OWNER)
                if owner and self.workspace.holds(f"human:{owner}"):
                    role = f"human:{OWNER}"
        return await self.workspace.stop(reason, packet=found, role=role)

    async def lift(self, reason: str, *, person: str = OWNER, packet: str | None = None) -> bool:
        """Lift a stop as `person`; False where nothing was stopped. Raises `Denied` with who may instead."""
        author = await self._person(person)
        found = None if packet is None else await self.packet(packet)
        try:
            return await self.workspace.lift(reason, person=person, packet=found)
        except Denied as error:
            others = [p.shown for p in await self.people() if p.id != author]
            raise Denied(f"{error}; others with a key here: {', '.join(others) or 'nobody'}") from error

    async def add_person(self, name: str) -> Person:
        """Make a key for a person and register it with the root's signature; who has one already keeps it.

        Raises `InvalidInput` for a name that is none.
        """
        if not NAME.fullmatch(name):
            raise InvalidInput(
                f"{name!r:.80} is no name for a person's key; use lower-case letters, digits, '.', '_' and '-', "
                "starting with a letter"
            )
        await self.workspace.found(())
        person = self.workspace.person(name)
        if person not in self.workspace.view.people():
            await self.workspace.found([f"human:{person}"])
        self.workspace.introduce([name])
        return Person(id=person, name=name, here=self.workspace.holds(f"human:{person}"))

    # The rest is how the ledger is asked. -----------------------------------------------------------------------------

    async def _person(self, name: str) -> str:
        """Return the id of a person whose key is at hand. Raises `InvalidInput`, `KeyUnavailable`."""
        if await self.workspace.refresh() is None:
            await self.workspace.found(())
        ids = self._ids(name)
        if name not in ids:
            known = ", ".join(p.shown for p in await self.people())
            raise InvalidInput(
                f"{name!r:.80} has no key in this workspace; known here: {known or 'nobody'}. "
                "`squads people --add NAME` makes one"
            )
        if not self.workspace.holds(f"human:{ids[name]}"):
            raise KeyUnavailable(
                f"the key of {name} is not on this machine; act where it is, or restore human-{ids[name]}.key"
            )
        return ids[name]

    def _ids(self, *others: str) -> dict[str, str]:
        return {name: person for person, name in self.workspace.names(*others).items()}

    async def _unended(self, beginning: str) -> str:
        """Return a packet's id by its beginning. Raises `InvalidInput` for one that has ended."""
        packet = await self.packet(beginning)
        stored = (await self.workspace.ledger.read(packet))[-1]
        if receipt_of(stored.seq, stored.payload_type, stored.payload, (), stored.time_ms).kind == "finish":
            raise InvalidInput(f"packet {packet} has ended; there is nothing left to stop")
        return packet


def _check_open(lane: Lane) -> None:
    if lane.state is not None and lane.state.finish is not None:
        reason = lane.state.finish.reason
        raise InvalidInput(
            f"the answer does not count: packet {lane.packet} has ended meanwhile ({reason}: {EXPLAINED[reason]})"
        )


def _check_digest(given: str, composition: str) -> None:
    if len(given) < PREFIX_CHARS_MIN or not HEX.fullmatch(given):
        raise InvalidInput(f"{given!r:.80} is no beginning of a digest; give at least {PREFIX_CHARS_MIN} hex digits")
    if not composition.startswith(given):
        raise InvalidInput(
            f"the question is about composition {composition}, not {given}; look at it again before you answer"
        )
