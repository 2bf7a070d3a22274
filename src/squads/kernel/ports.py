"""What the kernel's world must promise: the ports, with no adapter in sight.

An adapter may promise more, never less; `squads.testing` holds one conformance suite per port, and every adapter
passes the same file. Nothing here does I/O, knows a vendor, or may import one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from squads.contracts.artifact import Artifact
from squads.contracts.memory import Recalled
from squads.contracts.records import QuestionRecord, RoleKind, VerdictRecord
from squads.contracts.work import Answer, Reply, Work
from squads.kernel.budget import Spend
from squads.kernel.funds import Reservation, Settlement

if TYPE_CHECKING:
    from squads.kernel.model_ports import Journal

WORKSPACE = "workspace"
"""The name of the stream that holds the workspace's own receipts: keys, grants, stop and lift."""

Custody = Literal["in-process", "daemon", "kms", "hsm"]

Level = Literal["committed", "checkpointed", "anchored"]
"""How far a receipt has come: durable with an index; under a signed checkpoint, so that it can be proved; and under a
checkpoint that stands where the ledger's writer cannot rewrite it. Each holds all before it."""


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch; may stand still, callers never rely on it moving."""
        ...


class Entropy(Protocol):
    """The only source of chance: salts, nonces and opaque ids."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` unpredictable bytes."""
        ...


class Signer(Protocol):
    """Signs with one Ed25519 key and says who holds it."""

    @property
    def public_key(self) -> bytes:
        """The raw 32-byte Ed25519 public key."""
        ...

    @property
    def key_id(self) -> bytes:
        """The 32-byte key id, `squads.ledger.keys.key_id(public_key)`."""
        ...

    @property
    def custody(self) -> Custody:
        """Where the private key lives; receipts say so and policies may demand better."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of exactly `message`."""
        ...


@runtime_checkable
class Notary(Signer, Protocol):
    """A signer outside the process it signs for, which keeps a gate's counter and puts it into every verdict."""

    def attest(self, record: VerdictRecord) -> tuple[bytes, bytes]:
        """Return (payload, signature): the verdict with `actor_seq` and `prev_by_actor`, which `record` leaves empty.

        A ticket is answered once. Asked again for the same one, it gives the same bytes, whatever `record` says.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One receipt on its way into the ledger: the exact bytes that were signed, and by whom."""

    stream: str
    """`WORKSPACE` or a packet's id."""
    payload_type: str
    payload: bytes
    signatures: tuple[tuple[bytes, bytes], ...]
    """(32-byte key id, signature), sorted by key id, at least one, no key twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One receipt as the ledger keeps it."""

    seq: int
    """Its index in the log: gapless from 0."""
    stream: str
    time_ms: int
    payload_type: str
    payload: bytes
    signatures: tuple[tuple[bytes, bytes], ...]
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest checkpoint: what everything up to `size` hashes to, and who signed that."""

    size: int
    root: bytes
    time_ms: int
    """The newest leaf's time; 0 for an empty log."""
    checkpoint: str
    """The C2SP signed note; the empty string only for an empty log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What one append came to: its entries stand at `first_seq` and after, under `head`."""

    first_seq: int
    head: Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """Receipts that a checkpoint covers, and how each is shown to be in its tree."""

    head: Head
    paths: tuple[tuple[bytes, ...], ...]
    """An RFC 6962 inclusion path for each index that was asked for, in that order."""


class Anchor(Protocol):
    """A place for checkpoints that the ledger's writer cannot rewrite. Whatever it gives back is verified by who reads.

    It raises `StorageUnavailable` where it cannot be reached; nothing is anchored then.
    """

    @property
    def name(self) -> str:
        """How people call it: a path, or `s3://bucket/prefix`. It holds no secret."""
        ...

    async def put(self, note: str) -> None:
        """Keep a signed checkpoint; it is there for good when this returns. Twice is no error."""
        ...

    async def notes(self, *, since: int = 0) -> list[str]:
        """Return the notes that are there, by size as far as they can be read; none is left out as unreadable.

        Those that claim to cover fewer than `since` receipts may be left out. Each comes at least once.
        """
        ...

    async def close(self) -> None:
        """Let go of it. Closing twice is no error."""
        ...


class BlobStore(Protocol):
    """Content by digest; erasable; re-hashed when read.

    Stored twice is stored once for each subject. Content that has a subject is encrypted with that subject's key, and
    is gone with it. Nothing here is trusted: a reader gets bytes with the digest it asked for, or an error.
    """

    async def put(self, content: bytes, *, subject: str = "") -> str:
        """Store `content` durably and return its SHA-256 as 64 hex digits.

        `subject` is the opaque id of whom or what it is about; the empty one is the workspace itself, which is never
        erased. Raises `StorageUnavailable`, or `SubjectErased` for content of a subject that was erased.
        """
        ...

    async def get(self, digest: str) -> bytes:
        """Return the content. Raises `BlobMissing` (never stored, or erased) or `BlobBroken` (other bytes)."""
        ...

    async def has(self, digest: str) -> bool:
        """Say whether content is stored under this digest, without reading it."""
        ...

    async def erase(self, digest: str) -> bool:
        """Remove the content; True when there was some. Erasing twice is no error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Which runner holds a packet: the one that asks its roles and appends what they answer."""

    packet: str
    holder: str
    """The name of a running runner, never used twice."""
    token: int
    """1 for whoever opened the packet, one more with every change of hands: the fencing token."""
    beat: int = 0
    """Grows while the holder lives."""
    last: bool = False
    """In the fence of a packet's last append: nobody needs this lease any more, and it goes with that append."""


class Leases(Protocol):
    """Who holds which packet. A lease protects nothing by itself: `Ledger.append(fence=...)` compares it.

    Holders have names of 1 to 200 letters, digits, `.`, `_` and `-`; others raise `InvalidInput`. A packet's token
    grows until its last append.
    """

    async def begin(self, holder: str) -> None:
        """Make a holder known and alive; twice is no error. Raises `StorageUnavailable`, as everything here."""
        ...

    async def look(self, packet: str) -> Lease | None:
        """Return a packet's lease as it stands; None where nobody holds it."""
        ...

    async def take(self, packet: str, holder: str, *, over: Lease | None = None) -> Lease | None:
        """Return the lease, taken for `holder`: of a packet that nobody holds, or over exactly the lease given.

        None when somebody else was faster, or the holder's beat moved. A holder that has the lease already gets it as
        it stands. Only who has begun takes anything: others raise `InvalidInput`.
        """
        ...

    async def gone(self, holder: str) -> bool:
        """Say whether a holder is certainly not running any more; False where it may be."""
        ...

    async def beat(self, holder: str) -> None:
        """Say that a holder lives."""
        ...

    async def end(self, holder: str, packet: str | None = None) -> None:
        """Give back one packet; or everything that a holder has, which is gone then. Twice is no error."""
        ...


class Ledger(Protocol):
    """An append-only log of receipts in streams, under one Merkle tree with signed checkpoints.

    `append` is durable when it returns. Sequence numbers are gapless. Order is the order of commits. The writer
    compares the lengths of the streams it folded, never of the whole log, so packets do not disturb each other.
    """

    async def append(
        self,
        entries: Sequence[Entry],
        *,
        expect: Mapping[str, int],
        time_ms: int,
        content: Sequence[bytes] = (),
        reserve: Reservation | None = None,
        settle: Settlement | None = None,
        fence: Lease | None = None,
        subject: str | None = None,
    ) -> Appended:
        """Append all `entries` in order, or none of them.

        `expect` gives the number of receipts each named stream must have now; `time_ms` is the leaves' time and
        may not lie before the newest leaf's. `content` is durable no later than the entries that speak of it.
        `reserve` and then `settle` move a shared account together with the entries, or not at all: what is reserved
        and spent never passes the limit, whoever else appends at the same time.
        With `fence`, only while that lease is in force; one with token 1, of a packet that never had any, is taken with
        the append. Without it nothing is asked: people answer and stop a packet whoever holds it.
        `subject` says whose the content is. None is whoever the first entry's stream belongs to: who was named when it
        began, else the stream's own name is the subject; the workspace's stream belongs to the workspace.
        Raises `Conflict` (a length differs, or time moved on), `LeaseLost` (another holds the packet), `Overdrawn` (the
        reservation would pass the limit): nothing was written; or `StorageUnavailable` (outcome unknown to the
        medium, nothing acknowledged; the next append re-reads the head first).
        """
        ...

    async def balance(self, account: str) -> Spend:
        """Return how a shared account stands; one that nobody has used yet is empty."""
        ...

    async def read(self, stream: str, *, start: int = 0) -> list[Stored]:
        """Return a stream's receipts in order, from its `start`-th on; an unknown stream has none."""
        ...

    async def streams(self) -> list[str]:
        """Return the names of all streams, oldest first."""
        ...

    async def head(self) -> Head:
        """Return the newest checkpoint; size 0 for an empty log."""
        ...

    def scan(self, *, start: int = 0) -> AsyncIterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash) of the whole log in order, in constant memory."""
        ...

    async def checkpoints(self) -> list[str]:
        """Return every stored checkpoint note, oldest first."""
        ...

    async def prove(self, indexes: Sequence[int], *, size: int | None = None) -> Proved:
        """Return inclusion proofs under the newest checkpoint, or under the stored checkpoint of exactly `size`.

        Raises `InvalidInput` for an index that it does not cover or a size that has no checkpoint, `LedgerBroken`.
        """
        ...

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the RFC 6962 proof that the first `old` receipts begin the first `new`. Raises `InvalidInput`."""
        ...

    async def erase(self, subject: str) -> int:
        """Destroy a subject's key and all its content, for good, and return how many blobs went. Twice is no error.

        No byte of it remains in the medium: not in free pages, nor in a write-ahead log. The log does not change.
        """
        ...

    async def subjects(self) -> dict[str, str]:
        """Return whose each stream is, by the stream's name."""
        ...

    @property
    def blobs(self) -> BlobStore:
        """The content store that `append` writes `content` to."""
        ...

    @property
    def journal(self) -> Journal:
        """The journal of what was paid for, beside the log and never in it."""
        ...

    @property
    def leases(self) -> Leases:
        """Who holds which packet, beside the log and never in it."""
        ...

    async def close(self) -> None:
        """Finish what was accepted and let go of the medium. Closing twice is no error."""
        ...


class Role(Protocol):
    """Typed work in, typed reply out. Cancellable, and without any other way to speak to anybody."""

    @property
    def name(self) -> str:
        """How the squad calls it."""
        ...

    @property
    def kind(self) -> RoleKind:
        """What it is: coordinator, builder or gate."""
        ...

    async def answer(self, work: Work) -> Reply:
        """Do one piece of work. Whatever it raises becomes a fault, and a fault never lets anything through."""
        ...


class Memory(Protocol):
    """What is known beyond one packet. Reads only what the reader's scopes allow, taken before anything is ranked."""

    def recalled(self, query: str, scopes: Collection[str]) -> Recalled:
        """Return the charter and the facts that a reader of `scopes` is told about `query`; the same for the same."""
        ...


class Approver(Protocol):
    """Puts a durable question to people in this process, where there is a way to reach one."""

    async def ask(self, question: QuestionRecord, composition: Artifact) -> Sequence[Answer]:
        """Return the answers that could be had now; an empty sequence leaves the question waiting."""
        ...
