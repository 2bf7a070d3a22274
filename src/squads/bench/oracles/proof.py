"""What an oracle answers, and what that means for a label."""

from __future__ import annotations

from typing import Literal

from squads.bench.case import Label
from squads.contracts.base import Content

Answer = Literal["holds", "broken", "unknown"]
"""Whether the invariant holds; `unknown` where the oracle could not find out, which proves no label."""
Proved = Literal["proved", "refuted", "unproved"]
"""What an answer makes of a label."""
SAID_CHARACTERS_MAX = 2_000


class Proof(Content):
    """One oracle's answer about one variant, and what it saw."""

    answer: Answer
    said: str


def proved(label: Label, proof: Proof) -> Proved:
    """Return what a proof makes of a label."""
    if proof.answer == "unknown":
        return "unproved"
    return "proved" if (proof.answer == "broken") == label.broken else "refuted"


def unknown(said: str) -> Proof:
    """Return the answer of an oracle that could not find out, and why."""
    return Proof(answer="unknown", said=said[:SAID_CHARACTERS_MAX])
