"""The bundle: what one file holds so that a stranger can check one packet with `trust.json` and nothing else.

It is strict JSON that a person can read: receipts as the exact bytes that were hashed, each with its way to the root,
one signed checkpoint, and notes that were kept elsewhere. A bundle brings proofs and no claims: which packet and which
log it is about are written in it for people only, and `offline` compares both with what the proofs say. It must never
carry trust; that comes another way.

    {"format": "squads.bundle/v1", "origin": ..., "packet": ...,
     "receipts": [{"leaf": base64, "path": [base64, ...]}, ...]        in the order of the log
     "checkpoint": the signed note over all of them,
     "anchored": [{"note": ..., "path": [base64, ...]}, ...]           the path shows that both are one log
     "heads": [{"size": ..., "path": [base64, ...]}, ...]              the same for log heads that verdicts name
     "content": {sha256 in hex: base64, ...}}                          left out where none was asked for
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from squads.ledger.errors import Malformed
from squads.ledger.leaf import LEAF_BYTES_MAX, Leaf, decode_leaf
from squads.ledger.note import NOTE_BYTES_MAX, strict_base64
from squads.ledger.proof import PROOF_HASHES_MAX
from squads.ledger.statement import canonical_json, strict_json

BUNDLE_FORMAT: Final = "squads.bundle/v1"
BUNDLE_BYTES_MAX: Final = 64 * 1024 * 1024
RECEIPTS_MAX: Final = 100_000
ANCHORED_MAX: Final = 1_000
HEADS_MAX: Final = 10_000
CONTENTS_MAX: Final = 10_000

_PACKET_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CONTENT_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BUNDLE_FIELDS: Final = frozenset({"anchored", "checkpoint", "format", "heads", "origin", "packet", "receipts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """One receipt and its way to the checkpoint's root."""

    data: bytes
    """The leaf's exact bytes."""
    path: tuple[bytes, ...]
    """The inclusion path; its index is the one that the leaf itself says."""
    leaf: Leaf
    """The same bytes, decoded."""

    @classmethod
    def of(cls, data: bytes, path: tuple[bytes, ...]) -> Included:
        """Return the receipt that `data` frames. Raises `Malformed`."""
        return cls(data=data, path=path, leaf=decode_leaf(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchored:
    """A signed checkpoint that was kept where the ledger's writer cannot rewrite it."""

    note: str
    path: tuple[bytes, ...] = ()
    """The consistency path between it and the bundle's checkpoint, from the smaller size to the larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One bundle as it was written or read: nothing in it has been verified."""

    origin: str
    """Which log it says it is from."""
    packet: str
    """Which packet it says it is about."""
    receipts: tuple[Included, ...]
    """The workspace's own receipts and the packet's, by ascending index."""
    checkpoint: str
    anchored: tuple[Anchored, ...] = ()
    heads: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict)
    """By size, the consistency path from a log head that a verdict names to the checkpoint."""
    content: Mapping[str, bytes] = field(default_factory=dict)
    """Content by the digest it is said to have."""

    def to_json(self) -> bytes:
        """Return the bundle's file. Raises `Malformed` where it is over a bound."""
        receipts: list[object] = [
            {"leaf": _in_base64(receipt.data), "path": [_in_base64(step) for step in receipt.path]}
            for receipt in self.receipts
        ]
        value: dict[str, Any] = {
            "format": BUNDLE_FORMAT,
            "origin": self.origin,
            "packet": self.packet,
            "receipts": receipts,
            "checkpoint": self.checkpoint,
            "anchored": [{"note": one.note, "path": [_in_base64(step) for step in one.path]} for one in self.anchored],
            "heads": [
                {"size": size, "path": [_in_base64(step) for step in self.heads[size]]} for size in sorted(self.heads)
            ],
        }
        if self.content:
            value["content"] = {digest: _in_base64(content) for digest, content in self.content.items()}
        canonical_json(value)  # refuses what a strict reader would refuse
        written = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
        if len(written) > BUNDLE_BYTES_MAX:
            raise Malformed(
                f"a bundle has at most {BUNDLE_BYTES_MAX} bytes, this one {len(written)}; leave content out"
            )
        Bundle.from_json(written)
        return written

    @classmethod
    def from_json(cls, data: bytes) -> Bundle:
        """Return what a bundle's file holds. Raises `Malformed`, also for unknown fields and for a wrong order."""
        if len(data) > BUNDLE_BYTES_MAX:
            raise Malformed(f"a bundle has at most {BUNDLE_BYTES_MAX} bytes, this one {len(data)}")
        value = strict_json(data)
        if type(value) is not dict or value.get("format") != BUNDLE_FORMAT:
            raise Malformed(f"the file does not say that it is of format {BUNDLE_FORMAT}")
        if value.keys() - {"content"} != _BUNDLE_FIELDS:
            raise Malformed(
                f"a bundle has exactly the fields {', '.join(sorted(_BUNDLE_FIELDS))}, and content where it has any"
            )
        packet = _bounded_string(value["packet"], "packet", 32)
        if _PACKET_ID.fullmatch(packet) is None:
            raise Malformed("packet: an id is 32 lower-case hex digits")
        receipts = tuple(
            _read_included(one, number)
            for number, one in enumerate(_bounded_list(value["receipts"], "receipts", RECEIPTS_MAX))
        )
        for before, after in pairwise(receipts):
            if after.leaf.seq <= before.leaf.seq:
                raise Malformed(
                    f"receipts: {after.leaf.seq} stands after {before.leaf.seq}; they ascend, and none stands twice"
                )
        return cls(
            origin=_bounded_string(value["origin"], "origin", 255),
            packet=packet,
            receipts=receipts,
            checkpoint=_bounded_string(value["checkpoint"], "checkpoint", NOTE_BYTES_MAX),
            anchored=tuple(
                _read_anchored(one, number)
                for number, one in enumerate(_bounded_list(value["anchored"], "anchored", ANCHORED_MAX))
            ),
            heads=_read_heads(value["heads"]),
            content=_read_content(value.get("content", {})),
        )


def _in_base64(data: bytes) -> str:
    return b64encode(data).decode()


def _read_included(value: object, number: int) -> Included:
    where = f"receipts[{number}]"
    if type(value) is not dict or value.keys() != {"leaf", "path"}:
        raise Malformed(f"{where}: a receipt has exactly the fields leaf, path")
    try:
        data = strict_base64(_bounded_string(value["leaf"], "leaf", LEAF_BYTES_MAX * 2))
        return Included.of(data, _read_path(value["path"]))
    except Malformed as error:
        raise Malformed(f"{where}: {error}") from None


def _read_anchored(value: object, number: int) -> Anchored:
    where = f"anchored[{number}]"
    if type(value) is not dict or value.keys() != {"note", "path"}:
        raise Malformed(f"{where}: an anchored checkpoint has exactly the fields note, path")
    try:
        return Anchored(note=_bounded_string(value["note"], "note", NOTE_BYTES_MAX), path=_read_path(value["path"]))
    except Malformed as error:
        raise Malformed(f"{where}: {error}") from None


def _read_heads(value: object) -> dict[int, tuple[bytes, ...]]:
    heads: dict[int, tuple[bytes, ...]] = {}
    for number, one in enumerate(_bounded_list(value, "heads", HEADS_MAX)):
        if type(one) is not dict or one.keys() != {"path", "size"} or type(one["size"]) is not int:
            raise Malformed(f"heads[{number}]: a log head has exactly the fields path, size")
        if one["size"] <= max(heads, default=0):
            raise Malformed(f"heads[{number}]: sizes ascend from 1, and none stands twice")
        heads[one["size"]] = _read_path(one["path"])
    return heads


def _read_content(value: object) -> dict[str, bytes]:
    if type(value) is not dict or len(value) > CONTENTS_MAX:
        raise Malformed(f"content is an object with at most {CONTENTS_MAX} entries")
    content = {}
    for digest, encoded in value.items():
        if _CONTENT_KEY.fullmatch(digest) is None:
            raise Malformed("content: every key is 64 lower-case hex digits")
        try:
            content[digest] = strict_base64(_bounded_string(encoded, digest[:16], BUNDLE_BYTES_MAX))
        except Malformed as error:
            raise Malformed(f"content: {error}") from None
    return content


def _read_path(value: object) -> tuple[bytes, ...]:
    path = tuple(
        strict_base64(_bounded_string(step, f"path[{number}]", 44))
        for number, step in enumerate(_bounded_list(value, "path", PROOF_HASHES_MAX))
    )
    if any(len(step) != 32 for step in path):
        raise Malformed("path: every step is a hash of 32 bytes")
    return path


def _bounded_list(value: object, what: str, count_max: int) -> list[Any]:
    if type(value) is not list or len(value) > count_max:
        raise Malformed(f"{what}: a list of at most {count_max}")
    return value


def _bounded_string(value: object, what: str, chars_max: int) -> str:
    if type(value) is not str or len(value) > chars_max:
        raise Malformed(f"{what}: a string of at most {chars_max} characters")
    return value
