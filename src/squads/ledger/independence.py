"""How far apart a gate and the makers of what it reads are, derived from the squad that the opening froze.

No one judges their own work: not the maker, nor anyone whose work it is made of, nor a role with the same prior. It
must never read what a receipt claims about this; tickets and verdicts are compared with what comes out here.
"""

from __future__ import annotations

from collections.abc import Iterable

from squads.ledger.packet import Fields
from squads.ledger.shapes import LEVELS


def weakest(gate: Fields, authors: Iterable[Fields]) -> str | None:
    """Return the weakest independence between a gate and several authors; None where one of them rules it out."""
    # A panel is as independent as the least independent of its members, and of itself where it asks a model.
    readers = (gate, *gate["members"]) if gate["models"] or not gate["members"] else gate["members"]
    reached = []
    for author in authors:
        levels = [None if _apart(gate, author) is None else _apart(reader, author) for reader in readers]
        if None in levels:
            return None
        reached += [level for level in levels if level is not None]
    return min(reached, key=LEVELS.index, default="family")


def may_have_answered(role: Fields, model: str | None) -> bool:
    """Say whether an answer may name this model: independence was reckoned for the role's models and no others."""
    readers = (role, *role["members"])
    return model is None or any(model == known["called"] for reader in readers for known in reader["models"])


def too_near(reached: str, demanded: str) -> bool:
    """Say whether two roles are nearer to each other than the packet demands."""
    return LEVELS.index(reached) < LEVELS.index(demanded)


def _apart(reader: Fields, author: Fields) -> str | None:
    if reader["name"] == author["name"] or reader["prior"] == author["prior"]:
        return None
    if not reader["models"] and not author["models"]:
        return "prior"
    if not reader["models"] or not author["models"]:
        return "family"
    # Any model of a role may answer for it, so the nearest two count.
    return min((_models_apart(one, other) for one in reader["models"] for other in author["models"]), key=LEVELS.index)


def _models_apart(one: Fields, other: Fields) -> str:
    if one["name"] == other["name"]:
        return "prior"
    return "family" if one["family"] and other["family"] and one["family"] != other["family"] else "model"
