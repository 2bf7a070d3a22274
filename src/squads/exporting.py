"""Exporting what is kept about somebody, or all of it: JSON Lines that any program reads, and bundles that prove them.

    export.json     what this is: the ledger, the checkpoint, whose it is, what was erased
    receipts.jsonl  one receipt a line, in the order of the log, with its exact bytes
    content.jsonl   one content a line that those receipts name: its bytes, or that it was erased
    trust.json      the public keys that everything is verified against
    bundles/        one file for each packet, verified by `squads verify FILE --trust trust.json`

The format is documented in docs/reference/export.md. It must never show half an export as a whole one, nor leave out
silently what could not be read.
"""

from __future__ import annotations

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, TextIO

from squads.adapters.private_files import make_private_directory, open_private
from squads.contracts.artifact import Manifest
from squads.contracts.base import Contract
from squads.contracts.errors import BlobBroken, BlobMissing, InvalidInput, LedgerBroken, StorageUnavailable
from squads.erasing import look
from squads.kept import named_in
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import Receipt, receipt_of
from squads.ledger.errors import Malformed
from squads.ledger.leaf import Leaf, decode_leaf
from squads.workspace import Workspace

FORMAT: Final = "squads.export/v1"
BUNDLES: Final = "bundles"
Bundling = Callable[[str], Awaitable[bytes]]
"""Returns the bundle of a packet, as the bytes of its file."""


class Exported(Contract):
    """What an export came to; `export.json` holds the same, and the format."""

    origin: str
    workspace: str
    checkpoint: str
    """The signed checkpoint that covers every receipt of it."""
    subject: str | None
    """The opaque id of whose it is; None for the whole workspace."""
    packets: tuple[str, ...]
    erased: int | None
    """The receipt that says that the subject was erased; None for one that was not, and for a workspace."""
    receipts: int
    contents: int
    """Contents with their bytes."""
    contents_erased: int
    """Contents that were erased: only their digests are left."""
    contents_lost: int
    """Contents that are gone or changed, and that nobody erased."""
    bundles: int


async def export(
    workspace: Workspace, out: Path, *, subject: str | None = None, bundle: Bundling | None = None
) -> Exported:
    """Write what is kept into the new directory `out`, for its owner only, and return what it came to.

    Args:
        workspace: Opened.
        out: Appears whole, or not at all.
        subject: Whose: a packet by its id, a person, or a name that packets were given; None is the whole workspace.
        bundle: Makes the bundle of a packet; None makes none.

    Raises `InvalidInput` for a directory that is there, or a subject of whom nothing was kept; `UnknownPacket`,
    `LedgerError`.
    """
    found = None if subject is None else await look(workspace, subject)
    if found is None:
        await workspace.found(())
    owners = await workspace.ledger.subjects()
    packets = tuple(stream for stream in owners if stream != WORKSPACE) if found is None else found.packets
    writing = _Writing(workspace, frozenset(packets), None if found is None else found.subject)
    with _appearing(out) as aside:
        # The checkpoint first: what is appended meanwhile is not in this export.
        head = await workspace.ledger.head()
        with _lines(aside / "receipts.jsonl") as receipts, _lines(aside / "content.jsonl") as contents:
            async for seq, leaf, _ in workspace.ledger.scan():
                if seq < head.size:
                    await writing.take(seq, leaf, receipts, contents)
        if bundle is not None:
            make_private_directory(aside / BUNDLES)
            for packet in packets:
                _write(aside / BUNDLES / f"{packet}.json", await bundle(packet))
        done = Exported(
            origin=workspace.trust.origin,
            workspace=workspace.id,
            checkpoint=head.checkpoint,
            subject=None if found is None else found.subject,
            packets=packets,
            erased=None if found is None else found.erased,
            receipts=writing.receipts,
            contents=writing.counts["present"],
            contents_erased=writing.counts["erased"],
            contents_lost=writing.counts["lost"],
            bundles=0 if bundle is None else len(packets),
        )
        said = {"format": FORMAT, **done.model_dump(mode="json")}
        _write(aside / "export.json", json.dumps(said, indent=2).encode() + b"\n")
        _write(aside / "trust.json", workspace.trust.to_json())
    return done


class _Writing:
    """Writes the lines of one export, each content once."""

    def __init__(self, workspace: Workspace, packets: frozenset[str], subject: str | None) -> None:
        self.receipts = 0
        self.counts = {"present": 0, "erased": 0, "lost": 0}
        self._workspace = workspace
        self._packets = packets
        self._subject = subject
        self._seen: set[str] = set()

    async def take(self, seq: int, data: bytes, receipts: TextIO, contents: TextIO) -> None:
        """Write one receipt, and the content that it names, if it belongs to this export."""
        try:
            leaf = decode_leaf(data)
        except Malformed as error:
            raise LedgerBroken(f"receipt {seq} cannot be read: {error}; run `squads verify`") from error
        keys = tuple(key for key, _ in leaf.signatures)
        receipt = receipt_of(seq, leaf.payload_type, leaf.payload, keys, leaf.time_ms)
        if not self._belongs(receipt):
            return
        self.receipts += 1
        _put(receipts, _receipt_line(receipt, leaf, data))
        for digest in named_in(receipt.predicate):
            content = await self._content(digest, receipt, contents)
            if receipt.kind in ("artifact", "composition") and content is not None:
                for name in _files_in(content):
                    await self._content(name, receipt, contents)

    def _belongs(self, receipt: Receipt) -> bool:
        """A subject's export has its packets' receipts, what it said elsewhere, and what was said of it."""
        said = receipt.predicate
        if self._subject is None or said.get("packet") in self._packets:
            return True
        named = {said.get("subject"), *(said.get("packets") or ())} if receipt.kind == "erasure" else set()
        return said.get("author") == self._subject or bool(named & {self._subject, *self._packets})

    async def _content(self, digest: str, receipt: Receipt, lines: TextIO) -> bytes | None:
        try:
            content: bytes | None = await self._workspace.blobs.get(digest)
        except (BlobMissing, BlobBroken):
            content = None
        if digest in self._seen:
            return content
        self._seen.add(digest)
        line: dict[str, Any] = {"digest": digest, "receipt": receipt.seq}
        if content is None:
            erased = self._workspace.view.erased
            owners = (str(receipt.predicate.get("packet")), str(receipt.predicate.get("author")))
            by = next((erased[name] for name in owners if name in erased), None)
            line |= {"state": "lost" if by is None else "erased", "erased_by": by}
        else:
            line |= {"state": "present", "size_bytes": len(content), **_written(content)}
        self.counts[line["state"]] += 1
        _put(lines, line)
        return content


def _receipt_line(receipt: Receipt, leaf: Leaf, data: bytes) -> dict[str, Any]:
    return {
        "seq": receipt.seq,
        "stream": WORKSPACE if receipt.kind in ("stop", "lift") else receipt.predicate.get("packet") or WORKSPACE,
        "time_ms": receipt.time_ms,
        "kind": receipt.kind,
        "predicate": dict(receipt.predicate),
        "signatures": [{"key": key.hex(), "signature": _base64(signature)} for key, signature in leaf.signatures],
        "leaf": _base64(data),
    }


def _written(content: bytes) -> dict[str, str]:
    """Return content as text where it is text, else as base64."""
    try:
        return {"encoding": "utf-8", "content": content.decode()}
    except UnicodeDecodeError:
        return {"encoding": "base64", "content": _base64(content)}


def _files_in(content: bytes) -> list[str]:
    try:
        return [entry.digest for entry in Manifest.parse(content).files]
    except ValueError:
        return []


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _put(lines: TextIO, value: dict[str, Any]) -> None:
    lines.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(data)


@contextmanager
def _lines(path: Path) -> Iterator[TextIO]:
    with os.fdopen(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _appearing(out: Path) -> Iterator[Path]:
    """Yield a private directory beside `out` that takes its name when the block ends well, and goes otherwise."""
    if out.exists():
        raise InvalidInput(f"{out} is there already; name a folder that is not, with --out")
    aside = out.with_name(f".{out.name}.{token_hex(8)}")
    try:
        make_private_directory(aside)
        yield aside
        aside.rename(out)
    except OSError as error:
        raise StorageUnavailable(
            f"the export cannot be written to {out}: {error.strerror or error}; free some space, or name another --out"
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
