"""From a bus's address to what a process needs besides: seals, shared content, journals, hints and the roster.

Within one process none of this is needed: `LocalBus` carries everything, and everybody reads the workspace's own store.
A runner's process has the ledger and publishes the roster; a host has only what it is given here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from squads.adapters.keys import load
from squads.adapters.sealed_journal import MacSeal, Seal, SealedJournal, SignatureSeal
from squads.adapters.system import SystemClock
from squads.contracts.errors import BusError, Denied, InvalidInput, KeyUnavailable
from squads.contracts.records import RoleRecord
from squads.contracts.roster import LookAgain
from squads.contracts.thinking import Progress
from squads.enrolment import WORKER_KEY, worker_signers
from squads.handover import Reader
from squads.host import GRACE_SECONDS, Host, HostParts, shared_signers
from squads.kernel.model_ports import Journal, Model, Sandbox
from squads.kernel.ports import Signer
from squads.ledger.trust import Trust
from squads.offering import Offering
from squads.resolve import record_of_role
from squads.roster import RosterBook, RosterPublisher, workspace_in
from squads.stores import keys_of
from squads.thinking import thinking_with
from squads.workspace import JOURNAL, RUNNER, Workspace

if TYPE_CHECKING:
    from squads.adapters.redis_bus.bus import RedisBus
    from squads.adapters.redis_bus.hints import Hints
    from squads.adapters.redis_bus.seals import KnownKey, Seals

Signing = Literal["shared", "own"]
BUS_KEY: Final = "bus"
"""The workspace's key from which the one of its trust domain is derived."""
DEAD_AFTER_SECONDS: Final = 15.0


@dataclass(frozen=True, kw_only=True)
class BusSettings:
    """How a squad speaks over a server.

    Raises `InvalidInput` for an address that cannot be read; nothing is connected before a squad runs.
    """

    url: str = field(repr=False)
    """`redis://`, `rediss://`, `unix://`, `redis+sentinel://` or `redis+cluster://`; the password is better kept in
    `SQUADS_BUS_PASSWORD_FILE`."""
    signing: Signing = "shared"
    """`shared`: everybody here holds the workspace's keys. `own`: every role signs with its own; workers need no other
    key, and are enrolled."""
    deliveries_max: int = 3
    """After this many deliveries that failed a message is a dead letter."""
    backlog_max: int = 10_000
    """How many messages may wait for one role, or for the runner, before senders wait."""
    dead_after_seconds: float = DEAD_AFTER_SECONDS
    """After this long without a heartbeat a process is suspected, and after as long again taken for dead."""

    def __post_init__(self) -> None:
        from squads.adapters.redis_bus.address import BusAddress

        if self.signing not in ("shared", "own"):
            raise InvalidInput(f"messages are signed with `shared` or `own` keys, not {self.signing!r:.40}")
        if self.deliveries_max < 1 or self.backlog_max < 1 or self.dead_after_seconds <= 0:
            raise InvalidInput("`deliveries_max`, `backlog_max` and `dead_after_seconds` are all more than nothing")
        BusAddress.parse(self.url)


def bus_settings(given: str | BusSettings | None) -> BusSettings | None:
    """Return what a squad was given as `bus=`: an address alone stands for the settings by default."""
    return BusSettings(url=given) if isinstance(given, str) else given


class RunnerBus:
    """The bus of a runner's process, with everything that hosts of roles elsewhere read.

    Args:
        records: The roles of the squad, by name; those that this process hosts sign with the workspace's keys for them.
        reader: Reads what this workspace has, to offer it.
    """

    def __init__(
        self, settings: BusSettings, workspace: Workspace, records: Mapping[str, RoleRecord], reader: Reader
    ) -> None:
        from squads.adapters.redis_bus.address import BusAddress
        from squads.adapters.redis_bus.blobs import KEEP_SECONDS, RedisBlobs
        from squads.adapters.redis_bus.hints import Hints
        from squads.adapters.redis_bus.link import Link
        from squads.adapters.redis_bus.roster_key import RedisRosterPlace

        self._workspace = workspace
        self._records = records
        self._signing = settings.signing
        if settings.signing == "shared":
            workspace.signer(JOURNAL)  # workers only load keys, so they must be there before any starts
        self._link = link = Link.open(BusAddress.parse(settings.url))
        blobs = RedisBlobs(link, workspace.id, keep_seconds=KEEP_SECONDS)
        self.bus: RedisBus = _bus(settings, link, workspace.id, self._seals(), blobs)
        self.bus.border.look_up = workspace.refresh  # a key may have been registered by another process
        self.offering = Offering(reader, blobs)
        self.hints: Hints = Hints(link, workspace.id)
        self._listening: asyncio.Task[None] | None = None
        self.publisher = RosterPublisher(
            workspace, RedisRosterPlace(link, workspace.id), changed=self._look_again, signing=settings.signing
        )

    def journal(self, role: str) -> Journal:
        """Return the journal of a role, shared with every worker that serves it."""
        from squads.adapters.redis_bus.blobs import KEEP_SECONDS
        from squads.adapters.redis_bus.journal import RedisJournal

        kept = RedisJournal(self._link, self._workspace.id, role, keep_seconds=KEEP_SECONDS)
        return SealedJournal(kept, self._seal(role))

    async def start(self, *, lost: Callable[[], Awaitable[None]], watch: Callable[[Progress], object]) -> None:
        """Meet the server, refuse one that would lose work unseen, and publish the roster.

        `lost` is awaited when the server has lost something; `watch` is told what roles elsewhere are at. Raises
        `BusUnavailable` or `BusUnfit`, each saying what to do.
        """
        from squads.adapters.redis_bus.doctor import check_server

        await check_server(self._link, disposable=True)  # the ledger sends again whatever such a server forgets

        async def send_again() -> None:
            self.offering.forget()
            await lost()

        def heard(hint: Progress | LookAgain) -> None:
            if isinstance(hint, Progress):
                watch(hint)

        self.bus.on_loss = send_again
        # Before anything is sent: what workers cannot believe yet, they would take for forged.
        await self.publisher.start()
        self._listening = asyncio.create_task(self.hints.listen(heard))

    async def close(self, *, forget: bool) -> None:
        """Publish no more and let go of the server; with `forget` nothing of the workspace is left on it."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self.publisher.close()
        if forget:
            with suppress(BusError):  # a server that is gone by now has nothing to forget
                await self.bus.forget()
        await self.bus.close()

    async def _look_again(self) -> None:
        await self.hints.publish(LookAgain())

    def _seals(self) -> Seals:
        from squads.adapters.redis_bus.seals import OwnSeals, SharedSeals, shared_key

        if self._signing == "shared":
            return SharedSeals(shared_key(self._workspace.signer(BUS_KEY)))
        return OwnSeals(self._signer_of, self._key_of)

    def _signer_of(self, sender: str) -> Signer:
        if sender == RUNNER:
            return self._workspace.signer(RUNNER)
        return self._workspace.signer(f"{self._records[sender].kind}:{sender}")

    def _key_of(self, key_id: bytes) -> KnownKey | None:
        view = self._workspace.view
        public = view.registry.public_key(key_id)
        roles = view.roles_of(key_id.hex())
        return (public, roles) if public is not None and roles else None  # a key that was revoked is nobody's

    def _seal(self, role: str) -> Seal:
        if self._signing == "shared":
            return MacSeal(lambda: self._workspace.signer(JOURNAL))
        return SignatureSeal(f"{self._records[role].kind}:{role}", self._signer_of(role), self._key_of)


@asynccontextmanager
async def worker_parts(
    bus: str | BusSettings,
    *,
    trust: Trust,
    roles: Mapping[str, str],
    signers: Mapping[str, Signer],
    book: RosterBook,
    keys: Path | None = None,
) -> AsyncIterator[HostParts]:
    """Yield what a host needs to serve roles over a server, and let go of it at the end.

    Args:
        bus: The server's address, or settings with it.
        trust: What `trust.json` beside the ledger says.
        roles: What each role is called in the log, such as `gate:schema`, by name.
        signers: Each role's signer, by name.
        book: Says which keys are believed; it is filled from the roster on the server.
        keys: Where the workspace's keys are, for `shared`; None is where they are by default.

    Raises `BusUnavailable`, `BusUnfit`, or `KeyUnavailable` where `shared` needs keys that are not here.
    """
    from squads.adapters.redis_bus.address import BusAddress
    from squads.adapters.redis_bus.blobs import KEEP_SECONDS, RedisBlobs
    from squads.adapters.redis_bus.doctor import check_server
    from squads.adapters.redis_bus.hints import Hints
    from squads.adapters.redis_bus.journal import RedisJournal
    from squads.adapters.redis_bus.link import Link
    from squads.adapters.redis_bus.roster_key import RedisRosterPlace
    from squads.adapters.redis_bus.seals import OwnSeals, SharedSeals, shared_key

    settings = BusSettings(url=bus) if isinstance(bus, str) else bus
    workspace, home = workspace_in(trust), keys_of(trust, keys)
    seals: Seals
    seal_of: Callable[[str], Seal]
    if settings.signing == "shared":
        shared = home / f"{BUS_KEY}.key"
        if not shared.exists():
            # Nor is it made here: with another one than the runner's all that this worker says would be forged.
            raise KeyUnavailable(
                f"there is no {shared}: no runner has spoken over a bus here; start one first, `squads serve --bus`, "
                "or give this worker keys of its own (--signing own)"
            )
        seals = SharedSeals(shared_key(load(shared)))
        domain = MacSeal(lambda: load(home / f"{JOURNAL}.key"))
        seal_of = lambda _: domain  # noqa: E731
    else:
        seals = OwnSeals(signers.__getitem__, book.key_of)
        seal_of = lambda role: SignatureSeal(roles[role], signers[role], book.key_of)  # noqa: E731

    def journal(role: str) -> Journal:
        return SealedJournal(RedisJournal(link, workspace, role, keep_seconds=KEEP_SECONDS), seal_of(role))

    address = BusAddress.parse(settings.url)
    link = Link.open(address)
    blobs = RedisBlobs(link, workspace, keep_seconds=KEEP_SECONDS)
    made = _bus(settings, link, workspace, seals, blobs)
    place = RedisRosterPlace(link, workspace)

    async def look_up() -> None:
        content = await place.read()
        if content is not None:
            with suppress(Denied):  # whoever watches the roster says so
                book.take(content)

    made.border.look_up = look_up
    try:
        await check_server(link, disposable=True)  # as a runner does: whoever comes first says what is wrong
        yield HostParts(
            bus=made,
            blobs=blobs,
            journal=journal,
            read_roster=place.read,
            hints=Hints(link, workspace),
            pulse=made,
            label=str(address),
            signing=settings.signing,
        )
    finally:
        await made.close()


async def serve_roles(
    roles: Sequence[Any],
    stop: asyncio.Event,
    *,
    bus: str | BusSettings,
    trust: Trust,
    keys: Path | None = None,
    models: Model | Mapping[str, Any] | None = None,
    sandbox: Sandbox | None = None,
    slots: int = 64,
    grace_seconds: float = GRACE_SECONDS,
    ready: Callable[[], object] = lambda: None,
) -> int:
    """Serve roles that stand in code until `stop` is set, then drain; return how many requests were given back.

    They must be what the squad was opened with: a role with another prior, model or code is never asked. `trust` is
    what `trust.json` beside the ledger says, `Trust.from_json(...)`.
    """
    model = thinking_with(models, roles, sandboxed=sandbox is not None)
    try:
        records = {record.name: record for record in (record_of_role(role, model) for role in roles)}
        spoken = {name: f"{record.kind}:{name}" for name, record in records.items()}
        settings = BusSettings(url=bus) if isinstance(bus, str) else bus
        if settings.signing == "shared":
            signers = dict(shared_signers(trust, {name: record.kind for name, record in records.items()}, keys))
        else:
            own = worker_signers(load(keys_of(trust, keys) / WORKER_KEY), workspace_in(trust), spoken.values())
            signers = {name: own[role] for name, role in spoken.items()}
        book = RosterBook(trust, clock=SystemClock())
        named = {record.name: role for record, role in zip(records.values(), roles, strict=True)}
        async with worker_parts(settings, trust=trust, roles=spoken, signers=signers, book=book, keys=keys) as parts:
            host = Host(
                parts, named, records=records, signers=signers, book=book, model=model, sandbox=sandbox, slots=slots
            )
            return await host.serve(stop, grace_seconds=grace_seconds, ready=ready)
    finally:
        if model is not None and model is not models:
            await model.close()


def _bus(settings: BusSettings, link: object, workspace: str, seals: Seals, blobs: object) -> RedisBus:
    from squads.adapters.redis_bus.bus import RedisBus

    return RedisBus(
        link,  # type: ignore[arg-type]
        workspace,
        seals,
        blobs=blobs,  # type: ignore[arg-type]
        deliveries_max=settings.deliveries_max,
        backlog_max=settings.backlog_max,
        heartbeat_seconds=settings.dead_after_seconds / 3,
        dead_after_seconds=settings.dead_after_seconds,
    )
