"""The attacks on a ledger's rows, each with the checks that catch it: the table of the threat model, as code.

An attack is one function on the rows. `docs/explanation/threat-model.md` shows this table, and a test holds it to it.
"""

from __future__ import annotations

from typing import NamedTuple

from attacker import Attack, Hand, statement

from squads.adapters.keys import InProcessSigner

MALLORY = InProcessSigner(b"\x66" * 32)
"""A key that the attacker made."""


class Case(NamedTuple):
    """One row of the matrix."""

    attack: Attack
    alone: str
    """The checks of `squads verify` that fail where the attacker has the database and nothing else."""
    start: str
    """What opening the ledger for writing says to that. Where it `opens`, the spoiled receipt stands in the middle: it
    is found when its packet is read, and by `squads verify`."""
    with_log_key: str | None
    """The checks that still fail where the attacker also holds the log's key and rewrites the built-in checkpoint file,
    so that every checkpoint in sight is genuine; None where nothing was recomputed, and the key helps nobody."""
    anchor: str
    """What a checkpoint that an anchor took of the sound ledger says to that."""


def edit(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    payload = hand.rows[at].frame.payload.replace(b'"refused"', b'"allowed"')
    hand.rows[at] = hand.rows[at].altered(refit=False, payload=payload)
    hand.recomputed = False


def edit_and_recompute(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    payload = hand.rows[at].frame.payload.replace(b'"refused"', b'"approved"')
    hand.rows[at] = hand.rows[at].altered(payload=payload)
    hand.reframe()


def insert(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    hand.rows.insert(at, hand.rows[at])
    hand.reframe()


def insert_behind_the_end(hand: Hand) -> None:
    hand.rows.append(hand.rows[hand.place("verdict", decision="approved")])
    hand.reframe()


def reorder(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    one, other = hand.rows[at], hand.rows[at + 1]
    hand.rows[at] = one._replace(leaf=other.leaf, leaf_hash=other.leaf_hash)
    hand.rows[at + 1] = other._replace(leaf=one.leaf, leaf_hash=one.leaf_hash)
    hand.recomputed = False


def reorder_and_recompute(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    hand.rows[at], hand.rows[at + 1] = hand.rows[at + 1], hand.rows[at]
    hand.reframe()


def delete(hand: Hand) -> None:
    del hand.rows[hand.place("verdict", decision="refused")]
    hand.recomputed = False


def delete_a_refusal_and_recompute(hand: Hand) -> None:
    del hand.rows[hand.place("verdict", decision="refused")]
    hand.reframe()


def delete_a_refused_attempt_and_recompute(hand: Hand) -> None:
    packet = hand.packets()[0]
    first = hand.place("artifact", packet=packet)
    again = hand.place("artifact", packet=packet, nth=1)
    # What stands between is the first attempt's ticket, its refusal, and the second assignment.
    del hand.rows[first:again]
    hand.reframe()


def delete_a_packet_and_recompute(hand: Hand) -> None:
    packet = hand.packets()[0]
    hand.rows = [row for row in hand.rows if row.stream != packet]
    hand.reframe()


def replay_an_old_approval(hand: Hand) -> None:
    """The gate's genuine word on the first packet, in the place of its refusal of the second."""
    first, second = hand.packets()
    old = hand.rows[hand.place("verdict", packet=first, decision="approved")]
    at = hand.place("verdict", packet=second, decision="refused")
    hand.rows[at] = old._replace(stream=second)
    hand.reframe()


def builder_signs_as_itself(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    builder = hand.key("builder-builder")
    hand.rows[at] = statement(
        "verdict", hand.rows[at].said | {"decision": "approved"}, (builder.key_id, builder), like=hand.rows[at]
    )
    hand.reframe()


def builder_claims_to_be_the_gate(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    ((gate, _),) = hand.rows[at].frame.signatures
    hand.rows[at] = statement(
        "verdict",
        hand.rows[at].said | {"decision": "approved"},
        (gate, hand.key("builder-builder")),
        like=hand.rows[at],
    )
    hand.reframe()


def stranger_signs(hand: Hand) -> None:
    at = hand.place("verdict", decision="refused")
    hand.rows[at] = statement(
        "verdict", hand.rows[at].said | {"decision": "approved"}, (MALLORY.key_id, MALLORY), like=hand.rows[at]
    )
    hand.reframe()


def open_the_log_again(hand: Hand) -> None:
    """A second entry of the kind that says whose log it is, under the attacker's root."""
    said = hand.rows[0].said | {"root_public_keys": [MALLORY.public_key.hex()]}
    hand.rows.append(statement("log-open", said, (MALLORY.key_id, MALLORY), like=hand.rows[0]))
    hand.reframe()


def open_another_log(hand: Hand) -> None:
    """Entry 0 itself, under the attacker's root."""
    said = hand.rows[0].said | {"root_public_keys": [MALLORY.public_key.hex()]}
    hand.rows[0] = statement("log-open", said, (MALLORY.key_id, MALLORY), like=hand.rows[0])
    hand.reframe()


def register_without_the_root(hand: Hand) -> None:
    """The runner's key, which the attacker is given here, makes a gate of theirs."""
    said = hand.rows[1].said | {
        "key": MALLORY.key_id.hex(),
        "public_key": MALLORY.public_key.hex(),
        "roles": ["gate:style"],
    }
    runner = hand.key("runner")
    hand.rows.append(statement("key-event", said, (runner.key_id, runner), like=hand.rows[1]))
    hand.reframe()


def register_in_the_roots_name(hand: Hand) -> None:
    said = hand.rows[1].said | {
        "key": MALLORY.key_id.hex(),
        "public_key": MALLORY.public_key.hex(),
        "roles": ["gate:style"],
    }
    ((root, _),) = hand.rows[0].frame.signatures
    hand.rows.append(statement("key-event", said, (root, MALLORY), like=hand.rows[1]))
    hand.reframe()


def forge_a_rotation(hand: Hand) -> None:
    """The builder hands the gate's key over to one of its own; the root's signature is made up."""
    ((root, _),) = hand.rows[0].frame.signatures
    ((gate, _),) = hand.rows[hand.place("verdict")].frame.signatures
    builder = hand.key("builder-builder")
    said = {
        "event": "rotate",
        "old_key": gate.hex(),
        "key": MALLORY.key_id.hex(),
        "public_key": MALLORY.public_key.hex(),
        "alg": "ed25519",
        "custody": "in-process",
        "not_before_index": 0,
    }
    hand.rows.append(statement("key-event", said, (root, builder), (gate, builder), like=hand.rows[1]))
    hand.reframe()


def post_date_the_last_receipt(hand: Hand) -> None:
    """A leaf's time is the log's claim: its author does not sign it."""
    hand.rows[-1] = hand.rows[-1].altered(time_ms=hand.rows[-1].frame.time_ms + 3_600_000)
    hand.reframe()


def truncate(hand: Hand) -> None:
    """The second packet is gone, with the checkpoints that covered it."""
    hand.cut(hand.place("finish") + 1)


def truncate_and_leave_the_checkpoints(hand: Hand) -> None:
    hand.rows = hand.rows[: hand.place("finish") + 1]
    hand.recomputed = False


def swap_two_streams(hand: Hand) -> None:
    one, other = hand.packets()
    names = {one: other, other: one}
    hand.rows = [row._replace(stream=names.get(row.stream, row.stream)) for row in hand.rows]
    hand.recomputed = False


MATRIX: dict[str, Case] = {
    "edit a receipt": Case(edit, "leaf-hash signature tree-head checkpoint-root fork replay", "opens", None, ""),
    "edit a receipt, recompute chain and tree": Case(
        edit_and_recompute,
        "signature tree-head checkpoint-root fork replay",
        "LedgerBroken",
        "signature tree-head replay",
        "fork",
    ),
    "insert a receipt, recompute": Case(
        insert, "tree-head checkpoint-root coverage fork replay", "LedgerBroken", "tree-head replay", "fork"
    ),
    "insert a receipt behind the end": Case(insert_behind_the_end, "coverage replay", "LedgerBroken", "replay", ""),
    "re-order two receipts": Case(reorder, "sequence replay nodes", "opens", None, ""),
    "re-order two receipts, recompute": Case(
        reorder_and_recompute, "tree-head checkpoint-root fork replay", "LedgerBroken", "tree-head replay", "fork"
    ),
    "delete a refusal": Case(delete, "sequence replay index nodes", "opens", None, ""),
    "delete a refusal, recompute all after it": Case(
        delete_a_refusal_and_recompute,
        "tree-head checkpoint-root coverage rollback fork replay",
        "RollbackDetected",
        "tree-head replay",
        "fork rollback",
    ),
    "delete a refused attempt, recompute": Case(
        delete_a_refused_attempt_and_recompute,
        "tree-head checkpoint-root coverage rollback fork replay",
        "RollbackDetected",
        "tree-head replay",
        "fork rollback",
    ),
    "delete a whole packet, recompute": Case(
        delete_a_packet_and_recompute,
        "tree-head checkpoint-root coverage rollback fork",
        "RollbackDetected",
        "tree-head",
        "fork rollback",
    ),
    "replay an old approval for another packet": Case(
        replay_an_old_approval,
        "tree-head checkpoint-root fork replay index",
        "LedgerBroken",
        "tree-head replay index",
        "fork",
    ),
    "a builder signs a verdict as itself": Case(
        builder_signs_as_itself,
        "role tree-head checkpoint-root fork replay",
        "LedgerBroken",
        "role tree-head replay",
        "fork",
    ),
    "a builder signs a verdict as the gate": Case(
        builder_claims_to_be_the_gate,
        "signature tree-head checkpoint-root fork replay",
        "LedgerBroken",
        "signature tree-head replay",
        "fork",
    ),
    "an unknown key signs a verdict": Case(
        stranger_signs, "role tree-head checkpoint-root fork replay", "LedgerBroken", "role tree-head replay", "fork"
    ),
    "open the log a second time": Case(
        open_the_log_again, "statement role coverage replay", "LedgerBroken", "statement role replay", ""
    ),
    "replace entry 0": Case(
        open_another_log, "opening checkpoint-root fork replay", "LedgerBroken", "opening replay", "fork"
    ),
    "register a key without the root": Case(
        register_without_the_root, "role coverage replay", "LedgerBroken", "role replay", ""
    ),
    "register a key in the root's name": Case(
        register_in_the_roots_name, "signature coverage", "LedgerBroken", "signature", ""
    ),
    "forge a rotation of the gate's key": Case(forge_a_rotation, "signature coverage", "LedgerBroken", "signature", ""),
    "post-date the last receipt, recompute": Case(
        post_date_the_last_receipt, "checkpoint-root fork", "LedgerBroken", "", "fork"
    ),
    "truncate, with the old checkpoint that fitted": Case(truncate, "rollback", "RollbackDetected", "", "rollback"),
    "truncate the rows alone": Case(
        truncate_and_leave_the_checkpoints, "coverage rollback nodes", "RollbackDetected", None, ""
    ),
    "swap two packets in the index": Case(swap_two_streams, "index", "opens", None, ""),
}


def table() -> str:
    """Return the table as it stands in the threat model."""
    head = (
        "| attack on the database | caught by | opening it to write | with the log's key as well | by an anchor |\n"
        "| --- | --- | --- | --- | --- |\n"
    )
    return head + "".join(
        f"| {name} | {_ticked(case.alone)} | {'opens' if case.start == 'opens' else f'`{case.start}`'} "
        f"| {'as without' if case.with_log_key is None else _ticked(case.with_log_key) or '**nothing inside**'} "
        f"| {_ticked(case.anchor) or '-'} |\n"
        for name, case in MATRIX.items()
    )


def _ticked(checks: str) -> str:
    return ", ".join(f"`{check}`" for check in checks.split())
