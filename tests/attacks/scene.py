"""A real workspace to be attacked: two packets that a gate first refused and then let through, in a real database."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attacker import Attack, Hand, nodes_over
from surgeon import SqliteSurgeon, Surgeon

from squads import Approved, Composed, Finding, Packet, Squad, WorkspaceBudget
from squads.adapters.checkpoint_file import read_checkpoint_file
from squads.audit import Audit, audit
from squads.contracts.errors import SquadsError
from squads.contracts.packet import Budget
from squads.ledger.report import Report
from squads.ledger.trust import Trust
from squads.ledger.verify import verify_log
from squads.stores import CHECKPOINTS, keys_of
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace

NO = Finding(invariant="patch.signature-bypass", message="the signature is not checked")


def squad(store: Path | str, keys: Path, packets: int) -> Squad:
    """Return the squad: its gate refuses the first attempt of each packet, and lets the second through."""
    files = [{f"{packet}.py": f"attempt = {attempt}"} for packet in range(packets) for attempt in (1, 2)]
    return Squad(
        builder=ScriptedBuilder(*files, prior="builds"),
        gates=[ScriptedGate("style", *[NO, Approved()] * packets, prior="reads")],
        store=store,
        keys=keys,
        workspace_budget=WorkspaceBudget(tokens_max=1_000),
    )


async def lived(store: Path | str, keys: Path, packets: int = 2) -> None:
    """Found the workspace, if it is not there, and run packets in it."""
    async with squad(store, keys, packets) as made:
        for number in range(packets):
            outcome = await made.run(Packet(brief=f"Patch {number}.", budget=Budget(tokens_max=10)))
            assert isinstance(outcome, Composed), outcome


@dataclass
class Scene:
    """One workspace in one database, and everything about it that an attack or an auditor uses."""

    store: Path
    keys: Path
    surgeon: Surgeon

    @property
    def trust(self) -> Trust:
        beside = next(self.keys.glob("*/trust.json"), self.store / "trust.json")
        return Trust.from_json(beside.read_bytes())

    @property
    def own(self) -> Path:
        """Where this workspace's keys and its built-in checkpoint file are."""
        return keys_of(self.trust, self.keys)

    @property
    def outside(self) -> list[str]:
        """The notes of the built-in checkpoint file."""
        return list(read_checkpoint_file(self.own / CHECKPOINTS))

    def attack(self, how: Attack, *, log_key: bool = False) -> None:
        """Let an attacker at the database; with the log's key, and at the built-in checkpoint file, if they have it."""
        hand = Hand(rows=self.surgeon.rows(), notes=self.surgeon.notes(), trust=self.trust, keys=self.own)
        how(hand)
        if log_key:
            hand.resign()
            self.write_outside(hand.notes)
        self.surgeon.put(hand.rows, hand.notes, nodes_over(hand.rows) if hand.recomputed else None)

    def write_outside(self, notes: Sequence[str]) -> None:
        """Rewrite the built-in checkpoint file."""
        (self.own / CHECKPOINTS).write_text("".join(f"{json.dumps(note)}\n" for note in notes))

    @property
    def location(self) -> Path | str:
        """What a squad is given as its store."""
        return self.surgeon.location or self.store

    def copy_database(self) -> Any:
        """Make a backup of the database, and of nothing beside it."""
        return self.surgeon.backup()

    def restore_database(self, copy: Any) -> None:
        """Put a backup in the database's place."""
        self.surgeon.restore(copy)

    def audit(self) -> Audit:
        """Return what `squads verify` finds."""
        return audit(self.location, keys=self.keys)

    def caught_by(self) -> tuple[str, ...]:
        """Return the checks that fail, in the order in which `squads verify` tells them."""
        return tuple(found.check for found in self.audit().failed)

    def against(self, held: Sequence[str]) -> Report:
        """Verify the log against checkpoints that somebody else holds."""
        rows = ((row.seq, row.leaf, row.leaf_hash) for row in self.surgeon.rows())
        return verify_log(rows, trust=self.trust, checkpoints=self.surgeon.notes(), outside=held)

    async def start(self) -> str:
        """Open it for writing and found it, as every run begins; return the error's name, or "opens"."""
        try:
            made = Workspace.open(self.location, keys=self.keys)
        except SquadsError as error:
            return type(error).__name__
        try:
            await made.found(["gate:style", "builder:builder"])
        except SquadsError as error:
            return type(error).__name__
        finally:
            await made.close()
        return "opens"


def sqlite_scene(template: Path, where: Path) -> Scene:
    """Return a copy of a workspace in SQLite."""
    shutil.copytree(template, where, copy_function=shutil.copy)
    return Scene(where / "store", where / "keys", SqliteSurgeon(where / "store" / "ledger.db"))


def said(report: Report) -> Mapping[str, str]:
    """Return the failed checks and their messages."""
    return {found.check: found.message for found in report.failed}
