"""Whether the content that receipts speak of is there: present, erased by a receipt that says so, or lost.

Content is stored no later than the receipt that names it, so what is missing without an erasure was taken away. It must
never call lost what a person erased, nor erased what nobody signed for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from squads.contracts.artifact import Manifest
from squads.contracts.errors import BlobBroken, SquadsError
from squads.kernel.ports import WORKSPACE
from squads.kernel.receipts import Receipt

Kept = Literal["present", "erased", "lost", "broken", "unread"]
"""What became of a content; `unread` is there, and its key is not at hand."""
_NAMES = ("content", "artifact")
"""The fields of records that name content."""


@dataclass(slots=True)
class Keeping:
    """Counts what became of every content that receipts speak of, in one pass over the log, and a last look."""

    read: Callable[[str], bytes | None]
    """Content by digest; None for what is not there. Raises `BlobBroken`, or `StorageUnavailable` without its key."""
    present: int = 0
    unread: int = 0
    erased: dict[str, int] = field(default_factory=dict)
    """Subjects and packets that were erased, to the receipt that says so."""
    missing: dict[str, dict[frozenset[str], int]] = field(default_factory=dict)
    """Digest to those whose it was, each with the first receipt that says so."""
    broken: list[tuple[int, str]] = field(default_factory=list)
    """(receipt, digest) of content that does not open, or has another digest."""

    def feed(self, receipt: Receipt) -> None:
        """Look for everything that one receipt speaks of."""
        said = receipt.predicate
        if receipt.kind == "erasure":
            for name in (str(said.get("subject")), *map(str, said.get("packets") or ())):
                self.erased.setdefault(name, receipt.seq)
            return
        owners = frozenset({str(said.get("packet") or WORKSPACE), str(said.get("author") or "")})
        for digest in named_in(said):
            self._look(digest, receipt.seq, owners)
            if receipt.kind in ("artifact", "composition") and (manifest := self.manifest(digest)) is not None:
                for entry in manifest.files:
                    self._look(entry.digest, receipt.seq, owners)

    def manifest(self, digest: str) -> Manifest | None:
        """Return an artifact's manifest; None for what is not there, is no manifest, or cannot be read."""
        try:
            content = self.read(digest)
            return None if content is None else Manifest.parse(content)
        except (SquadsError, ValueError):
            return None

    @property
    def gone(self) -> dict[str, int]:
        """Content that was erased, to the receipt that says so."""
        said = {digest: [self._erased_for(owners) for owners in whose] for digest, whose in self.missing.items()}
        return {digest: min(filter(None, by)) for digest, by in said.items() if all(by)}

    @property
    def lost(self) -> dict[str, int]:
        """Content that is not there and that not everybody's erasure explains, to a receipt that speaks of it."""
        return {
            digest: min(left)
            for digest, whose in self.missing.items()
            if (left := [seq for owners, seq in whose.items() if self._erased_for(owners) is None])
        }

    def result(self) -> tuple[Literal["passed", "failed", "unchecked"], str]:
        """Return the state of the check, and one sentence."""
        if self.broken:
            seq, digest = self.broken[0]
            return "failed", (
                f"the content that receipt {seq} names {digest[:16]} does not open, or has another digest: it was "
                "changed; do not rely on it"
            )
        if lost := self.lost:
            digest, seq = next(iter(lost.items()))
            return "failed", (
                f"{len(lost)} of the contents that receipts name are lost: no receipt says that they were erased. The "
                f"first is {digest[:16]} of receipt {seq}; restore the ledger from a copy"
            )
        said = f"; {len(self.gone)} were erased, as receipts say" if self.gone else ""
        if self.unread:
            return "unchecked", (
                f"{self.unread} contents cannot be read without the keys that stand beside this workspace's private "
                f"keys{said}"
            )
        return "passed", f"all content that receipts name is there, with its digest{said}"

    def _look(self, digest: str, seq: int, owners: frozenset[str]) -> None:
        try:
            content = self.read(digest)
        except BlobBroken:
            self.broken.append((seq, digest))
            return
        except SquadsError:
            self.unread += 1
            return
        if content is not None:
            self.present += 1
            return
        self.missing.setdefault(digest, {}).setdefault(owners, seq)

    def _erased_for(self, owners: frozenset[str]) -> int | None:
        """Return the receipt that says that one of these was erased; None where none does. Receipt 0 never does."""
        return min((self.erased[name] for name in owners & self.erased.keys()), default=None)


def named_in(value: Any) -> Iterator[str]:
    """Yield the digests of content that a predicate names, at any depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in _NAMES and isinstance(inner, str):
                yield inner
            elif not isinstance(inner, str):
                yield from named_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from named_in(inner)
