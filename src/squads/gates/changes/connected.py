"""Which parts of a change have to do with what was asked, and which ride along.

A definition that stood before belongs to the work if the brief speaks of it, if what differs in it speaks of what was
asked, or if it is a private helper of something that belongs. Whatever else a change alters, nobody asked for.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from squads.gates.changes.brief import Brief
from squads.gates.changes.concepts import words_of
from squads.gates.changes.lines import changed
from squads.gates.changes.pieces import Difference, Piece, differences, pieces

_RENAMES = re.compile(
    r"(?i)\brenam\w*\s+(?:\w+\s+){0,3}?[`\"']?([A-Za-z_][\w.]*)(?:\(\))?[`\"']?\s+(?:to|into|as|->|→)\s+"
    r"[`\"']?([A-Za-z_][\w.]*)"
)
_PURE = re.compile(
    r"(?i)\bpure(?:ly)?\b|\b(?:only|just) (?:a |the )?renam|\brenam\w*\b[^.]{0,40}\b(?:only|nothing more)\b"
    r"|\bnothing else\b|\bmechanical"
)


def renamed_only(brief: Brief, old: str, new: str) -> Iterator[Difference]:
    """Yield what else is different, where the brief asks for other names and nothing more."""
    pairs = [(a.rsplit(".", 1)[-1], b.rsplit(".", 1)[-1]) for a, b in _RENAMES.findall(brief.text)]
    alone = brief.keeps and not _ALSO.search(re.split(r"(?<=[.!?])\s", brief.text)[0])
    if not pairs or not (alone or _PURE.search(brief.text)):
        return
    for one, other in pairs:
        old = re.sub(rf"\b{re.escape(one)}\b", other, old)
        new = re.sub(rf"\b{re.escape(one)}\b", other, new)  # a comment may still name it
    yield from (d for d in differences(old, new) if d.kind == "changed" and not _imports_only(d))


def _imports_only(piece: Difference) -> bool:
    return isinstance(piece.new.node if piece.new else None, ast.ClassDef)


_ALSO = re.compile(
    r"(?i)\b(?:make|add|move|change|give|fix|split|extract|merge|speed|replace|drop|remove|introduce|turn|convert)\b"
)


@dataclass(frozen=True, slots=True)
class Work:
    """The definitions that a change makes different in one file, held against what was asked."""

    tied: set[str]
    """Those that have to do with what was asked."""
    riding: list[Difference]
    """Functions that stood before, are altered, and have not."""


def work(brief: Brief, old: str, new: str, named: set[str], fresh: set[str]) -> Work:
    """Return what belongs to the work and what rides along.

    Nothing rides along where no definition of the file can be tied to the words of the brief: they say too little.
    """
    found = differences(old, new)
    lines = old.split("\n"), new.split("\n")
    # A brief that names functions of this file means those, and no others whose names have a word in common.
    strict = any(n.rsplit(".", 1)[-1] in named for n, p in pieces(old).items())
    paths = words_of(" ".join(t for t in brief.named if "/" in t or t.endswith(".py")))
    asked = brief.asked - paths  # where something is says little of what is asked
    taken: set[str] = set()
    if strict and brief.closed:
        # Where nothing but those may be touched, what they bring is all that others may follow.
        mine = [d for d in found if d.name.rsplit(".", 1)[-1] in named]
        mine = [d for d in mine if d.old is not None and d.new is not None]
        taken = {n for d in mine if d.new and d.old for n in {*_arguments(d.new)} - {*_arguments(d.old)}}
        asked = words_of(" ".join(taken | {d.name for d in found if d.kind == "added"}))
    if strict:
        asked &= brief.prose | words_of(" ".join(taken))
    words = _narrowed(asked if strict else brief.asked, brief, found, named, lines)
    tied = {d.name for d in found if _tied(d, words, named, *lines, strict)}
    used = {n for d in found if d.name in tied for n in _names(d.new)} | fresh
    follows = (
        fresh
        | {d.name.rsplit(".", 1)[-1] for d in found if d.kind == "added" and d.name in tied}
        | {n for d in found if d.kind == "added" and (n := d.name.rsplit(".", 1)[-1]) in used}
    )
    tied |= {d.name for d in found if d.kind == "changed" and follows & set(_names(d.new) - _names(d.old))}
    kept = [c.roots for c in brief.concepts if c.roots]
    after = pieces(new)
    seeds = tied | {n for n in after if n in named or n.rsplit(".", 1)[-1] in named}
    helpers = _helpers(seeds, after)
    beside = [
        d
        for d in found
        if d.kind == "changed"
        and isinstance(d.new.node if d.new else None, ast.FunctionDef | ast.AsyncFunctionDef)
        and (
            d.name not in tied | helpers
            or (
                (strict or d.name not in tied)
                and d.name.rsplit(".", 1)[-1] not in named
                and any(_spoken(d, *lines) & c == c for c in kept)
            )
        )
        and not d.name.endswith(("__init__", "__post_init__"))
        and not feeds(d, [after[n] for n in seeds if n in after])
        and not any(d.name.startswith(f"{t}.") for t in tied & named)
    ]
    return Work(tied | helpers, beside if tied else [])


def feeds(piece: Difference, seeds: Iterable[Piece]) -> bool:
    """Return whether a method fills otherwise what a method of its class, which belongs to the work, reads."""
    owner = piece.name.rpartition(".")[0]
    others = [s for s in seeds if owner and s.name.startswith(f"{owner}.") and s.name != piece.name]
    if not others or piece.old is None or piece.new is None:
        return False
    before = {ast.unparse(n) for n in ast.walk(piece.old.node) if isinstance(n, ast.stmt)}
    new = [n for n in ast.walk(piece.new.node) if isinstance(n, ast.Assign | ast.AugAssign | ast.Expr)]
    fills = {
        n.attr for s in new if ast.unparse(s) not in before for n in ast.walk(s)
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == "self"
    }  # fmt: skip
    return any(isinstance(n, ast.Attribute) and n.attr in fills for s in others for n in ast.walk(s.node))


def _narrowed(
    asked: frozenset[str],
    brief: Brief,
    found: list[Difference],
    named: set[str],
    lines: tuple[list[str], list[str]],
) -> frozenset[str]:
    """Return what is asked without what is to stay, if something that differs speaks of the rest."""
    kept = frozenset().union(*(c.roots for c in brief.concepts))
    rest = asked - kept
    return rest if rest != asked and any(_tied(d, rest, named, *lines, False) for d in found) else asked


def fresh_names(brief: Brief, named: set[str], texts: Iterable[tuple[str, str]]) -> set[str]:
    """Return the names that a change brings as it was asked to: others have to follow them."""
    found: set[str] = set()
    for old, new in texts:
        for one in differences(old, new):
            last = one.name.rsplit(".", 1)[-1]
            asked = not old or last in named or bool(words_of(last) & brief.asked)
            moved = one.old is not None and one.new is not None and one.old.signature != one.new.signature
            if asked and (one.kind == "added" or moved) and not last.startswith("__"):
                found.add(last)
                if moved and one.old is not None and one.new is not None:
                    found |= set(_arguments(one.new)) - set(_arguments(one.old))
    return found


def _arguments(piece: Piece) -> Iterator[str]:
    return (n.arg for n in ast.walk(piece.node) if isinstance(n, ast.arg))


def brought(piece: Difference, found: list[Difference]) -> Iterator[Difference]:
    """Yield the new definitions that an altered one uses: what is different stands there too."""
    used = set(_names(piece.new)) - set(_names(piece.old))
    yield from (d for d in found if d.kind == "added" and d.name.rsplit(".", 1)[-1] in used)


def _tied(
    piece: Difference, asked: frozenset[str], named: set[str], old: list[str], new: list[str], strict: bool
) -> bool:
    last = piece.name.rsplit(".", 1)[-1]
    if last in named or piece.name in named:
        return True
    function = isinstance(getattr(piece.new or piece.old, "node", None), ast.FunctionDef | ast.AsyncFunctionDef)
    if words_of(last) & asked and not (function and strict):
        return True
    return bool(_spoken(piece, old, new) & asked)


def spoken(piece: Difference) -> frozenset[str]:
    """Return the roots of the names and texts that a definition has since, or has no more."""
    before, now = _names(piece.old), _names(piece.new)
    return _roots([*(before - now), *(now - before)])


def _roots(said: Iterable[str]) -> frozenset[str]:
    words = re.findall(r"\w+", " ".join(said))
    return words_of(" ".join(w for w in words if not keyword.iskeyword(w)))


def _spoken(piece: Difference, old: list[str], new: list[str]) -> frozenset[str]:
    """Return what a definition says since or no more; what its differing lines say, where that is nothing."""
    found = spoken(piece)
    if _names(piece.old) != _names(piece.new):
        return found

    def lines(text: list[str], one: Piece | None) -> list[str]:
        return text[one.node.lineno - 1 : one.node.end_lineno] if one is not None else []  # type: ignore[attr-defined]

    was, stands = lines(old, piece.old), lines(new, piece.new)
    hunks = changed(was, stands)
    return _roots(re.sub(r"#.*", "", x) for a, b, c, d in hunks for x in (*was[a - 1 : b], *stands[c - 1 : d]))


def _names(piece: Piece | None) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in ast.walk(piece.node) if piece is not None else ():
        match node:
            case ast.Name():
                found[node.id] += 1
            case ast.Attribute():
                found[node.attr] += 1
            case ast.arg():
                found[node.arg] += 1
            case ast.keyword() if node.arg:
                found[node.arg] += 1
            case ast.Constant() if isinstance(node.value, str) and len(node.value) < 200:
                found[node.value] += 1
    return found


def _helpers(tied: set[str], after: Mapping[str, Piece]) -> set[str]:
    """Return the private definitions that what belongs to the work uses."""
    found: set[str] = set()
    left = set(tied)
    while left:
        name = left.pop()
        used = set(_names(after.get(name)))
        for other in after:
            last = other.rsplit(".", 1)[-1]
            if other not in found and last.startswith("_") and not last.startswith("__") and last in used:
                found.add(other)
                left.add(other)
    return found


def reached(names: set[str], text: str) -> dict[str, str]:
    """Return the definitions of a file that others use, through any number of them: name to who uses it."""
    known = pieces(text)
    found: dict[str, str] = {}
    left = [n for n in known if n in names or n.rsplit(".", 1)[-1] in names]
    seen = set(left)
    while left:
        name = left.pop()
        if isinstance(known[name].node, ast.ClassDef):
            continue
        used = set(_names(known[name]))
        for other in known:
            if other not in seen and other.rsplit(".", 1)[-1] in used:
                seen.add(other)
                found[other] = name
                left.append(other)
    return found
