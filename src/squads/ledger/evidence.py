"""Fork evidence: two notes that one log's key signed, and that no single log could have given.

    {"format": "squads.fork/v1", "older": NOTE, "newer": NOTE, "older_root": HEX, "path": [HEX, ...]}

Over the receipts that `older` covers, the log of `newer` has the root `older_root`, which `path` shows, and `older` was
signed over another one. Where both cover equally many, their roots differ and the path is empty. Whoever holds the
log's public key can check it, without the log and without anybody's word; it must never be believed unchecked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from squads.ledger.checkpoint import Checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.merkle import Edge
from squads.ledger.note import VerifierKey
from squads.ledger.proof import check_consistency, consistency_proof, root_at
from squads.ledger.statement import canonical_json, strict_json

FORK_FORMAT: Final = "squads.fork/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """What evidence shows: the log's key signed both, and at most one of them can be the log."""

    older: Checkpoint
    newer: Checkpoint
    older_root: bytes
    """The root that the newer one's log has over as many receipts as the older one covers."""


class Forked:
    """Makes evidence out of two signed notes and the log that the newer one is of.

    Feed it the leaf hashes of that log, in order, as many as the newer one covers; none where both cover equally many.
    """

    def __init__(self, older: str, newer: str, log_key: VerifierKey) -> None:
        """Take the notes. Raises `Malformed` for one that the log's key did not sign, or in another order."""
        self._notes = older, newer
        self._older, self._newer = verify_checkpoint(older, log_key), verify_checkpoint(newer, log_key)
        self._log_key = log_key
        self._edge = Edge()
        # Which hashes the proof takes is asked beforehand, so that a log of any length streams by.
        self._nodes: dict[tuple[int, int], bytes] = {}
        wanted: set[tuple[int, int]] = set()

        def blank(level: int, index: int) -> bytes:
            wanted.add((level, index))
            return bytes(32)

        consistency_proof(self._older.size, self._newer.size, blank)
        root_at(self._older.size, blank)
        self._wanted = wanted

    def feed(self, leaf_hashes: Sequence[bytes]) -> None:
        """Take the next leaf hashes; what lies beyond the newer note is passed over."""
        start = self._edge.size
        taken = leaf_hashes[: max(0, self._newer.size - start)]
        for index, digest in enumerate(taken, start):
            if (0, index) in self._wanted:
                self._nodes[0, index] = digest
        for level, index, digest in self._edge.extend(taken):
            if (level, index) in self._wanted:
                self._nodes[level, index] = digest

    def evidence(self) -> bytes:
        """Return the evidence, checked. Raises `Malformed` where these notes and this log show no fork."""
        older, newer = self._older.size, self._newer.size
        if older == newer:
            root, path = self._newer.root, []
        else:

            def node(level: int, index: int) -> bytes | None:
                return self._nodes.get((level, index))

            root, path = root_at(older, node), consistency_proof(older, newer, node)
        data = canonical_json(
            {
                "format": FORK_FORMAT,
                "older": self._notes[0],
                "newer": self._notes[1],
                "older_root": root.hex(),
                "path": [step.hex() for step in path],
            }
        )
        check_evidence(data, self._log_key)
        return data


def evidence_of(older: str, newer: str, log_key: VerifierKey, leaf_hashes: Iterable[bytes] = ()) -> bytes:
    """Return evidence from two signed notes and the leaf hashes of the newer one's log. Raises `Malformed`."""
    forked = Forked(older, newer, log_key)
    for digest in leaf_hashes:
        forked.feed((digest,))
    return forked.evidence()


def check_evidence(data: bytes, log_key: VerifierKey) -> Fork:
    """Return what the evidence shows, if it shows that this log's key signed two histories. Raises `Malformed`."""
    # 1. It says what evidence says, and nothing else.
    value = strict_json(data)
    if type(value) is not dict or value.keys() != {"format", "older", "newer", "older_root", "path"}:
        raise Malformed("fork evidence has exactly the fields format, older, newer, older_root, path")
    path = value["path"]
    if value["format"] != FORK_FORMAT or type(path) is not list:
        raise Malformed(f"fork evidence is of the format {FORK_FORMAT}, and its path is a list")
    if not all(type(text) is str for text in (value["older"], value["newer"], value["older_root"], *path)):
        raise Malformed("all else in fork evidence are strings")
    # 2. The log's key signed both notes.
    older, newer = (verify_checkpoint(value[name], log_key) for name in ("older", "newer"))
    # 3. The log of the newer note begins with another root than the older one has.
    root = _hash(value["older_root"])
    check_consistency(older.size, root, newer.size, newer.root, [_hash(step) for step in path])
    if root == older.root:
        raise Malformed("this is no fork: the newer checkpoint's log begins with the older one's")
    return Fork(older=older, newer=newer, older_root=root)


def _hash(text: str) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32 or found.hex() != text:
        raise Malformed("a hash in fork evidence is 64 lower-case hex digits")
    return found
