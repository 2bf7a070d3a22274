"""Content that receipts name: what a bundle may bring along, and whether it is what was named.

Receipts hold digests and never content, so content may be absent, erased or here; only what is here and has another
digest speaks against a bundle. It must never read more of a document than which digests it lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from squads.ledger.errors import Malformed
from squads.ledger.packet import Story
from squads.ledger.report import Tally
from squads.ledger.statement import strict_json

NO_POLICY = "0" * 64
"""Stands in an opening that was made under the built-in policy: there is no such content."""


def named_by(kind: str, said: Mapping[str, Any]) -> list[str]:
    """Return the digests of the content that a receipt of `kind` names, in a fixed order."""
    found = [said.get("content"), said.get("artifact") if kind in ("artifact", "composition") else None]
    if kind == "opened":
        found += [said["policy"], *(recalled["content"] for recalled in said["memory"])]
    return [digest for digest in found if isinstance(digest, str) and digest != NO_POLICY]


def listed_in(manifest: bytes) -> list[str]:
    """Return the digests of the files that an artifact's manifest lists; none where it is no manifest."""
    try:
        value = strict_json(manifest)
        files = value["files"] if type(value) is dict and value.get("kind") == "manifest" else []
        return [str(entry["digest"]) for entry in files]
    except (Malformed, TypeError, KeyError):
        return []


def check_content(content: Mapping[str, bytes], story: Story, tally: Tally) -> None:
    """Tell `tally` whether the content is what the packet's receipts name, and why some of it is not here."""
    named = dict.fromkeys(digest for receipt in story.receipts for digest in named_by(receipt.kind, receipt.said))
    for digest in [*named]:
        named.update(dict.fromkeys(listed_in(content.get(digest, b""))))
    for digest, found in content.items():
        if sha256(found).hexdigest() != digest:
            tally.fail("content", f"the content given as {digest[:16]} has another digest: it was changed")
        elif digest not in named:
            tally.note(
                "content", "warned", f"no receipt of this packet names the content {digest[:16]}: leave it aside"
            )
    absent = [digest for digest in named if digest not in content]
    if not absent:
        return
    message = f"{len(named) - len(absent)} of {len(named)} pieces of content are here"
    erased = _erased(story)
    if erased is not None:
        tally.note("content", "passed", f"{message}; the packet's content was erased, as receipt {erased} says", erased)
    elif content:
        tally.note("content", "unchecked", f"{message}; the others were lost, or left out of the bundle")
    else:
        tally.note("content", "unchecked", f"{message}; a bundle is made without content unless it is asked for")


def _erased(story: Story) -> int | None:
    """Return the receipt that says that this packet's content was erased, or None."""
    return next((r.seq for r in story.erasures if story.packet in (r.said["subject"], *r.said["packets"])), None)
