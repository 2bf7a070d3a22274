"""Who said it, and were they allowed to: statements, signatures and roles, read along the log.

It replays the key registry as the log replays it, by index, so that a key speaks only from where it was
registered to where it was rotated away. It must never use a key that the log itself did not register under
the trusted root.
"""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from squads.ledger.actors import Actors
from squads.ledger.errors import Malformed
from squads.ledger.heads import Heads
from squads.ledger.keys import Registry, key_id, verify_signature
from squads.ledger.leaf import Leaf, decode_leaf
from squads.ledger.report import Tally
from squads.ledger.statement import PAYLOAD_TYPE, Statement, pae, parse_statement
from squads.ledger.trust import Trust

Signed = tuple[int, bytes, bytes, bytes]
"""(seq, public key, signature, signed bytes)."""


class Witness:
    """Reads receipts in order and tells the tally what is wrong with their statements and signers."""

    __slots__ = ("_last_signed", "_pending", "_tally", "_trust", "actors", "heads", "registry")

    registry: Registry | None
    """Who may sign what, after the receipts read so far; None until a sound entry 0 was read."""

    def __init__(self, trust: Trust, tally: Tally) -> None:
        """Believe `trust`; tell `tally`."""
        self._trust = trust
        self._tally = tally
        self._last_signed: dict[bytes, int] = {}
        self._pending: list[Signed] = []
        self.actors = Actors(tally)
        self.heads = Heads(tally)
        self.registry = None

    def read(self, seq: int, data: bytes, *, opening_only: bool = False) -> None:
        """Check one receipt.

        A leaf that cannot be decoded is named by the structure checks and passed over here.
        """
        try:
            leaf = decode_leaf(data)
        except Malformed:
            if seq == 0:
                self._tally.fail("opening", "entry 0 cannot be read, so no key is known; restore it", 0)
            return
        statement = self._statement(seq, leaf)
        if seq == 0:
            self._open(leaf, statement)
        registry = self.registry
        if opening_only:
            return
        if registry is None:
            for check in ("signature", "role"):
                self._tally.note(check, "unchecked", "no sound entry 0 was read, so no key is known", seq)
            return
        # 1. Every signature is genuine, and by a key that the log knows.
        message = pae(leaf.payload_type, leaf.payload)
        for key, signature in leaf.signatures:
            self._last_signed[key] = seq
            public = registry.public_key(key)
            if public is None:
                self._tally.fail("role", f"receipt {seq} is signed by an unknown key, {key.hex()[:16]}", seq)
            else:
                self._pending.append((seq, public, signature, message))
        # 2. Every signer may say this, here.
        if statement is None or seq == 0:
            return
        signers = [key for key, _ in leaf.signatures]
        if not registry.may_sign(signers, statement.kind, seq, statement.predicate):
            self._tally.fail(
                "role",
                f"receipt {seq}: its signer held no role that may sign a {statement.kind!r} at this index; do not "
                "rely on this receipt",
                seq,
            )
        elif statement.kind == "key-event" and self.settle():
            # A key event counts for the very next receipt, so its signatures cannot wait.
            self._key_event(registry, seq, statement.predicate, signers)
        else:
            # 3. What a gate says of itself and of the log fits in.
            self.actors.read(seq, statement.kind, statement.predicate, signers[0], leaf.payload)
            if statement.kind == "verdict" and statement.predicate.get("tree_head") is not None:
                self.heads.claim(seq, statement.predicate["tree_head"])

    def settle(self, pool: Executor | None = None, threads: int = 1) -> bool:
        """Verify the signatures read since the last call; say whether the newest receipt's were genuine.

        OpenSSL verifies outside the interpreter's lock, so that threads of a pool share the work.
        """
        pending, self._pending = self._pending, []
        if pool is None or not pending:
            forged = _forged(pending)
        else:
            share = -(-len(pending) // threads)
            shares = [pending[start : start + share] for start in range(0, len(pending), share)]
            forged = [seq for found in pool.map(_forged, shares) for seq in found]
        for seq in forged:
            self._tally.fail(
                "signature",
                f"receipt {seq}: a signature is not over these bytes, or not by the key it names; do not rely on "
                f"this receipt",
                seq,
            )
        return not pending or pending[-1][0] not in forged

    def _statement(self, seq: int, leaf: Leaf) -> Statement | None:
        if leaf.payload_type != PAYLOAD_TYPE:
            message = f"receipt {seq} is of the unknown payload type {leaf.payload_type[:60]!r}"
            self._tally.fail("statement", message, seq)
            return None
        try:
            statement = parse_statement(leaf.payload)
        except Malformed as error:
            self._tally.fail("statement", f"receipt {seq} cannot be read in one way only: {error}", seq)
            return None
        if (statement.kind == "log-open") != (seq == 0):
            self._tally.fail("statement", f"receipt {seq}: a log is opened by entry 0, and only there", seq)
            return None
        return statement

    def _open(self, leaf: Leaf, statement: Statement | None) -> None:
        fail = self._tally.fail
        if statement is None:
            fail("opening", "entry 0 does not open a log; this is no ledger of squads, or its start was cut", 0)
            return
        root = key_id(self._trust.root_public_key)
        try:
            registry = Registry.open(statement.predicate, [key for key, _ in leaf.signatures])
        except Malformed as error:
            fail("opening", f"entry 0 does not open the log as it must: {error}", 0)
            return
        message = pae(leaf.payload_type, leaf.payload)
        if not any(
            key == root and verify_signature(self._trust.root_public_key, signature, message)
            for key, signature in leaf.signatures
        ):
            fail("opening", "entry 0 is not signed by the trusted root; is trust.json of another workspace?", 0)
            return
        if registry.origin != self._trust.origin or registry.log_public_key != self._trust.log_key.public_key:
            fail("opening", "entry 0 opens a log of another origin or log key than trust.json names", 0)
            return
        self.registry = registry

    def _key_event(self, registry: Registry, seq: int, predicate: dict[str, Any], signers: list[bytes]) -> None:
        try:
            self.registry = registry.apply(predicate, seq, signers)
        except Malformed as error:
            self._tally.fail("role", f"receipt {seq} changes keys as nobody may: {error}", seq)
            return
        if predicate["event"] == "revoke":
            since = predicate["suspect_from_index"]
            last = self._last_signed.get(bytes.fromhex(predicate["key"]), -1)
            if last >= since:
                self._tally.note(
                    "suspect",
                    "warned",
                    f"key {predicate['key'][:16]} signed receipts between {since} and {last}, and receipt {seq} "
                    f"declares it suspect from {since} on ({predicate['reason']}): have what it said judged again",
                    since,
                )


def _forged(signed: list[Signed]) -> list[int]:
    """Return the receipts whose signature does not verify, in order."""
    return [seq for seq, public, signature, message in signed if not verify_signature(public, signature, message)]
