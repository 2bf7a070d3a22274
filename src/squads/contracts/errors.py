"""Every error squads raises, drawn as one tree.

A refusal is a value, never one of these: an error means that we could not find out, and not finding out never
composes. Each message says what happened, to what, and what to do next.

    SquadsError
    ├── InvalidInput                 what was handed in cannot be used; nothing was started, nothing is lost
    │   ├── InvalidArtifact          paths, bytes or media types that an artifact may not hold
    │   │   ├── InvalidPath          absolute, `..`, a link, control characters, two names for one file
    │   │   ├── EmptyArtifact        no file and no removal
    │   │   ├── ArtifactTooLarge     over `Limits.artifact_bytes_max` or `files_max`
    │   │   └── NotText              not UTF-8 where text was needed
    │   ├── InvalidPlan              cyclic, unknown task or builder, too many tasks
    │   │   └── BriefTooLong         over `Limits.brief_chars_max`
    │   ├── InvalidSquad             roles that cannot work together
    │   │   ├── NoGates              the empty list of gates refuses
    │   │   ├── UnheldGate           a required gate that nobody holds is not a gate
    │   │   ├── DuplicateRole        two roles of one name
    │   │   └── SelfGate             a gate that is its own author, shares its prior, or is too near to it
    │   ├── InvalidCard              a card, charter or packet file: an unknown key, a bad value, no YAML
    │   ├── InvalidCase              a family of cases, a set of them, or recorded findings that cannot be read
    │   ├── InvalidPlugin            an entry point that cannot be used
    │   ├── InvalidModel             a model string that cannot be asked here: unknown, no key, not installed
    │   ├── ToolProblem              a tool was called in a way that it cannot serve; the model reads the sentence
    │   ├── UnknownPacket            no packet of this id in the ledger
    │   └── NotAWorkTree             not inside a git work tree, or git cannot read the range
    ├── Denied                       authority was not granted
    ├── Refusal                      raised only by `result.raise_for_refusal()`
    ├── BusError
    │   ├── UnknownRecipient         nobody of that name listens
    │   ├── MessageTooLarge          over the bus's bound; send a reference instead
    │   ├── BusFull                  the backlog stayed at its bound until the deadline
    │   ├── BusClosed                closed, draining, or never opened
    │   ├── BusUnavailable           its server cannot be reached, or takes no work now
    │   └── BusUnfit                 its server is too old, or set up so that accepted work could be lost
    ├── LedgerError
    │   ├── Conflict                 somebody appended first; fold again and retry
    │   ├── LeaseLost                another runner holds the packet by now
    │   ├── LedgerBroken             bytes, links, signatures or checkpoints do not agree
    │   ├── LedgerTooNew             written by a newer version than this one
    │   ├── RollbackDetected         the database is behind a checkpoint known outside it
    │   ├── Overdrawn                a reservation would pass the limit of what all packets may spend together
    │   └── StorageUnavailable       disk full, read-only, locked or gone; nothing was acknowledged
    │       └── NotAnchored          it is in the ledger, and not yet where the ledger's writer cannot rewrite it
    ├── BlobError
    │   ├── BlobMissing              no content under this digest here
    │   ├── BlobBroken               the stored bytes do not have this digest
    │   └── SubjectErased            content of a subject that was erased; nothing more is stored for it
    ├── ModelError
    │   ├── ModelUnreachable         no answer after every retry and every fallback
    │   ├── ModelRejected            the provider will never serve this request
    │   ├── InvalidReply             no reply validated, however often it was asked again
    │   ├── AllowanceSpent           the next reply could cost more than was reserved
    │   └── RecordingMissed          no recorded reply for exactly this request
    ├── SandboxUnavailable           the limits that a command needs cannot be put up; it was not started
    ├── ScratchUnavailable           no database to try SQL out in can be had, or it ended meanwhile
    └── KeyUnavailable               a key file is missing or not private, or the daemon that keeps a key is away
"""

from __future__ import annotations


class SquadsError(Exception):
    """The root: catch this to catch everything that squads raises on purpose."""


class InvalidInput(SquadsError, ValueError):
    """What was handed in cannot be used; nothing was started and nothing is lost."""


class InvalidArtifact(InvalidInput):
    """Paths, bytes or media types that an artifact may not hold."""


class InvalidPath(InvalidArtifact):
    """A path that is absolute, climbs with `..`, is a link, or is not a plain relative POSIX path."""


class EmptyArtifact(InvalidArtifact):
    """An artifact without a file and without a removal: there is nothing to judge."""


class ArtifactTooLarge(InvalidArtifact):
    """More bytes or more files than the packet's limits allow."""


class NotText(InvalidArtifact):
    """Bytes that are not UTF-8 where text was needed."""


class InvalidPlan(InvalidInput):
    """A plan that is cyclic, names what is not there, or has too many tasks."""


class BriefTooLong(InvalidPlan):
    """A brief over `Limits.brief_chars_max`: a small spec is the point."""


class InvalidSquad(InvalidInput):
    """Roles that cannot work together."""


class NoGates(InvalidSquad):
    """A squad or packet without gates. The empty list refuses."""


class UnheldGate(InvalidSquad):
    """A required gate that nobody holds is not a gate."""


class DuplicateRole(InvalidSquad):
    """Two roles of one name."""


class SelfGate(InvalidSquad):
    """A gate that is its own author, brings the author's very prior, or is less independent of it than is demanded."""


class InvalidCard(InvalidInput):
    """A card, charter or packet file that cannot be used; the sentence begins with its place, `file:line`."""


class InvalidCase(InvalidInput):
    """A family of cases, a set of them, or recorded findings that cannot be read, or are not what they should be."""


class InvalidPlugin(InvalidInput):
    """An entry point that cannot be loaded, or is not what its group holds. Only what asked for it is refused."""


class InvalidModel(InvalidInput):
    """A model string that names no model that can be asked here: unknown, no key, or its package is not installed."""


class ToolProblem(InvalidInput):
    """A tool was called in a way that it cannot serve. The sentence is written for the model that called it."""


class UnknownPacket(InvalidInput):
    """No packet of this id in the ledger."""


class NotAWorkTree(InvalidInput):
    """Not inside a git work tree, or git cannot read what was asked for."""


class Denied(SquadsError):
    """Authority was not granted; what is not granted is denied."""


class Refusal(SquadsError):
    """Raised by `result.raise_for_refusal()` for those who prefer an exception; `result` holds the value."""

    def __init__(self, message: str, result: object = None) -> None:
        super().__init__(message)
        self.result = result


class BusError(SquadsError):
    """A message could not be handed over."""


class UnknownRecipient(BusError):
    """Nobody of that name listens on this bus."""


class MessageTooLarge(BusError):
    """A message over the bus's bound; send a reference to a blob instead."""


class BusFull(BusError):
    """The recipient's backlog stayed at its bound until the deadline."""


class BusClosed(BusError):
    """The bus is closed or draining."""


class BusUnavailable(BusError):
    """The bus's server cannot be reached, or takes no work now. What was accepted is kept and goes on by itself."""


class BusUnfit(BusError):
    """The bus's server is too old, or is set up so that accepted work could be lost."""


class LedgerError(SquadsError):
    """A receipt could not be written or read."""


class Conflict(LedgerError):
    """A stream grew, or the ledger's clock moved on, since it was folded; fold again and retry."""


class LeaseLost(LedgerError):
    """Another runner holds the packet by now. Nothing was written; it goes on there."""


class LedgerBroken(LedgerError):
    """Bytes, links, signatures or checkpoints of the ledger do not agree."""


class LedgerTooNew(LedgerError):
    """The ledger was written by a newer version of squads than this one."""


class RollbackDetected(LedgerError):
    """The database is behind a checkpoint that is known outside it, as after restoring an old backup."""


class Overdrawn(LedgerError):
    """A reservation would pass the limit of what all packets may spend together. Nothing was written."""


class StorageUnavailable(LedgerError):
    """Disk full, read-only, locked or gone. Nothing was acknowledged."""


class NotAnchored(StorageUnavailable):
    """It is in the ledger, and no checkpoint over it stands yet in every anchor. Nothing is lost: ask again."""


class BlobError(SquadsError):
    """Content could not be stored or read."""


class BlobMissing(BlobError):
    """No content under this digest in this store."""


class BlobBroken(BlobError):
    """The stored bytes do not have the digest they are stored under."""


class SubjectErased(BlobError):
    """Content of a subject that was erased: it cannot be read any more, and nothing more is stored for it."""


class ModelError(SquadsError):
    """A model gave no reply that can be used. Nothing composes from it."""


class ModelUnreachable(ModelError):
    """No answer after every retry and every fallback: rate limits, server errors, time-outs, resets."""


class ModelRejected(ModelError):
    """The provider answered that this request will never be served: no such model, bad key, context too long."""


class InvalidReply(ModelError):
    """No reply validated, however often the model was asked again; `kept` is the digest of its last words."""

    def __init__(self, message: str, kept: str = "") -> None:
        super().__init__(message)
        self.kept = kept


class AllowanceSpent(ModelError):
    """The next reply could cost more than was reserved for this answer."""


class RecordingMissed(ModelError):
    """No recorded reply for exactly this request: a prior, a brief or a tool is not what it was when recording."""


class SandboxUnavailable(SquadsError):
    """The limits that a command must run under cannot be put up here. The command was not started."""


class ScratchUnavailable(SquadsError):
    """No scratch database can be had here, or it ended while it was used. Nothing was found out."""


class KeyUnavailable(SquadsError):
    """A key is missing, unreadable, readable by others, or has ended; or it cannot be had from where it is."""
