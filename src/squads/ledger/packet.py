"""One packet as its receipts tell it: what began it, what was asked, what the first answer was, how it ended.

It takes receipts that are known to stand in the log, with genuine signatures, and leaves out those whose signer was
not the one they speak for. It must never judge whether the packet was right to compose; that is `approvals`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from squads.ledger.report import Tally
from squads.ledger.types import KINDS

Fields = Mapping[str, Any]


Asked = tuple[str, str, int | None, int]
"""(gate, what is read, task, attempt)."""


class Witnessed(NamedTuple):
    """A receipt that stands in the log at `seq`, its signatures genuine, its signers allowed to sign this kind there.

    Its fields have the forms of `shapes`.
    """

    seq: int
    time_ms: int
    kind: str
    said: Fields
    """The predicate."""
    digest: str
    """SHA-256 of the signed payload."""
    key: str
    """The key id of its one signer; of several, the first."""
    roles: frozenset[str]
    """What that key held at this index."""
    custody: str
    """Where that key is kept, as it was registered."""
    suspect: bool = False
    """True where the log says later that this key was not to be believed here."""


def identify(nonce: str, noun: str, *parts: object) -> str:
    """Return the id of `noun` with these parts in the packet of `nonce`: the kernel gives no other."""
    return sha256("\x1f".join((nonce, noun, *map(str, parts))).encode()).hexdigest()


@dataclass
class Story:
    """What a packet's receipts say, by kind and in order."""

    packet: str
    opened: Witnessed | None = None
    finish: Witnessed | None = None
    roles: dict[str, Fields] = field(default_factory=dict)
    """The squad that the opening froze, by name."""
    receipts: list[Witnessed] = field(default_factory=list)
    by_kind: dict[str, list[Witnessed]] = field(default_factory=dict)
    answers: dict[str, Witnessed] = field(default_factory=dict)
    """The first answer to each ticket and request; a fault or deadline where nothing came in time."""
    second: list[tuple[Witnessed, Witnessed]] = field(default_factory=list)
    """(first, other) where one ticket or request has two different signed answers."""
    tickets: dict[Asked, list[Witnessed]] = field(default_factory=dict)
    """Tickets by what they ask: gate, what is read, task, attempt."""
    builds: dict[int | None, list[Witnessed]] = field(default_factory=dict)
    """Assignments to build, by task."""
    policies: list[Witnessed] = field(default_factory=list)
    calibrations: list[Witnessed] = field(default_factory=list)
    erasures: list[Witnessed] = field(default_factory=list)

    def of(self, kind: str) -> list[Witnessed]:
        """Return the packet's receipts of one kind, in order."""
        return self.by_kind.get(kind, [])

    def built(self, receipt: Witnessed) -> bool:
        """Say whether whoever signed a receipt had built anything of this packet before it, under another hat."""
        made = (artifact.said["author"] for artifact in self.of("artifact") if artifact.seq < receipt.seq)
        return any(f"builder:{author}" in receipt.roles for author in made)

    @classmethod
    def told(cls, receipts: Sequence[Witnessed], packet: str, tally: Tally) -> Story:
        """Return the packet's story; `tally` is told of receipts by whoever may not speak there."""
        story = cls(packet)
        grants: dict[tuple[str, str], Fields] = {}
        stopped: set[str | None] = set()
        for receipt in receipts:
            if KINDS[receipt.kind].stream == "packet" and receipt.said["packet"] != packet:
                continue
            if receipt.kind == "opened" and story.opened is None:
                story.roles = {role["name"]: role for role in receipt.said["roles"]}
            if not _may_speak(receipt, story.roles, grants):
                tally.fail(
                    "role",
                    f"receipt {receipt.seq}: this {receipt.kind} speaks for somebody whose role its key did not hold "
                    "there, or whom no grant lets speak; do not rely on it",
                    receipt.seq,
                )
                continue
            match receipt.kind:
                case "grant":
                    grants[receipt.said["subject"], receipt.said["scope"]] = receipt.said
                case "policy":
                    story.policies.append(receipt)
                case "calibration":
                    story.calibrations.append(receipt)
                case "erasure":
                    story.erasures.append(receipt)
                case "stop":
                    stopped.add(receipt.said["packet"])
                case "lift":
                    stopped.discard(receipt.said["packet"])
                case _ if KINDS[receipt.kind].stream == "packet":
                    if stopped & {None, packet}:
                        message = f"receipt {receipt.seq} was recorded while the packet was stopped"
                        tally.fail("packet", f"{message}; nothing may happen then", receipt.seq)
                    story._add(receipt, tally)
        return story

    def _add(self, receipt: Witnessed, tally: Tally) -> None:
        if receipt.kind == "opened":
            if self.opened is not None:
                message = f"receipt {receipt.seq} opens the packet a second time; do not rely on this bundle"
                tally.fail("packet", message, receipt.seq)
                return
            self.opened = receipt
        elif self.opened is None:
            tally.fail("packet", f"receipt {receipt.seq} stands before the packet was opened", receipt.seq)
            return
        elif self.finish is not None:
            message = f"receipt {receipt.seq} stands after the packet's end; nothing is recorded there"
            tally.fail("packet", message, receipt.seq)
            return
        elif receipt.kind == "finish":
            self.finish = receipt
        self.receipts.append(receipt)
        self.by_kind.setdefault(receipt.kind, []).append(receipt)
        said = receipt.said
        if receipt.kind == "ticket":
            about = (said["gate"], said["reads"], said["task"], said["attempt"])
            self.tickets.setdefault(about, []).append(receipt)
        elif receipt.kind == "assignment" and said["work"] == "build":
            self.builds.setdefault(said["task"], []).append(receipt)
        answered = said.get(_ANSWERS.get(receipt.kind, ""))
        if answered is None:
            return
        first = self.answers.setdefault(answered, receipt)
        if first.digest != receipt.digest and receipt.kind not in ("fault", "deadline"):
            self.second.append((first, receipt))


_ANSWERS: Mapping[str, str] = {
    "verdict": "ticket",
    "plan": "request",
    "objection": "request",
    "artifact": "request",
    "acceptance": "request",
    "fault": "about",
    "deadline": "about",
}
"""Which field of an answer names what it answers."""
_PEOPLE = ("answer", "waiver", "lift", "erasure")


def _may_speak(receipt: Witnessed, roles: Mapping[str, Fields], grants: Mapping[tuple[str, str], Fields]) -> bool:
    """Say whether the signer held the role that the receipt speaks as, and no grant takes it from that role.

    What a key may do under another hat does not help it.
    """
    row = KINDS[receipt.kind]
    if receipt.kind in ("log-open", "key-event"):
        return True
    author = receipt.said.get("author") if receipt.kind != "equivocation" else None
    held = {role for role in receipt.roles if role.partition(":")[0] in row.signers}
    if row.direction == "output":
        return "runner" in held
    if author is not None:
        if receipt.kind == "stop":
            held = {role for role in held if role.rpartition(":")[2] == author}
        elif receipt.kind in _PEOPLE:
            held &= {f"human:{author}"}
        else:
            kind = roles[author]["kind"] if author in roles else "unknown"
            held &= {f"{kind}:{author}"}
    return any(_granted(receipt, role, grants) for role in held)


def _granted(receipt: Witnessed, role: str, grants: Mapping[tuple[str, str], Fields]) -> bool:
    grant = grants.get((role, receipt.kind))
    if grant is None:
        # A waiver speaks against a gate, so nobody may give one by default.
        return receipt.kind != "waiver"
    return not grant["revoked"] and (grant["expires_ms"] is None or receipt.time_ms < grant["expires_ms"])
