"""Receipts of a bundle, one by one: is it in the log, what does it say, who signed it, and were they allowed to?

It replays the key registry as the log replays it, by index, so that a key speaks only from where it was registered to
where it was rotated away. It must never hand on a receipt of which any of this is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from squads.ledger.bundle import Included
from squads.ledger.checkpoint import Checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.keys import Registry, key_id, verify_signature
from squads.ledger.leaf import leaf_hash
from squads.ledger.packet import Witnessed
from squads.ledger.proof import check_inclusion
from squads.ledger.report import Tally
from squads.ledger.shapes import check_shape
from squads.ledger.statement import PAYLOAD_TYPE, Statement, pae, parse_statement
from squads.ledger.trust import Trust


class Reader:
    """Goes through the receipts in order and keeps those that can be relied on."""

    def __init__(self, trust: Trust, checkpoint: Checkpoint, tally: Tally) -> None:
        self._trust = trust
        self._checkpoint = checkpoint
        self._tally = tally
        self._found: list[Witnessed] = []
        self._changed: list[tuple[int, list[bytes]]] = []
        self.registry: Registry | None = None

    def witnessed(self) -> list[Witnessed]:
        """Return the receipts that stand in the log and were signed by whoever may say so, in order."""
        registry = self.registry
        if registry is None:
            return []
        for seq, signers in self._changed:
            if not any(registry.keys[key].holds_at(seq) and "root" in registry.keys[key].roles for key in signers):
                message = (
                    f"receipt {seq} changes keys by the word of a root that was later declared suspect from before it"
                )
                self._tally.note("suspect", "warned", f"{message}: ask whether those keys are the right ones", seq)
        found = []
        for receipt in self._found:
            # A revocation reaches back: what the key signed from `suspect_from_index` on no longer counts.
            still = registry.keys[bytes.fromhex(receipt.key)].holds_at(receipt.seq)
            if not still:
                message = f"receipt {receipt.seq} was signed by a key that was later declared suspect from before it"
                self._tally.note("suspect", "warned", message, receipt.seq)
            found.append(receipt._replace(suspect=not still))
        return found

    def read(self, receipt: Included) -> None:
        """Check one receipt; keep it if it is sound."""
        leaf, seq = receipt.leaf, receipt.leaf.seq
        try:
            check_inclusion(leaf_hash(receipt.data), seq, self._checkpoint.size, self._checkpoint.root, receipt.path)
        except Malformed as error:
            self._tally.fail("inclusion", f"receipt {seq} is not shown to be in the log: {error}", seq)
            return
        try:
            statement = self._statement(receipt)
        except Malformed as error:
            self._tally.fail("statement", f"receipt {seq} cannot be read in one way only: {error}", seq)
            return
        if seq == 0:
            self._open(receipt, statement)
            return
        registry = self.registry
        if registry is None:
            return
        # Every signature is genuine, and by a key that may say this here.
        signers = [key for key, _ in leaf.signatures]
        message = pae(leaf.payload_type, leaf.payload)
        for key, signature in leaf.signatures:
            public = registry.public_key(key)
            if public is None or not verify_signature(public, signature, message):
                text = f"receipt {seq}: a signature is not over these bytes, or by a key that the log does not know"
                self._tally.fail("signature", f"{text}; do not rely on this receipt", seq)
                return
        if not registry.may_sign(signers, statement.kind, seq, statement.predicate) or (
            len(signers) != 1 and statement.kind != "key-event"
        ):
            self._tally.fail(
                "role",
                f"receipt {seq}: its signer held no role that may sign a {statement.kind!r} at this index; do not "
                "rely on this receipt",
                seq,
            )
            return
        if statement.kind == "key-event":
            try:
                self.registry = registry.apply(statement.predicate, seq, signers)
                self._changed.append((seq, signers))
            except Malformed as error:
                self._tally.fail("role", f"receipt {seq} changes keys as nobody may: {error}", seq)
            return
        if statement.subjects != (_subject_of(statement),):
            self._tally.fail("binding", f"receipt {seq}: its subject is another than its predicate speaks of", seq)
            return
        if statement.predicate["workspace"] != registry.workspace:
            self._tally.fail("binding", f"receipt {seq} belongs to another workspace than this log", seq)
            return
        key = signers[0]
        self._found.append(
            Witnessed(
                seq=seq,
                time_ms=leaf.time_ms,
                kind=statement.kind,
                said=statement.predicate,
                digest=sha256(leaf.payload).hexdigest(),
                key=key.hex(),
                roles=registry.roles_of(key, seq),
                custody=registry.keys[key].custody,
            )
        )

    def _statement(self, receipt: Included) -> Statement:
        leaf = receipt.leaf
        if leaf.payload_type != PAYLOAD_TYPE:
            raise Malformed(f"the payload type {leaf.payload_type[:60]!r} is unknown")
        statement = parse_statement(leaf.payload)
        if (statement.kind == "log-open") != (leaf.seq == 0):
            raise Malformed("a log is opened by entry 0, and only there")
        check_shape(statement.kind, statement.predicate)
        return statement

    def _open(self, receipt: Included, statement: Statement) -> None:
        fail, leaf = self._tally.fail, receipt.leaf
        root = key_id(self._trust.root_public_key)
        message = pae(leaf.payload_type, leaf.payload)
        try:
            registry = Registry.open(statement.predicate, [key for key, _ in leaf.signatures])
        except Malformed as error:
            fail("opening", f"entry 0 does not open the log as it must: {error}", 0)
            return
        if not any(
            key == root and verify_signature(self._trust.root_public_key, signature, message)
            for key, signature in leaf.signatures
        ):
            fail("opening", "entry 0 is not signed by the trusted root; is trust.json of another workspace?", 0)
        elif not all(
            verify_signature(registry.keys[key].public_key, signature, message) for key, signature in leaf.signatures
        ):
            self._tally.fail("signature", "entry 0: another root's signature is not over these bytes", 0)
        elif registry.origin != self._trust.origin or registry.log_public_key != self._trust.log_key.public_key:
            fail("opening", "entry 0 opens a log of another origin or log key than trust.json names", 0)
        else:
            self.registry = registry


def _subject_of(statement: Statement) -> tuple[str, str]:
    """Return the subject that a statement with this predicate must name."""
    said: Mapping[str, Any] = statement.predicate
    if statement.kind not in ("grant", "erasure"):  # their `subject` is no digest
        for field in ("subject", "artifact", "content", "about"):
            if isinstance(said.get(field), str):
                return field, said[field]
    named = "packet" if statement.kind not in _OF_THE_WORKSPACE else "workspace"
    return named, sha256(said[named].encode()).hexdigest()


_OF_THE_WORKSPACE: Final = frozenset({"grant", "policy", "calibration", "erasure", "stop", "lift"})
