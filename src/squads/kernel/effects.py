"""What the kernel asks of the world: effects are data, and the runner does nothing that no effect says."""

from __future__ import annotations

from dataclasses import dataclass

from squads.contracts.messages import RoleRequest
from squads.contracts.records import FinishRecord, PacketRecord, QuestionRecord


@dataclass(frozen=True, slots=True)
class Record:
    """Append this output, signed by the runner, right behind the input that caused it."""

    record: PacketRecord


@dataclass(frozen=True, slots=True)
class Send:
    """After the append: hand this request to a role. Sent again with the same id after a crash or a loss."""

    recipient: str
    about: str
    """The request's or ticket's id."""
    body: RoleRequest


@dataclass(frozen=True, slots=True)
class Ask:
    """After the append: put this question to people."""

    question: QuestionRecord


@dataclass(frozen=True, slots=True)
class Arm:
    """After the append: hand in a deadline about `about` once the clock reaches `at_ms`."""

    about: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The packet ends with this record, which is appended like any output."""

    record: FinishRecord


@dataclass(frozen=True, slots=True)
class Ignore:
    """The event changes nothing and is not recorded; the reason is logged and counted."""

    reason: str


Effect = Record | Send | Ask | Arm | Finish | Ignore
