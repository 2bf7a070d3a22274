"""All the code of a change in its smallest parts: what differs, what came, what went, what only has another name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from squads.gates.changes.about import tokens
from squads.gates.changes.atoms import Atom, atoms
from squads.gates.changes.concepts import words_of
from squads.gates.changes.facts import SETTINGS
from squads.gates.changes.names import Node
from squads.gates.changes.pieces import Difference, differences, pieces, tree_of
from squads.gates.changes.stands import held_by


@dataclass(slots=True)
class Change:
    """All the code of a change, in its smallest parts."""

    parts: dict[str, list[tuple[Difference, list[Atom]]]] = field(default_factory=dict)
    added: set[str] = field(default_factory=set)
    """The names of what is new."""
    signed: set[str] = field(default_factory=set)
    """What is called or made with something else since."""
    new_names: set[str] = field(default_factory=set)
    new_words: frozenset[str] = frozenset()
    """The roots of what new definitions say."""
    removed: dict[str, list[Difference]] = field(default_factory=dict)
    settings: dict[str, tuple[str, str]] = field(default_factory=dict)
    moved: set[tuple[str, str]] = field(default_factory=set)
    """Definitions that stand in another file since, by that and their name."""
    names: dict[str, tuple[str, int]] = field(default_factory=dict)
    """What only has another name: its old one, with the path and the line where it stands."""
    now: dict[str, str] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)
    """The names that definitions have since."""
    texts: dict[str, str] = field(default_factory=dict)
    """What stood before, by path."""


def change_of(code: Sequence[tuple[str, str, str]]) -> Change:
    """Return the parts of a change; `code` are (path, before, now) of files that stood before."""
    found = Change()
    renames = _renames([(o, n) for p, o, n in code if o and p.endswith(".py")])
    found.renamed |= set(renames.values())
    came: list[tuple[str, Difference]] = []
    for path, old, new in code:
        for name, other in renames.items():
            old = re.sub(rf"\b{name}\b", other, old)
        if not old:
            found.added |= {n.rsplit(".", 1)[-1] for n in pieces(new)}
            came += [(path, Difference(n, "added", 0, 0, None, p)) for n, p in pieces(new).items()]
            continue
        if SETTINGS.search(path):
            found.settings[path] = (old, new)
            continue
        before, after = tree_of(old), tree_of(new)
        if before is None or after is None:
            continue
        was, now = dict(held_by(before.body)), dict(held_by(after.body))
        # A function that stands in both is called by its name in both, also where it was one expression.
        fresh = {n: v for n, v in now.items() if n not in was and n not in pieces(old)}
        gone = {n: v for n, v in was.items() if n not in now and n not in pieces(new)}
        rows = []
        all_of = differences(old, new)
        helpers = {
            d.name.rsplit(".", 1)[-1]: d.new.node
            for d in all_of
            if d.kind == "added" and d.new is not None and isinstance(d.new.node, Node)
        }
        for one in all_of:
            if one.old is None or one.new is None or one.old.signature != one.new.signature:
                found.signed |= {one.name.rsplit(".", 1)[-1], *one.name.split(".")[:-1]}
            if one.kind == "added":
                came.append((path, one))
                found.added.add(one.name.rsplit(".", 1)[-1])
                found.new_names |= set(tokens(one.new.node if one.new else None))
                found.new_words |= words_of(" ".join([one.name, *tokens(one.new.node if one.new else None)]))
            elif one.kind == "removed":
                found.removed.setdefault(path, []).append(one)
            else:
                rows.append((one, atoms(one, fresh, gone, helpers)))
        found.parts[path] = rows
        found.texts[path], found.now[path] = old, new
        for name, other in renames.items():
            at = next((p for n, p in pieces(new).items() if n.rsplit(".", 1)[-1] == other), None)
            if at is not None:
                found.names[name] = (path, getattr(at.node, "lineno", 1))
    _moves(found, came)
    return found


def _moves(change: Change, came: Sequence[tuple[str, Difference]]) -> None:
    """Note what stands in another file since, and is not what it was there."""
    gone = {d.name: d for rows in change.removed.values() for d in rows}
    for path, one in came:
        was, now = gone.get(one.name), one.new
        if was is None or was.old is None or now is None or was.old.text == now.text:
            continue
        first = getattr(now.node, "lineno", 1)
        moved = Difference(one.name, "changed", first, getattr(now.node, "end_lineno", first), was.old, now)
        change.parts.setdefault(path, []).append((moved, atoms(moved, {}, {})))
        change.moved.add((path, one.name))


def _renames(texts: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the definitions that only have another name, of all the files of a change."""
    found: dict[str, str] = {}
    for old, new in texts:
        rows = differences(old, new)
        gone = {d.name.rsplit(".", 1)[-1]: d.old for d in rows if d.kind == "removed" and d.old}
        for one in rows:
            last = one.name.rsplit(".", 1)[-1]
            for name, was in gone.items() if one.kind == "added" and one.new else ():
                if name not in found and one.new and re.sub(rf"\b{name}\b", last, was.text) == one.new.text:
                    found[name] = last
    return found
