"""What somebody can do with a ledger's rows once they may write them: nothing here needs a key that is not given.

Rows are values; a `Surgeon` takes them out of a database and puts them back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from squads.adapters.keys import load_or_create
from squads.kernel.ports import Signer
from squads.ledger.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from squads.ledger.leaf import ZERO_HASH, Leaf, decode_leaf, encode_leaf, leaf_hash
from squads.ledger.merkle import Edge, Node
from squads.ledger.statement import PAYLOAD_TYPE, pae, statement_bytes
from squads.ledger.trust import Trust


class Row(NamedTuple):
    """One row of the log as a database has it."""

    seq: int
    stream: str
    position: int
    leaf: bytes
    leaf_hash: bytes

    @property
    def frame(self) -> Leaf:
        """The leaf, decoded."""
        return decode_leaf(self.leaf)

    @property
    def kind(self) -> str:
        """The receipt's kind."""
        return str(json.loads(self.frame.payload)["predicateType"].split(":")[2])

    @property
    def said(self) -> dict[str, Any]:
        """What it says: the predicate."""
        found: dict[str, Any] = json.loads(self.frame.payload)["predicate"]
        return found

    def altered(self, *, refit: bool = True, **change: Any) -> Row:
        """Return the row with another leaf, and with the hash that fits it unless `refit` is False."""
        raw = encode_leaf(self.frame._replace(**change))
        return self._replace(leaf=raw, leaf_hash=leaf_hash(raw) if refit else self.leaf_hash)


def framed(rows: Iterable[Row]) -> list[Row]:
    """Give every row the place at which it stands: number, link, time, hash and index. It takes no key."""
    made: list[Row] = []
    lengths: dict[str, int] = {}
    newest = 0
    for seq, row in enumerate(rows):
        newest = max(newest, row.frame.time_ms)
        prev = made[-1].leaf_hash if made else ZERO_HASH
        raw = encode_leaf(row.frame._replace(seq=seq, prev=prev, time_ms=newest))
        position = lengths.get(row.stream, 0)
        lengths[row.stream] = position + 1
        made.append(Row(seq, row.stream, position, raw, leaf_hash(raw)))
    return made


def nodes_over(rows: Sequence[Row]) -> list[Node]:
    """Return the tree's inner nodes over the rows."""
    return Edge().extend(row.leaf_hash for row in rows)


def signed(rows: Sequence[Row], origin: str, log: Signer, sizes: Iterable[int]) -> list[str]:
    """Return new checkpoints over what is there now: what only the log's key can make."""
    edge, made, wanted = Edge(), [], {size for size in sizes if 0 < size < len(rows)} | {len(rows)}
    for row in rows:
        edge.append(row.leaf_hash)
        if edge.size in wanted:
            made.append(sign_checkpoint(Checkpoint(origin, edge.size, edge.root()), log))
    return made


@dataclass
class Hand:
    """A ledger in an attacker's hand: its rows and checkpoints, and whatever keys the attack is given."""

    rows: list[Row]
    notes: list[str]
    trust: Trust
    keys: Path
    """Where the workspace's private keys are; an attack takes from it only what its name says."""
    recomputed: bool = True
    """False: nodes stay as they were, as after a plain edit."""
    nodes: list[Node] = field(default_factory=list)

    def key(self, name: str) -> Signer:
        """Return a key that this attacker has."""
        return load_or_create(self.keys / f"{name}.key")

    def place(self, kind: str, *, nth: int = 0, **said: Any) -> int:
        """Return where the `nth` receipt of a kind stands that says all this."""
        found = [
            row.seq
            for row in self.rows
            if row.kind == kind and all(row.said.get(name) == value for name, value in said.items())
        ]
        return found[nth]

    def packets(self) -> list[str]:
        """Return the packets' streams, oldest first."""
        return [row.stream for row in self.rows if row.kind == "opened"]

    def sizes(self) -> list[int]:
        """Return how far each checkpoint goes."""
        return [parse_checkpoint(note).size for note in self.notes]

    def reframe(self) -> None:
        """Make numbers, links, hashes, index and nodes fit."""
        self.rows = framed(self.rows)

    def cut(self, size: int) -> None:
        """Keep the first `size` receipts, and the checkpoints that fitted then."""
        self.rows = self.rows[:size]
        self.notes = [note for note in self.notes if parse_checkpoint(note).size <= size]

    def resign(self) -> None:
        """Sign checkpoints anew, with the log's own key."""
        self.notes = signed(self.rows, self.trust.origin, self.key("log"), self.sizes())


def statement(kind: str, said: dict[str, Any], *signers: tuple[bytes, Signer], like: Row) -> Row:
    """Return a row that says `said`, signed by each signer under the key id given, in the place of `like`."""
    payload = statement_bytes(kind, _subjects(like), said)
    signatures = tuple(sorted((key, signer.sign(pae(PAYLOAD_TYPE, payload))) for key, signer in signers))
    return like.altered(payload=payload, signatures=signatures)


def _subjects(row: Row) -> list[tuple[str, str]]:
    return [(one["name"], one["digest"]["sha256"]) for one in json.loads(row.frame.payload)["subject"]]


Attack = Callable[[Hand], None]
