"""Enrolment: how a worker on another machine gets keys that count, without any key ever leaving its machine.

The worker makes one secret, derives a key for each of its roles from it, and writes a request: public keys, roles, and
a signature by each key that its holder has it. Whoever holds the root key reads the request and registers the keys; the
roster carries them to everybody within seconds. A request gives nobody anything: it must never be taken for an order.

One key per role, because a key that makes and judges would judge its own work, and because a key is registered once:
a role that is added later needs a key of its own.
"""

from __future__ import annotations

import difflib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal

from pydantic import Field, ValidationError

from squads.adapters.keys import InProcessSigner
from squads.contracts.base import Contract, Digest, Id, canonical
from squads.contracts.errors import InvalidInput
from squads.contracts.roster import RoleSpoken
from squads.kernel.ports import Entry, Signer
from squads.ledger.errors import Malformed
from squads.ledger.keys import check_public_key, key_id, parse_role, verify_signature
from squads.ledger.statement import strict_json
from squads.registering import registration
from squads.roster import span
from squads.workspace import Workspace

WORKER_KEY: Final = "worker.key"
"""The file of a worker's one secret."""
REQUEST_CHARS_MAX: Final = 32 * 1024
AGE_MS_MAX: Final = 7 * 24 * 3_600_000
"""For how long a request can be used: whoever sent it still remembers it."""
AHEAD_MS_MAX: Final = 5 * 60_000
ROLE_KINDS: Final = ("coordinator", "builder", "gate")
"""What a worker may be enrolled as; nobody becomes a runner, a person or a root by asking."""
_PROVED: Final = b"squads.enrolment/v1\n"
_DERIVED: Final = "squads.worker-key/v1"


class RequestedKey(Contract):
    """A key that wants to speak as one role."""

    role: RoleSpoken
    public_key: Digest
    """The raw Ed25519 public key, as 64 hex digits."""
    proof: str = Field(pattern=r"^[0-9a-f]{128}$")
    """The key's signature over the whole request without its proofs."""

    @property
    def key(self) -> bytes:
        """The key's id."""
        return key_id(bytes.fromhex(self.public_key))


class Enrolment(Contract):
    """What a worker asks for."""

    format: Literal[1] = 1
    workspace: Id
    issued_ms: int = Field(ge=0, le=2**53 - 1)
    keys: tuple[RequestedKey, ...] = Field(min_length=1, max_length=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What became of one key."""

    role: str
    key: str
    """Its id, 64 hex digits."""
    fresh: bool
    """False when it was registered before."""


def worker_signers(secret: Signer, workspace: str, roles: Iterable[str]) -> dict[str, Signer]:
    """Return a worker's signers by role (`gate:schema`): the same for the same secret, workspace and role.

    An Ed25519 signature is deterministic and cannot be made without the key, so its hash is a key that only the
    secret's holder can derive, and none of them tells anything about another.
    """
    return {
        role: InProcessSigner(sha256(secret.sign(f"{_DERIVED}\n{workspace}\n{role}".encode())).digest())
        for role in roles
    }


def request_line(signers: Mapping[str, Signer], workspace: str, *, now_ms: int) -> str:
    """Return one line that asks for these roles (`gate:schema`) to be registered with these keys.

    Raises `InvalidInput` for what no worker can be enrolled as.
    """
    for role in signers:
        _check_kind(role)
    wanted = sorted(signers.items())
    said = _said(workspace, now_ms, [(role, signer.public_key.hex()) for role, signer in wanted])
    request = Enrolment(
        workspace=workspace,
        issued_ms=now_ms,
        keys=tuple(
            RequestedKey(role=role, public_key=signer.public_key.hex(), proof=signer.sign(said).hex())
            for role, signer in wanted
        ),
    )
    return urlsafe_b64encode(request.canonical()).decode().rstrip("=")


def read_request(line: str, *, workspace: str, known: Collection[str], now_ms: int) -> Enrolment:
    """Return what a request asks for, checked; `known` are the roles (`gate:schema`) that there are.

    The checks, in order: 1 its size and form; 2 the workspace; 3 its age; 4 every key, once and for one role;
    5 that every key was at hand where it was written; 6 the roles. Raises `InvalidInput`.
    """
    request = _parsed(line.strip())  # 1
    if request.workspace != workspace:
        raise InvalidInput(
            f"this request is for workspace {request.workspace}, and this one is {workspace}; give the worker "
            "the trust.json that stands beside this ledger, and have it ask again"
        )  # 2
    if (age := now_ms - request.issued_ms) > AGE_MS_MAX:
        raise InvalidInput(f"this request was written {span(age)} ago; have the worker write a new one")  # 3
    if -age > AHEAD_MS_MAX:
        raise InvalidInput(f"this request was written {span(-age)} from now; set the clock here or on its machine")
    if len({k.role for k in request.keys}) < len(request.keys) or len({k.key for k in request.keys}) < len(
        request.keys
    ):
        raise InvalidInput("this request names a role or a key twice; a key speaks as one role")  # 4
    said = _said(request.workspace, request.issued_ms, [(k.role, k.public_key) for k in request.keys])
    for wanted in request.keys:
        public = bytes.fromhex(wanted.public_key)
        try:
            check_public_key(public)
        except Malformed as error:
            raise InvalidInput(f"this request's key for {wanted.role!r} cannot be used: {error}") from error
        if not verify_signature(public, bytes.fromhex(wanted.proof), said):
            raise InvalidInput(
                f"this request does not prove that its writer holds the key for {wanted.role!r}: it was changed on "
                "the way, or somebody asks with another's key; have the worker write it again"
            )  # 5
        _check_kind(wanted.role)
        if wanted.role not in known:
            near = difflib.get_close_matches(wanted.role, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
            raise InvalidInput(f"{wanted.role!r} is no role here; {hint}")  # 6
    return request


def roles_registered(workspace: Workspace) -> frozenset[str]:
    """Return the roles that keys of this workspace hold now and that a worker may be enrolled as.

    A program whose roles stand in its code has them registered when it opens its workspace.
    """
    view = workspace.view
    held = (role for key in view.registry.keys.values() if key.holds_at(view.index) for role in key.roles)
    return frozenset(role for role in held if role.partition(":")[0] in ROLE_KINDS)


def standing_of(workspace: Workspace, request: Enrolment) -> list[Enrolled]:
    """Return what registering would do to each key. Raises `InvalidInput` for one that cannot be registered."""
    return [
        Enrolled(role=wanted.role, key=wanted.key.hex(), fresh=_is_fresh(workspace, wanted)) for wanted in request.keys
    ]


async def enrol(workspace: Workspace, request: Enrolment) -> list[Enrolled]:
    """Register the keys of a request that was read and found good; return what became of each. Twice is no error.

    All of them or none. Raises `InvalidInput`, `KeyUnavailable` without the root key, or `LedgerError`.
    """
    standing: list[Enrolled] = []

    def events(index: int) -> list[Entry]:
        standing[:] = standing_of(workspace, request)
        fresh = [wanted for wanted, found in zip(request.keys, standing, strict=True) if found.fresh]
        return [
            registration(
                wanted.role,
                bytes.fromhex(wanted.public_key),
                wanted.key,
                "in-process",
                root=workspace.root(),
                index=index,
            )
            for wanted in fresh
        ]

    await workspace.append_events(events)
    return standing


def _is_fresh(workspace: Workspace, wanted: RequestedKey) -> bool:
    known = workspace.view.registry.keys.get(wanted.key)
    if known is None:
        return True
    if not known.holds_at(workspace.view.index):
        raise InvalidInput(
            f"the key for {wanted.role!r} was revoked, and a key is registered once; delete {WORKER_KEY} on the "
            "worker's machine and have it ask again"
        )
    if wanted.role not in known.roles:
        held = ", ".join(sorted(known.roles))
        raise InvalidInput(f"the key for {wanted.role!r} is registered as {held}; a key speaks for one thing")
    return False


def _parsed(line: str) -> Enrolment:
    if len(line) > REQUEST_CHARS_MAX:
        raise InvalidInput(f"a request has at most {REQUEST_CHARS_MAX:,} characters, this one {len(line):,}")
    try:
        raw = urlsafe_b64decode(line.encode("ascii") + b"=" * (-len(line) % 4))
        # A decoder passes over what is no base64: what is read must be all that stands there.
        if urlsafe_b64encode(raw).decode().rstrip("=") != line:
            raise ValueError
        return Enrolment.model_validate(strict_json(raw))
    except (Base64Error, Malformed, ValidationError, ValueError):
        raise InvalidInput(
            "this is no enrolment request, or a part of it is missing; paste the whole line that "
            "`squads enroll --role NAME` printed on the worker's machine"
        ) from None


def _said(workspace: str, issued_ms: int, keys: Iterable[tuple[str, str]]) -> bytes:
    """Return what every key of a request signs: the whole of it but the proofs."""
    return _PROVED + canonical({"workspace": workspace, "issued_ms": issued_ms, "keys": list(map(list, keys))})


def _check_kind(role: str) -> None:
    try:
        kind, _ = parse_role(role)
    except Malformed as error:
        raise InvalidInput(str(error)) from error
    if kind not in ROLE_KINDS:
        raise InvalidInput(f"a worker cannot be enrolled as {role!r}; it serves {', '.join(ROLE_KINDS)}")
