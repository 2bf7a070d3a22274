"""What a change does inside a file that it may touch: functions, signatures, defaults, values of other modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.changes.beyond import Found
from squads.gates.changes.brief import Brief, meets
from squads.gates.changes.concepts import words_of
from squads.gates.changes.connected import Work, brought, fresh_names, reached, renamed_only
from squads.gates.changes.connected import work as work_of
from squads.gates.changes.kinds import PERMITS
from squads.gates.changes.lines import now_at
from squads.gates.changes.pieces import Difference, assigned_elsewhere, differences, pieces
from squads.gates.changes.suite import TEST_FILE

_COLUMN = re.compile(r"\b(?:mapped_column|Column|relationship|models\.\w+|Field|ForeignKey|MappedColumn)\(|: Mapped\[")


@dataclass(frozen=True, slots=True)
class Touched:
    """One path of a change."""

    path: str
    kind: str
    """`written`, `edited` or `removed`."""
    old: str
    new: str
    hunks: tuple[tuple[int, int], ...]
    """The lines that differ, in the new text."""


def names_of(brief: Brief) -> set[str]:
    """Return the names of code, and not of files, that the work is to be done on."""
    return {n.rsplit(".", 1)[-1] for n in brief.named if not n.endswith(".py")}


def brings(brief: Brief, touched: list[Touched]) -> set[str]:
    """Return the names that a change brings as it was asked to, in all of its code."""
    code = [(t.old, t.new) for t in touched if t.path.endswith(".py") and not TEST_FILE.search(t.path)]
    return fresh_names(brief, names_of(brief), code) if brief.limits else set()


def inside(brief: Brief, one: Touched, touched: list[Touched], fresh: set[str]) -> Iterator[Found]:
    """Yield ((line, last line), what is different, the words against it): functions, signatures, values of others."""
    if not brief.limits and not brief.text:
        return
    found = differences(one.old, one.new) if one.kind == "edited" else []
    functions = _functions(brief, touched) if brief.closed else set()
    tests = TEST_FILE.search(one.path) is not None
    last_of = {n.rsplit(".", 1)[-1] for n in brief.excluded}
    stays = set() if tests or not found else _standing(brief, one.old)
    through = reached(last_of | stays, one.old) if (brief.excluded or stays) and not tests and found else {}
    named = names_of(brief)
    here = {n for n in named if any(n == p.rsplit(".", 1)[-1] for p in pieces(one.old))}
    weighed = (brief.closed or brief.keeps or brief.excluded or brief.concepts) and not tests and found
    parts = work_of(brief, one.old, one.new, named, fresh) if weighed else Work(set(), [])
    whole_file = any(meets(t, one.path) for t in brief.named) and not here
    closes = brief.closed or brief.keeps or any(c.roots for c in brief.concepts)
    beside = {d.name for d in parts.riding} if closes and not whole_file else set()
    if not tests:
        for piece in renamed_only(brief, one.old, one.new):
            what = f"{piece.name} is changed beyond its names, and the brief asks for nothing else"
            yield _of_piece(one, piece, what, brief.keeps)
    for piece in found:
        last = piece.name.rsplit(".", 1)[-1]
        excluded = next(
            (
                s
                for t, s in brief.excluded.items()
                if t in (piece.name, last)
                or piece.name.startswith(f"{t}.")
                or (t.rsplit(".", 1)[-1] == last and "/" not in t and "." in t)
            ),
            None,
        )
        if excluded is not None and piece.kind != "added":
            what = f"{piece.name} is {piece.kind}, and the brief excludes it"
            for part in (piece, *brought(piece, found)):
                yield _of_piece(one, part, what, excluded)
        elif (said := _of_kind(brief, piece)) is not None:
            yield _of_piece(one, piece, said[0], said[1])
        elif piece.name in stays and piece.kind == "changed" and not _optional(piece):
            yield _of_piece(one, piece, f"{piece.name} is changed, and the brief lets it go on as before", brief.closed)
        elif piece.name in through and last not in named and piece.kind == "changed" and not _optional(piece):
            what = f"{piece.name} is changed, and {through[piece.name]}, which the brief lets stay, stands on it"
            yield _of_piece(one, piece, what, next(iter(brief.excluded.values()), ""))
        elif piece.name in beside:
            what = f"{piece.name} is changed, and has nothing to do with what was asked"
            for part in (piece, *brought(piece, found)):
                yield _of_piece(one, part, what, brief.closed or brief.keeps)
        elif brief.closed and functions and not tests and piece.name not in parts.tied and piece.kind != "added":
            whole = any(meets(t, one.path) for t in brief.named) and not any(
                t.rsplit(".", 1)[-1] in {n.rsplit(".", 1)[-1] for n in pieces(one.old)} for t in functions
            )
            used = piece.old is not None and not isinstance(piece.old.signature, str)
            if (
                not whole
                and not used
                and last not in functions
                and piece.name not in functions
                and not any(piece.name.startswith(f"{f}.") or f.startswith(f"{piece.name}.") for f in functions)
            ):
                yield _of_piece(
                    one,
                    piece,
                    f"{piece.name} is {piece.kind}, and the brief closes what it does not name",
                    brief.closed,
                )
    for line, owner, name in assigned_elsewhere(one.old, one.new) if brief.excluded or brief.closed else ():
        for target, sentence in brief.excluded.items():
            if (
                meets(target, owner.replace(".", "/") + ".py")
                or meets(target, owner.rpartition(".")[0].replace(".", "/") + ".py")
                or (target in (name, owner.rsplit(".", 1)[-1]))
            ):
                yield (line, line), f"{owner}.{name} is set from here, and the brief excludes {target}", sentence
                break
        else:
            if (
                brief.closed
                and not TEST_FILE.search(one.path)
                and any(meets(owner.replace(".", "/") + ".py", f.path) for f in touched if f is not one)
            ):
                what = f"{owner}.{name} is set from here, and the brief closes what it does not name"
                yield (line, line), what, brief.closed


def _standing(brief: Brief, text: str) -> set[str]:
    """Return the functions of a file that a brief lets go on as before, in plain words, where it names another."""
    functions = {n: n.rsplit(".", 1)[-1] for n, p in pieces(text).items() if p.signature and not p.name[:1].isupper()}
    if not set(functions.values()) & brief.named:
        return set()
    kept = [c.roots for c in brief.concepts]
    words = {n: words_of(last) for n, last in functions.items() if last not in brief.named}
    return {n for n, w in words.items() if w and not w & brief.asked and any(w <= c for c in kept)}


def _functions(brief: Brief, touched: list[Touched]) -> set[str]:
    """Return the named things that are definitions of the touched files."""
    defined = {n for one in touched for n in pieces(one.old)} | {n for one in touched for n in pieces(one.new)}
    last = {n.rsplit(".", 1)[-1] for n in defined}
    return {
        t
        for t in brief.named
        if t in defined or (t.rsplit(".", 1)[-1] in last and not t.endswith(".py") and "/" not in t)
    }


def _of_kind(brief: Brief, piece: Difference) -> tuple[str, str] | None:
    """Return what a different definition changes of a kind that the brief excludes."""
    old, new = piece.old, piece.new
    if old is None:
        return None
    last = piece.name.rsplit(".", 1)[-1]
    asked = piece.name in brief.named or last in brief.named
    told = brief.categories.get("signatures", "")
    if told and piece.public and old.signature and (new is None or old.signature != new.signature):
        # "Its signature stays" leaves no room; elsewhere what was asked for may take an argument more.
        strict = not asked or re.search(r"(?i)\b(?:its|their)\s+(?:\w+\s+)?signature", told)
        if new is None or strict or _breaks(old.signature, new.signature):
            return f"the signature of {piece.name} is {piece.kind}, and the brief excludes signatures", told
    if "defaults" in brief.categories and not asked:
        constant = re.search(r"(?i)default|_size|limit|timeout|max|min", last) is not None and not old.signature
        if constant or (old.defaults != (new.defaults if new else "")):
            return f"a default of {piece.name} is {piece.kind}, and the brief excludes defaults", brief.categories[
                "defaults"
            ]
    if "models" in brief.categories and _COLUMN.search(f"{old.text} {new.text if new else ''}"):
        return f"{piece.name} of a model is {piece.kind}, and the brief excludes the models", brief.categories["models"]
    if "permissions" in brief.categories:
        decorators = new.decorators if new else ""
        gone = old.decorators != decorators and PERMITS.search(old.decorators + decorators)
        if gone or (not asked and PERMITS.search(last) and not words_of(last) & brief.asked):
            return (
                f"who may use {piece.name} is {piece.kind}, and the brief excludes permissions",
                brief.categories["permissions"],
            )
    return None


def _optional(piece: Difference) -> bool:
    """Return whether a function takes an argument more that nobody has to give."""
    return piece.old is not None and piece.new is not None and len(piece.new.defaults) > len(piece.old.defaults)


def _breaks(old: str, new: str) -> bool:
    """Return whether a signature no longer takes what it took: more than an argument with a default came behind."""
    return not (
        new.split(" ->")[0].startswith(old.split(" ->")[0].rstrip()) and new.split("->")[-1] == old.split("->")[-1]
    )


def _of_piece(one: Touched, piece: Difference, message: str, sentence: str) -> Found:
    line, end = piece.line, piece.end_line
    if not line:
        old = piece.old.node if piece.old else None
        line = end = now_at(one.old.split("\n"), one.new.split("\n"), getattr(old, "lineno", 1))
    return (line, end), message, sentence
