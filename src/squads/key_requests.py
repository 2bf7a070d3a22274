"""Changes of keys for a root that is never on a machine with a network: asked for here, signed there, handed in here.

The file says the exact bytes that the root signs. Whoever signs is shown what those bytes mean, read out of them and
not out of what the file says of itself; whoever hands it in has it tried against the log's own rules first.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from squads.adapters.private_files import open_private
from squads.contracts.base import Contract, Digest
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.kernel.ports import WORKSPACE, Entry, Signer
from squads.key_events import KeyChange, Planned
from squads.ledger.errors import Malformed
from squads.ledger.keys import check_public_key, key_id, verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae, parse_statement, strict_json
from squads.workspace import Workspace

BYTES_MAX: Final = 64 * 1024


class RequestSignature(Contract):
    """One signature over the payload of a request."""

    public_key: Digest
    """The raw Ed25519 public key, as 64 hex digits."""
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")


class KeyRequest(Contract):
    """A change of keys on its way to the root and back."""

    format: Literal["squads.key-request/v1"] = "squads.key-request/v1"
    origin: str = Field(max_length=255)
    """The log that it is for."""
    role: str = Field(max_length=4_096)
    payload: str = Field(max_length=16 * 1024)
    """The statement that is signed, byte for byte."""
    signatures: tuple[RequestSignature, ...] = Field(default=(), max_length=4)

    @property
    def signed_by(self) -> dict[str, str]:
        """The signatures by public key."""
        return {one.public_key: one.signature for one in self.signatures}


async def requested(workspace: Workspace, planned: Planned) -> KeyRequest:
    """Return the request for a change. Raises `InvalidInput` where the log says it already."""
    await workspace.refresh()
    payload = planned.said((await workspace.ledger.head()).size)
    if payload is None:
        raise InvalidInput("there is nothing to sign: the log says so already")
    request = KeyRequest(origin=workspace.trust.origin, role=planned.role, payload=payload.decode())
    for signer in planned.also:
        request = signed(request, signer)
    return request


def signed(request: KeyRequest, signer: Signer) -> KeyRequest:
    """Return the request with one more signature, over exactly its payload."""
    signature = signer.sign(pae(PAYLOAD_TYPE, request.payload.encode()))
    mine = RequestSignature(public_key=signer.public_key.hex(), signature=signature.hex())
    others = (one for one in request.signatures if one.public_key != mine.public_key)
    return request.but(signatures=(*others, mine))


def meaning(request: KeyRequest) -> list[str]:
    """Return what the root would sign, in lines for a person. Raises `InvalidInput` for what is no change of keys."""
    said = _predicate(request)
    lines = [f"for the log  {request.origin}"]
    match said.get("event"):
        case "register":
            lines += [
                f"register     {', '.join(_texts(said['roles']))}",
                f"key          {said['key']}",
                f"custody      {said['custody']}",
                f"from         receipt {said['not_before_index']} on",
            ]
        case "rotate":
            lines += [
                f"rotate       {request.role}, says whoever asks: compare the keys",
                f"old key      {said['old_key']}",
                f"new key      {said['key']}",
                f"custody      {said['custody']}",
                f"from         receipt {said['not_before_index']} on",
            ]
        case _:
            lines += [
                f"revoke       {request.role}, says whoever asks: compare the key",
                f"key          {said['key']}",
                f"reason       {said['reason']}",
                f"suspect from receipt {said['suspect_from_index']} on",
            ]
    return lines


async def submitted(workspace: Workspace, request: KeyRequest) -> KeyChange:
    """Append a change that the root signed elsewhere, and return what became of the key. Twice is no error.

    The checks, in order: 1 this log; 2 every signature is genuine; 3 a root of this log is among them; 4 the log's own
    rules. Raises `InvalidInput`.
    """
    if request.origin != workspace.trust.origin:
        raise InvalidInput(f"this request is for the log {request.origin!r:.80}, and this one is another")  # 1
    said = _predicate(request)
    payload = request.payload.encode()
    signatures = []
    for public, signature in request.signed_by.items():
        raw = bytes.fromhex(public)
        try:
            check_public_key(raw)
        except Malformed as error:
            raise InvalidInput(f"a signature of this request cannot be used: {error}") from error
        if not verify_signature(raw, bytes.fromhex(signature), pae(PAYLOAD_TYPE, payload)):
            raise InvalidInput("a signature of this request is not over what it says; have it signed again")  # 2
        signatures.append((key_id(raw), bytes.fromhex(signature)))
    await workspace.refresh()
    if not any(key.hex() in workspace.view.holders("root") for key, _ in signatures):
        raise InvalidInput(
            "no root of this workspace has signed this request; run `squads keys sign FILE --root FILE` where the root "
            "key is"
        )  # 3
    entry = Entry(stream=WORKSPACE, payload_type=PAYLOAD_TYPE, payload=payload, signatures=tuple(sorted(signatures)))
    key = bytes.fromhex(str(said["key"]))
    fresh = False

    def events(_: int) -> list[Entry]:
        nonlocal fresh
        fresh = not _is_said(workspace, key, said)
        return [entry] if fresh else []

    size = await workspace.append_events(events)  # 4
    for role in workspace.view.registry.keys[key].roles:
        workspace.keyring.settle(role)
    custody = workspace.view.registry.keys[key].custody
    return KeyChange(role=request.role, key=key.hex(), custody=custody, fresh=fresh, size=size)


def read_request(path: Path) -> KeyRequest:
    """Return the request in a file. Raises `InvalidInput`."""
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}; name the file of a request") from error
    try:
        if len(raw) > BYTES_MAX:
            raise ValueError
        value = strict_json(raw)
        assert isinstance(value, dict)
        value.pop("what_is_signed", None)  # for people who look into the file; never read
        return KeyRequest.model_validate(value)
    except (Malformed, ValidationError, ValueError, AssertionError):
        raise InvalidInput(
            f"{path} is no request for a change of keys, or a part of it is missing; write it again with --request"
        ) from None


def write_request(path: Path, request: KeyRequest, *, over: bool = False) -> None:
    """Write a request to a new file, or over the one that was read. Raises `StorageUnavailable`, `InvalidInput`."""
    import json

    shown = {"what_is_signed": meaning(request), **request.model_dump(mode="json")}
    try:
        kind = os.O_TRUNC if over else os.O_EXCL
        with os.fdopen(open_private(path, os.O_WRONLY | os.O_CREAT | kind), "wb") as file:
            file.write(json.dumps(shown, indent=2).encode() + b"\n")
    except FileExistsError as error:
        raise InvalidInput(f"{path} exists; name a new file for the request") from error
    except OSError as error:
        raise StorageUnavailable(f"cannot write {path}: {error.strerror}; name another file") from error


def _predicate(request: KeyRequest) -> dict[str, object]:
    try:
        statement = parse_statement(request.payload.encode())
    except Malformed as error:
        raise InvalidInput(f"this request holds nothing that could be signed: {error}") from error
    fields = {"key", "roles", "custody", "not_before_index", "old_key", "reason", "suspect_from_index"}
    needed = {
        "register": {"key", "roles", "custody", "not_before_index"},
        "rotate": {"key", "old_key", "custody", "not_before_index"},
        "revoke": {"key", "reason", "suspect_from_index"},
    }.get(str(statement.predicate.get("event")), fields)
    said = dict(statement.predicate)
    if statement.kind != "key-event" or not needed <= said.keys() or not isinstance(said.get("roles", []), list):
        raise InvalidInput("this request is about something else than a key; sign nothing of it")
    try:
        for name in ("key", "old_key"):
            bytes.fromhex(str(said.get(name, "")))
        int(str(said.get("suspect_from_index", 0)))
    except ValueError:
        raise InvalidInput("this request names no key; write it again with --request") from None
    return said


def _is_said(workspace: Workspace, key: bytes, said: dict[str, object]) -> bool:
    """Say whether the log says so already: the same request was handed in before."""
    known = workspace.view.registry.keys.get(key)
    if known is None:
        return False
    if said["event"] == "revoke":
        since = said["suspect_from_index"]
        return bool(known.revoked) and known.until_index is not None and known.until_index <= int(str(since))
    if said["event"] == "rotate":
        old = workspace.view.registry.keys.get(bytes.fromhex(str(said["old_key"])))
        return old is not None and old.successor == key
    return known.until_index is None and known.roles == frozenset(_texts(said["roles"]))


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
