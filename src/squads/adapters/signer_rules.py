"""Who may have what signed: the allow-list of a signer daemon, and what each role's key may say.

Deny by default. A peer is what the kernel says of the other end of the socket; what it says of itself decides nothing.
A key's role decides what it signs, whoever asks: a gate's key signs verdicts of that gate and nothing else. Nothing
here signs, reads a key, or writes.

    uid=1001: gate:schema, gate:security+bus+journal
    uid=1002 exe=/usr/bin/squads: log+roster, runner+bus
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from squads.contracts.errors import InvalidInput, LedgerBroken
from squads.contracts.records import Record
from squads.kernel.receipts import receipt_of, record_in
from squads.ledger.checkpoint import Checkpoint, parse_checkpoint_text
from squads.ledger.errors import Malformed
from squads.ledger.keys import parse_role
from squads.ledger.statement import PAYLOAD_TYPE, pae
from squads.ledger.types import KINDS

LOG: Final = "log"
"""The log's key: no role in the ledger, and the only one that signs checkpoints."""
ROLE_KINDS: Final = ("coordinator", "builder", "gate", "runner", LOG)
"""What a daemon keeps keys for. A person's key is used by the person, and the root's is not kept where programs run."""
RULES_MAX: Final = 1_000
USES: Final = {
    "bus": (("coordinator", "builder", "gate", "runner"), b"squads.bus/v1\n"),
    "journal": (("coordinator", "builder", "gate"), b'["squads.step-signature/v1",'),
    "roster": ((LOG,), b"squads.roster/v1\n"),
}
"""What a key may sign besides receipts where a rule says so: which kinds of role, and how such messages begin. No two
of them begin alike, and none like a receipt or a checkpoint."""
_RULE: Final = re.compile(r"uid=(0|[1-9][0-9]{0,9})(?: exe=(/[^\s:,]*))? ?: ?(\S.*)", re.ASCII)


class Unsigned(Exception):
    """Nothing is signed, and why: a sentence that holds nothing of what was to be signed."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection, as the kernel knows it."""

    uid: int
    gid: int
    pid: int
    exe: str | None = None
    """The file it runs, where that can be read. Advisory: whoever may run that file runs it with code of its own."""

    def __str__(self) -> str:
        return f"uid {self.uid} (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the allow-list."""

    uid: int
    exe: str | None
    roles: dict[str, frozenset[str]]
    """What else than receipts each role's key may sign, by role."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Which user may use which role's key."""

    rules: tuple[Rule, ...]

    @classmethod
    def parse(cls, lines: Iterable[str]) -> AllowList:
        """Return the rules in `lines`; empty lines and those that begin with `#` say nothing. Raises `InvalidInput`."""
        rules = tuple(_rule(line.strip()) for line in lines if line.strip() and not line.strip().startswith("#"))
        if not rules or len(rules) > RULES_MAX:
            raise InvalidInput(
                f"an allow-list has 1 to {RULES_MAX:,} rules, this one {len(rules)}; "
                "write lines such as `uid=1001: gate:schema`"
            )
        return cls(rules)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that anybody may use, sorted."""
        return tuple(sorted({role for rule in self.rules for role in rule.roles}))

    def uses(self, peer: Peer, role: str) -> frozenset[str] | None:
        """Return what else a peer may have signed with a role's key; None where it may not use it at all."""
        found = [
            rule.roles[role]
            for rule in self.rules
            if rule.uid == peer.uid and rule.exe in (None, peer.exe) and role in rule.roles
        ]
        return frozenset().union(*found) if found else None

    @property
    def asks_exe(self) -> bool:
        """True where a rule names an executable."""
        return any(rule.exe is not None for rule in self.rules)


def _rule(line: str) -> Rule:
    match = _RULE.fullmatch(line)
    if match is None:
        raise InvalidInput(f"{line[:80]!r} is no rule of an allow-list; write `uid=1001: gate:schema, gate:style+bus`")
    if int(match[1]) > 2**32 - 2:
        raise InvalidInput(f"uid {match[1]} is no user's; `id -u NAME` says which one is")
    roles: dict[str, frozenset[str]] = {}
    for item in match[3].split(","):
        role, *uses = item.strip().split("+")
        kind = kind_of(role)
        if role in roles:
            raise InvalidInput(f"the rule {line[:80]!r} names {role} twice; write it once with all its uses")
        for use in uses:
            if use not in USES or kind not in USES[use][0]:
                known = ", ".join(f"+{name}" for name, (kinds, _) in USES.items() if kind in kinds)
                raise InvalidInput(f"{role}+{use[:40]} is no use of that key; known: {known or 'none'}")
        roles[role] = frozenset(uses)
    return Rule(int(match[1]), match[2], roles)


def kind_of(role: str) -> str:
    """Return the kind of a role that a daemon keeps a key for. Raises `InvalidInput` for every other one."""
    if role == LOG:
        return LOG
    try:
        kind, _ = parse_role(role)
    except Malformed as error:
        raise InvalidInput(f"{error}; a signer daemon also knows `log`") from error
    if kind not in ROLE_KINDS:
        raise InvalidInput(f"a signer daemon keeps no key of {role}: {', '.join(ROLE_KINDS)} only")
    return kind


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides what one role's key signs.

    Args:
        role: Whose key it is, such as `gate:schema`.
        key_id: The key's id: a mark for the bus names it.
        origin: The log that a workspace's keys serve; None where it was not said, and then no checkpoint is signed.
    """

    role: str
    key_id: bytes
    origin: str | None = None

    def judge(self, message: bytes, uses: frozenset[str]) -> Checkpoint | Record | str:
        """Return what a message says: a checkpoint, a receipt's record, or the name of a use. Raises `Unsigned`."""
        kind = kind_of(self.role)
        for use, (kinds, prefix) in USES.items():
            if message.startswith(prefix):
                if use not in uses or kind not in kinds:
                    raise Unsigned(f"the allow-list does not let it use {self.role} for {use}; it would say +{use}")
                return self._marked(use, message, prefix)
        if kind == LOG:
            return self._checkpoint(message)
        return self.receipt(_payload_in(message))

    def receipt(self, payload: bytes) -> Record:
        """Return the record in a payload that this role may say. Raises `Unsigned`.

        The checks, in order: 1 a statement of ours, in one reading; 2 of a kind that this kind of role signs, and of a
        gate only verdicts; 3 said as this very role; 4 of the workspace whose keys these are.
        """
        kind, _, name = self.role.partition(":")
        try:
            receipt = receipt_of(0, PAYLOAD_TYPE, payload, (), 0)
            row = KINDS[receipt.kind]
            if kind not in row.signers or (kind == "gate" and receipt.kind != "verdict"):
                raise Unsigned(f"the key of {self.role} signs no {receipt.kind}")  # 2
            record = record_in(receipt)  # 1
        except LedgerBroken as error:
            raise Unsigned("it is no receipt that can be read in exactly one way") from error
        # A runner's receipts speak of others as authors; only its own stop says who it is itself.
        if (name or receipt.kind == "stop") and getattr(record, "author", "") != (name or kind):
            raise Unsigned(f"the key of {self.role} signs no {receipt.kind} of another author")  # 3
        if self.origin is not None and record.workspace != self.origin.split("/")[2]:
            raise Unsigned(f"the key of {self.role} signs nothing of another workspace")  # 4
        return record

    def _marked(self, use: str, message: bytes, prefix: bytes) -> str:
        if use == "bus" and message[len(prefix) : len(prefix) + 33] != self.key_id + b"\n":
            raise Unsigned(f"a message for the bus is marked with another key than that of {self.role}")
        return use

    def _checkpoint(self, message: bytes) -> Checkpoint:
        try:
            checkpoint = parse_checkpoint_text(message.decode())
        except (UnicodeDecodeError, Malformed) as error:
            raise Unsigned("the log's key signs checkpoints, and this is none") from error
        if self.origin is None or checkpoint.origin != self.origin or checkpoint.text.encode() != message:
            raise Unsigned("the log's key signs checkpoints of its own log only")
        return checkpoint


def _payload_in(message: bytes) -> bytes:
    """Return the payload whose pre-authentication encoding `message` is. Raises `Unsigned`."""
    head = b"DSSEv1 %d %b " % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode())
    _, _, payload = message[len(head) :].partition(b" ")
    if not message.startswith(head) or pae(PAYLOAD_TYPE, payload) != message:
        raise Unsigned("it is no receipt, nor anything else that this key signs")
    return payload
