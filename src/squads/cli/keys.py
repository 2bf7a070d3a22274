"""`squads keys`: found a workspace with its root key elsewhere; add, rotate, revoke and list keys."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from rich.text import Text

from squads.adapters import git
from squads.adapters.keys import create
from squads.cli import show
from squads.cli.gate import default_store, project_for
from squads.cli.hosted import ONE_TASK, servable, spoken
from squads.cli.key_changes import Given, as_data, at_workspace, print_changes
from squads.cli.key_requests import ask
from squads.cli.readable import line
from squads.contracts.errors import InvalidInput, KeyUnavailable, NotAWorkTree, StorageUnavailable
from squads.enrolment import enrol, read_request, roles_registered
from squads.gates.builtin import built_in
from squads.kernel.ports import Custody, Signer
from squads.kernel.receipts import Receipt, receipt_of
from squads.key_events import (
    KeyChange,
    ListedKey,
    add_key,
    anchored,
    listed,
    plan_add,
    plan_revoke,
    plan_rotate,
    revoke_key,
    role_named,
    rotate_key,
)
from squads.ledger.leaf import decode_leaf
from squads.resolve import name_of
from squads.stores import ROOT, Place, keys_of, trust_in
from squads.suspects import SuspectPacket, suspect_packets, what_to_do
from squads.workspace import OWNER, Workspace

CHANGE = "builder:change"
"""Who brings a change that `squads gate` judges."""


def found_workspace(root: Path | None, *, store: Place | None, as_json: bool) -> int:
    """Found a workspace, with its root's key in a new file where one is named, and return 0."""
    where = store or default_store()
    if _is_founded(where):
        raise InvalidInput(f"{where} keeps a workspace already; `squads keys list` shows its keys")
    if root is not None:
        _check_outside(root, where if isinstance(where, Path) else None)
    signer = None if root is None else create(root)
    try:
        keys, size = asyncio.run(_founded(where, signer))
    except BaseException:
        if root is not None and not _is_founded(where):
            root.unlink(missing_ok=True)  # nothing was founded with it
        raise
    kept = root or keys / f"{ROOT}.key"
    if as_json:
        data = {"store": str(where), "root": str(kept), "keys": str(keys), "size": size, "exit_code": 0}
        sys.stdout.write(json.dumps(data) + "\n")
        return 0
    out = show.console()
    out.print(Text(f"Founded a workspace in {show.one_line(str(where))}.", style="bold green"))
    line(out, ("root key    ", "bold"), show.one_line(str(kept)))
    if root is not None:
        line(
            out,
            "It signs what is said of keys and policies, and nothing else needs it: take it off this machine,",
            indent=14,
        )
        line(out, "keep a copy in another place, and bring it with --root FILE when a key changes.", indent=14)
    else:
        line(
            out,
            "It is on this machine; `squads keys init --root FILE` founds a workspace that has it elsewhere.",
            indent=14,
        )
    line(out, ("other keys  ", "bold"), show.one_line(str(keys)))
    line(out, "Back them up together with the checkpoints there, apart from the store.", indent=14)
    line(out, ("trust.json  ", "bold"), show.one_line(str((where if isinstance(where, Path) else keys) / "trust.json")))
    line(out, "Give it to everybody who shall check this ledger, by a way that you trust.", indent=14)
    return 0


def add(roles: list[str], given: Given, *, public_key: str | None, custody: str | None, enrolment: str | None) -> int:
    """Register keys, print what became of each, and return 0."""
    if enrolment is not None and (roles or public_key):
        raise InvalidInput("an enrolment says itself which roles and keys it is about; give it alone")
    if public_key is not None and len(roles) != 1:
        raise InvalidInput("a public key is registered for exactly one role: squads keys add ROLE --public-key HEX")
    if custody is not None and public_key is None:
        raise InvalidInput("this machine's keys say their custody themselves; --custody goes with --public-key")
    raw = None if public_key is None else _raw(public_key)
    if given.request is not None:
        if len(roles) != 1:
            raise InvalidInput("a request is about one key: squads keys add ROLE --request FILE")
        return ask(given, lambda w: plan_add(w, roles[0], public_key=raw, custody=cast("Custody | None", custody)))

    async def doing(workspace: Workspace) -> tuple[list[KeyChange], bool]:
        if enrolment is not None:
            changes = await _enrolled(workspace, enrolment)
        elif roles:
            changes = [
                await add_key(workspace, role, public_key=raw, custody=cast("Custody | None", custody))
                for role in dict.fromkeys(roles)
            ]
            named = [role.partition(":")[2] for role in roles if role_named(workspace, role) != role]
            workspace.introduce(named)  # people, whose names the log does not have
        else:
            changes = await _all_added(workspace)
        return changes, await anchored(workspace, max(one.size for one in changes))

    changes, outside = at_workspace(given, doing)
    print_changes(changes, outside, "Registered", "Nothing to do: registered before", given)
    return 0


def rotate(role: str, given: Given) -> int:
    """Rotate a role's key, print what became of it, and return 0."""
    if given.request is not None:
        return ask(given, lambda workspace: plan_rotate(workspace, role))

    async def doing(workspace: Workspace) -> tuple[KeyChange, bool]:
        change = await rotate_key(workspace, role)
        return change, await anchored(workspace, change.size)

    change, outside = at_workspace(given, doing)
    print_changes([change], outside, "Rotated", "Finished the rotation that was interrupted", given)
    return 0


def revoke(which: str, given: Given, *, reason: str, suspect_from: int | None) -> int:
    """Revoke a key, print what rests on what it said, and return 0."""
    if given.request is not None:
        return ask(given, lambda w: plan_revoke(w, which, reason=reason, suspect_from=suspect_from))

    async def doing(workspace: Workspace) -> tuple[KeyChange, int, tuple[SuspectPacket, ...], bool]:
        change, since = await revoke_key(workspace, which, reason=reason, suspect_from=suspect_from)
        suspects = [s for s in suspect_packets(await _receipts(workspace)) if change.key in s.keys]
        return change, since, tuple(suspects), await anchored(workspace, change.size)

    change, since, suspects, outside = at_workspace(given, doing)
    if given.as_json:
        data = {
            **as_data(change),
            "suspect_from": since,
            "suspects": [one.model_dump(mode="json") for one in suspects],
            "anchored": outside,
            "exit_code": 0,
        }
        sys.stdout.write(json.dumps(data) + "\n")
        return 0
    print_changes([change], outside, "Revoked", "Nothing to do: it ended as early before", given)
    out = show.console()
    line(out, f"What it signed from receipt {since} on does not count.")
    if reason == "compromised" and suspect_from is None:
        line(out, "If it was stolen earlier, say since when: run this again with --suspect-from INDEX.")
    for sentence in filter(None, what_to_do(suspects).split("; ")):
        line(out, sentence[0].upper() + sentence[1:] + ".")
    return 0


def show_keys(given: Given) -> int:
    """Print every key, and return 0."""

    async def doing(workspace: Workspace) -> tuple[str, list[ListedKey]]:
        return workspace.id, listed(workspace)

    workspace, keys = at_workspace(given, doing)
    if given.as_json:
        data = {"workspace": workspace, "keys": [key.model_dump(mode="json") for key in keys], "exit_code": 0}
        sys.stdout.write(json.dumps(data) + "\n")
        return 0
    out = show.console()
    out.print(Text(f"Keys of workspace {workspace}", style="bold"))
    for key in keys:
        who = ", ".join(key.roles) + (f" ({show.one_line(key.name)})" if key.name else "")
        line(out, (f"{who:<32}", "bold"), f" {key.key[:16]}  {key.custody:<10}  {_standing(key)}")
    return 0


def _standing(key: ListedKey) -> str:
    where = "here" if key.here else "elsewhere"
    if key.until_index is None:
        return f"{'from' if key.active else 'not before'} receipt {key.from_index}, {where}"
    if key.revoked:
        return f"receipts {key.from_index} to {key.until_index - 1}, revoked ({key.revoked}) at receipt {key.ended_by}"
    return f"receipts {key.from_index} to {key.until_index - 1}, rotated to {key.successor[:16]}"


def _is_founded(place: Place) -> bool:
    if isinstance(place, Path):
        return (place / "trust.json").exists()
    try:
        trust_in(place)
    except StorageUnavailable:
        return False
    except KeyUnavailable:  # it holds the workspace of another machine
        return True
    return True


def _check_outside(root: Path, store: Path | None) -> None:
    """A root key never stands where it is copied, committed or lost together with what it vouches for."""
    parent = root.resolve().parent
    if not parent.is_dir():
        raise InvalidInput(f"there is no directory {parent}; make it, or mount the disk that the root key goes to")
    inside = store is not None and (parent == store.resolve() or store.resolve() in parent.parents)
    with suppress(NotAWorkTree):
        inside = inside or bool(git.top_of(parent))
    if inside:
        raise InvalidInput(f"{root} stands in a work tree or a store; keep the root key outside, best on another disk")


async def _founded(store: Place, root: Signer | None) -> tuple[Path, int]:
    """Found a workspace with keys for the roles of this project, and return where keys are and the log's size."""
    workspace = Workspace.open(store, root=root)
    try:
        await workspace.refresh()
        await workspace.found(_needed(workspace))
        workspace.introduce([OWNER])
        return keys_of(workspace.trust), workspace.view.index
    finally:
        await workspace.close()


def _needed(workspace: Workspace) -> list[str]:
    """Return the roles that the commands need here: those of the project, or of the checks that judge without one."""
    project = project_for()
    if project is not None:
        roles = list(spoken(servable(project)).values())
    else:
        roles = [f"coordinator:{ONE_TASK}", *(f"gate:{name_of(gate)}" for gate in built_in())]
    return [*dict.fromkeys([*roles, CHANGE]), f"human:{workspace.person(OWNER)}"]


async def _all_added(workspace: Workspace) -> list[KeyChange]:
    """Register this machine's keys for every role of the project; one that was revoked is named, and not renewed."""
    needed = _needed(workspace)
    before = set(workspace.view.registry.keys)
    await workspace.found(needed)
    size = workspace.view.index
    found = {role: workspace.signer(role) for role in needed}
    return [
        KeyChange(role=role, key=key.key_id.hex(), custody=key.custody, fresh=key.key_id not in before, size=size)
        for role, key in found.items()
    ]


async def _enrolled(workspace: Workspace, given: str) -> list[KeyChange]:
    project = project_for()
    known = {*roles_registered(workspace), *(spoken(servable(project)).values() if project else ())}
    request = read_request(given, workspace=workspace.id, known=known, now_ms=workspace.clock.now_ms())
    done = await enrol(workspace, request)
    size = workspace.view.index
    return [KeyChange(role=o.role, key=o.key, custody="in-process", fresh=o.fresh, size=size) for o in done]


async def _receipts(workspace: Workspace) -> Callable[[], list[Receipt]]:
    found: list[Receipt] = []
    async for seq, leaf, _ in workspace.ledger.scan():
        decoded = decode_leaf(leaf)
        keys = tuple(key for key, _ in decoded.signatures)
        found.append(receipt_of(seq, decoded.payload_type, decoded.payload, keys, decoded.time_ms))
    return lambda: found


def _raw(public_key: str) -> bytes:
    try:
        return bytes.fromhex(public_key)
    except ValueError:
        raise InvalidInput("a public key is written as 64 hex digits; `squads keys list --json` shows others") from None
