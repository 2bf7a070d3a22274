"""A proof as a file: one receipt's place in the log, its inclusion path and the signed checkpoint, as lines of text.

Any tool that speaks C2SP can check it with the receipt's bytes and the log's key. It must never be believed for what
it says of itself: size and root come from the checkpoint once its signature was verified, and the extra line is not
covered by anything.

    c2sp.org/tlog-proof@v1
    extra <base64>                 only where there is some
    index <decimal>
    <base64 of a hash>             the inclusion path, lowest first; none in a tree of one leaf
                                   (an empty line)
    <the checkpoint, as it was signed>

Source: C2SP tlog-proof v1.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Final

from squads.ledger.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.note import NOTE_BYTES_MAX, VerifierKey, strict_base64
from squads.ledger.proof import PROOF_HASHES_MAX, TREE_SIZE_MAX, check_inclusion

PROOF_FILE_FORMAT: Final = "c2sp.org/tlog-proof@v1"
PROOF_FILE_SUFFIX: Final = ".tlog-proof"
PROOF_EXTRA_BYTES_MAX: Final = 64 * 1024
PROOF_FILE_CHARS_MAX: Final = NOTE_BYTES_MAX + 2 * PROOF_EXTRA_BYTES_MAX

_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class TlogProof:
    """What a proof file says, unverified."""

    index: int
    """The receipt's seq."""
    path: tuple[bytes, ...]
    checkpoint: str
    """The signed note, as it stands in the file."""
    extra: bytes = b""
    """Whatever the writer wanted to go along; nobody signed it. Empty where there is none."""


def write_tlog_proof(proof: TlogProof) -> str:
    """Return the text of the file. Raises `Malformed` for what no file can say."""
    if not 0 <= proof.index <= TREE_SIZE_MAX or len(proof.path) > PROOF_HASHES_MAX:
        raise Malformed("a proof file has an index of at most 2^63 - 1 and no more hashes than a tree is high")
    if any(len(step) != 32 for step in proof.path) or len(proof.extra) > PROOF_EXTRA_BYTES_MAX:
        raise Malformed(f"a proof file has hashes of 32 bytes, and at most {PROOF_EXTRA_BYTES_MAX} bytes beside them")
    parse_checkpoint(proof.checkpoint)
    lines = [PROOF_FILE_FORMAT]
    if proof.extra:
        lines.append(f"extra {b64encode(proof.extra).decode()}")
    lines.append(f"index {proof.index}")
    lines += [b64encode(step).decode() for step in proof.path]
    return "\n".join(lines) + "\n\n" + proof.checkpoint


def parse_tlog_proof(text: str) -> TlogProof:
    """Return what the file says; `write_tlog_proof` of it gives `text` again. Raises `Malformed`."""
    if len(text) > PROOF_FILE_CHARS_MAX:
        raise Malformed(f"a proof file has at most {PROOF_FILE_CHARS_MAX} characters")
    # 1. The first empty line ends the proof; the checkpoint has one of its own.
    above, blank, checkpoint = text.partition("\n\n")
    if not blank:
        raise Malformed("a proof file is a proof, an empty line and a checkpoint")
    lines = above.split("\n")
    if lines[0] != PROOF_FILE_FORMAT:
        raise Malformed(f"a proof file begins with the line {PROOF_FILE_FORMAT}")
    # 2. At most one extra line, and it says something.
    at, extra = 1, b""
    if at < len(lines) and lines[at].startswith("extra "):
        extra = strict_base64(lines[at].removeprefix("extra "))
        if not 1 <= len(extra) <= PROOF_EXTRA_BYTES_MAX:
            raise Malformed(f"an extra line holds 1 to {PROOF_EXTRA_BYTES_MAX} bytes, or is left out")
        at += 1
    # 3. The index, then nothing but hashes.
    said = _INDEX.fullmatch(lines[at]) if at < len(lines) else None
    index = int(said[1]) if said is not None else -1
    if not 0 <= index <= TREE_SIZE_MAX:
        raise Malformed("a proof file says `index` and a decimal number of at most 2^63 - 1, without leading zeros")
    hashes = lines[at + 1 :]
    if len(hashes) > PROOF_HASHES_MAX:
        raise Malformed("a proof file has no more hashes than a tree is high")
    path = tuple(strict_base64(line) for line in hashes)
    if any(len(step) != 32 for step in path):
        raise Malformed("the hashes of a proof have 32 bytes")
    # 4. A checkpoint that covers the leaf.
    claim = parse_checkpoint(checkpoint)
    if index >= claim.size:
        raise Malformed(f"the checkpoint covers {claim.size} leaves, and the proof is of leaf {index}")
    return TlogProof(index, path, checkpoint, extra)


def verify_tlog_proof(proof: TlogProof, leaf_hash: bytes, vkey: VerifierKey) -> Checkpoint:
    """Return the checkpoint if the log's key signed it and it covers this leaf at the proof's index.

    Raises `Malformed`. The extra data is not looked at.
    """
    checkpoint = verify_checkpoint(proof.checkpoint, vkey)
    check_inclusion(leaf_hash, proof.index, checkpoint.size, checkpoint.root, proof.path)
    return checkpoint
