"""Keys are added, rotated and revoked: entries of the log that the root signs, and what is told of every key.

An order that may be interrupted anywhere: a new private key is written aside, the log says that it counts, and only
then does it take the old one's place. What the log says is never taken back, so all of it is tried first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from squads.contracts.base import Contract
from squads.contracts.errors import InvalidInput, KeyUnavailable, SquadsError
from squads.kernel.ports import WORKSPACE, Custody, Entry, Signer
from squads.ledger.errors import Malformed
from squads.ledger.keys import CUSTODIES, REVOCATION_REASONS, RegisteredKey, check_public_key, key_id, parse_role
from squads.registering import registration_said, revocation_said, rotation_said
from squads.signing import signed_entry
from squads.stores import LOG, ROOT
from squads.workspace import Workspace, ended

PREFIX_CHARS_MIN: Final = 8
"""How much of a key's id names it."""
_OPAQUE: Final = re.compile(r"p[0-9a-f]{24}", re.ASCII)


class ListedKey(Contract):
    """One key of a workspace, as a person is told of it."""

    roles: tuple[str, ...]
    subject: str
    key: str
    """Its id, 64 hex digits."""
    public_key: str
    custody: str
    from_index: int
    """The first receipt that it may sign."""
    until_index: int | None
    """The first receipt that it may sign no more; None while it has no end."""
    active: bool
    """Whether it may sign now."""
    here: bool
    """Whether its private key is on this machine, and is the one that would sign."""
    revoked: str = ""
    """Why it was revoked; empty while it was not."""
    ended_by: int | None = None
    """The receipt that rotated or revoked it."""
    successor: str = ""
    """The id of the key that it was rotated to."""
    name: str = ""
    """Who it is, where it is a person whose name is known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What became of a key."""

    role: str
    key: str
    """Its id, 64 hex digits."""
    custody: str
    fresh: bool
    """False where the log said so before, and nothing was appended."""
    size: int
    """How many receipts the log has, up to the one that says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A change of keys that the root has still to sign."""

    role: str
    key: bytes
    custody: str
    said: Callable[[int], bytes | None]
    """The payload for the index that comes next; None where the log says it already."""
    also: tuple[Signer, ...] = ()
    """Who signs besides the root."""
    settle: Callable[[], object] = lambda: None
    """What follows on this machine once the log has it."""


async def add_key(
    workspace: Workspace, role: str, *, public_key: bytes | None = None, custody: Custody | None = None
) -> KeyChange:
    """Register this machine's key for a role, or a public key of one that is elsewhere. Twice is no error.

    Where this machine's key for the role has ended, it is kept aside and a new one is made: asking is what allows it.
    Raises `InvalidInput`, or `KeyUnavailable` without the root.
    """
    await opened(workspace)
    workspace.root()  # before any file is touched
    return await carried_out(workspace, await plan_add(workspace, role, public_key=public_key, custody=custody))


async def rotate_key(workspace: Workspace, role: str) -> KeyChange:
    """Give a role a new key on this machine, signed in by the old one and the root; the old private key is deleted.

    A rotation that was interrupted is finished, and not begun again. Raises `KeyUnavailable` where the old key or the
    root's is not at hand: without its old key a role's key is revoked, and another one is added.
    """
    planned = await plan_rotate(workspace, role, root_here=True)
    if isinstance(planned, KeyChange):
        return planned
    return await carried_out(workspace, planned)


async def revoke_key(
    workspace: Workspace, which: str, *, reason: str, suspect_from: int | None = None
) -> tuple[KeyChange, int]:
    """End a key, named by its id or as the only one of a role; return what became of it, and from which index on.

    What it signed from `suspect_from` on does not count any more; None means from now on. Raises `InvalidInput`, or
    `KeyUnavailable` without the root.
    """
    planned = await plan_revoke(workspace, which, reason=reason, suspect_from=suspect_from)
    change = await carried_out(workspace, planned)
    return change, workspace.view.registry.keys[planned.key].until_index or 0


async def carried_out(workspace: Workspace, planned: Planned) -> KeyChange:
    """Append a change, signed by the root that is at hand, and return what became of the key."""
    root = workspace.root()
    fresh = False

    def events(index: int) -> list[Entry]:
        nonlocal fresh
        payload = planned.said(index)
        fresh = payload is not None
        return [] if payload is None else [signed_entry(WORKSPACE, payload, *planned.also, root)]

    size = await workspace.append_events(events)
    planned.settle()
    return KeyChange(role=planned.role, key=planned.key.hex(), custody=planned.custody, fresh=fresh, size=size)


async def plan_add(
    workspace: Workspace, role: str, *, public_key: bytes | None = None, custody: Custody | None = None
) -> Planned:
    """Return what `add_key` does, before the root signs it; the key of this machine is made."""
    await opened(workspace)
    role = role_named(workspace, role)
    if public_key is None:
        if role == ROOT:
            raise InvalidInput("another root is added by its public key: `squads keys add root --public-key HEX`")
        signer = workspace.signer(role)
        known = workspace.view.registry.keys.get(signer.key_id)
        if known is not None and known.until_index is not None and not known.holds_at(workspace.view.index):
            signer = workspace.keyring.renew(role)
        raw, said = signer.public_key, signer.custody
    else:
        raw, said = public_key, custody or "in-process"
        try:
            check_public_key(raw)
        except Malformed as error:
            raise InvalidInput(f"this public key cannot be used: {error}") from error
    if said not in CUSTODIES:
        raise InvalidInput(f"{said!r:.40} is no custody; it is one of {', '.join(sorted(CUSTODIES))}")
    key = key_id(raw)

    def payload(index: int) -> bytes | None:
        found = workspace.view.registry.keys.get(key)
        if found is None:
            return registration_said(role, raw, key, said, index=index)
        if role in found.roles and found.until_index is None:
            return None
        raise InvalidInput(f"{ended(role, found)}; a key is registered once, so make a new one")

    return Planned(role=role, key=key, custody=said, said=payload)


async def plan_rotate(workspace: Workspace, role: str, *, root_here: bool = False) -> Planned | KeyChange:
    """Return what `rotate_key` does, before the root signs it, or what became of one that was interrupted.

    With `root_here` nothing is made unless the root is at hand.
    """
    await opened(workspace)
    role = role_named(workspace, role)
    ring = workspace.keyring
    if not ring.has(role):
        raise KeyUnavailable(
            ring.away(role)
            if role == ROOT
            else f"the key of {role} is not on this machine, and a rotation is signed by the old key too; rotate where "
            f"it is, or run `squads keys revoke {role}` and `squads keys add {role}`"
        )
    if ring.settle(role):
        done = ring.signer(role)
        return KeyChange(role=role, key=done.key_id.hex(), custody=done.custody, fresh=False, size=workspace.view.index)
    old = workspace.speaker(role)
    if old.custody != "in-process":
        raise InvalidInput(
            f"the key of {role} is not in a file here ({old.custody}); make a new key where it is, add it "
            f"with `squads keys add {role} --public-key HEX --custody {old.custody}`, and revoke the old one"
        )
    if root_here:
        workspace.root()
    successor = ring.successor(role)
    if (known := workspace.view.registry.keys.get(successor.key_id)) and known.until_index is not None:
        ring.drop_successor(role)  # it was revoked before it was ever used
        successor = ring.successor(role)

    def payload(index: int) -> bytes | None:
        if role in workspace.view.roles_of(successor.key_id.hex()):
            return None  # another process rotates too, to the same key
        return rotation_said(old.key_id, successor, index=index)

    return Planned(
        role=role,
        key=successor.key_id,
        custody=successor.custody,
        said=payload,
        also=(old,),
        settle=lambda: ring.adopt(role, successor),
    )


async def plan_revoke(workspace: Workspace, which: str, *, reason: str, suspect_from: int | None = None) -> Planned:
    """Return what `revoke_key` does, before the root signs it."""
    if reason not in REVOCATION_REASONS:
        raise InvalidInput(f"{reason!r:.40} is no reason; it is one of {', '.join(sorted(REVOCATION_REASONS))}")
    await opened(workspace)
    key, known = one_key(workspace, which)

    def payload(index: int) -> bytes | None:
        if suspect_from is not None and not 0 <= suspect_from <= index:
            raise InvalidInput(f"receipt {suspect_from} is not there yet; the log has {index}, so name one below that")
        since = index if suspect_from is None else suspect_from
        found = workspace.view.registry.keys[key]
        if found.revoked and found.until_index is not None and since >= found.until_index:
            return None  # it ended as early or earlier, and no word gives anything back
        return revocation_said(key, reason, since=since)

    return Planned(role=", ".join(sorted(known.roles)), key=key, custody=known.custody, said=payload)


def listed(workspace: Workspace) -> list[ListedKey]:
    """Return every key that the log knows, in the order in which it came to know them; nothing is made."""
    view = workspace.view
    names = workspace.names()
    return [
        ListedKey(
            roles=tuple(sorted(known.roles)),
            subject=known.subject,
            key=key.hex(),
            public_key=known.public_key.hex(),
            custody=known.custody,
            from_index=known.from_index,
            until_index=known.until_index,
            active=known.holds_at(view.index),
            here=any(_is_here(workspace, role, key) for role in known.roles),
            revoked=known.revoked,
            ended_by=known.ended_by,
            successor=known.successor.hex() if known.successor else "",
            name=next((names[r.partition(":")[2]] for r in known.roles if r.partition(":")[2] in names), ""),
        )
        for key, known in view.registry.keys.items()
    ]


async def anchored(workspace: Workspace, size: int) -> bool:
    """Return once a change of keys is anchored; False where no anchor is configured.

    Until then a thief of the log's key could still write another history of keys. Raises the error that says why it is
    not anchored, with what to do: the change itself is in the log.
    """
    if not workspace.anchoring.anchors or not size:
        return False
    try:
        await workspace.anchoring.wait(size)
    except SquadsError as error:
        raise type(error)(
            f"the change of keys is in the log and not anchored yet: {error}; do not rely on it until "
            "`squads anchors check` shows it outside"
        ) from error
    return True


async def opened(workspace: Workspace) -> None:
    """Read the workspace on; a log that is still empty is founded."""
    if await workspace.refresh() is None:
        await workspace.found(())


def role_named(workspace: Workspace, role: str) -> str:
    """Return a role as the log calls it. Raises `InvalidInput` for what has no key that could change."""
    if role == LOG:
        raise InvalidInput(
            "the log's key is not changed within one log: where it was stolen, stop, and found a new store "
            "(see the guide on keeping keys)"
        )
    try:
        kind, name = parse_role(role)
    except Malformed as error:
        raise InvalidInput(str(error)) from error
    if kind != "human" or _OPAQUE.fullmatch(name):
        return role  # a person may be named by their opaque id
    return workspace.spoken(role)


def one_key(workspace: Workspace, which: str) -> tuple[bytes, RegisteredKey]:
    """Return the key that is meant: by the beginning of its id, or the only live one of a role."""
    keys = workspace.view.registry.keys
    if len(which) >= PREFIX_CHARS_MIN and all(char in "0123456789abcdef" for char in which):
        found = [key for key in keys if key.hex().startswith(which)]
        if len(found) == 1:
            return found[0], keys[found[0]]
        raise InvalidInput(f"{'several keys begin' if found else 'no key begins'} with {which}; see `squads keys list`")
    role = role_named(workspace, which)
    live = [key for key, known in keys.items() if role in known.roles and known.until_index is None]
    if len(live) == 1:
        return live[0], keys[live[0]]
    if not live:
        raise InvalidInput(f"no key speaks as {which} now; name the key by its id, see `squads keys list`")
    shown = ", ".join(key.hex()[:16] for key in live)
    raise InvalidInput(f"{len(live)} keys speak as {which}; name the one that is meant: {shown}")


def _is_here(workspace: Workspace, role: str, key: bytes) -> bool:
    try:
        return workspace.keyring.has(role) and workspace.signer(role).key_id == key
    except KeyUnavailable:  # a file that cannot be read signs nothing
        return False
