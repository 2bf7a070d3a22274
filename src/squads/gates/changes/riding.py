"""What a change alters where it stands although nothing that was asked is about it.

Each smallest part that differs is held against the words of the brief. Where other parts of the same change answer
what was asked, one that speaks of nothing in the brief rides along: another default, another order, another text.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from squads.gates.changes.about import tokens
from squads.gates.changes.atoms import Atom
from squads.gates.changes.brief import Brief
from squads.gates.changes.concepts import UNITS, words_of
from squads.gates.changes.connected import feeds
from squads.gates.changes.facts import Fact, changed_facts
from squads.gates.changes.lines import now_at
from squads.gates.changes.names import Node
from squads.gates.changes.numbers import numbers, spoken_number
from squads.gates.changes.parts import Change
from squads.gates.changes.pieces import Difference, Piece, pieces

Found = tuple[tuple[int, int], str, str]
# These leave open where the work is: what has to differ for them cannot be told from their words.
_OPEN = re.compile(
    r"(?i)\b(?:fix\w*|repair\w*|bugs?|refactor\w*|clean\w*|speed\w*|fast\w*|slow\w*|performan\w*|simplif\w*|rewrit\w*"
    r"|migrat\w*|port|upgrad\w*|investigat\w*|improv\w*|robust\w*|harden\w*|wrong\w*|broken|crash\w*|fail\w*|correct\w*"
    r"|restructur\w*|reorgani\w*|moderni\w*|tid(?:y|ied)|split|extract|merge|replace|convert|switch|unif\w*"
    r"|consisten\w*|everywhere|throughout|gives? up|leaks?|inject\w*|races?|unsafe|secure\w*)\b"
)
_TAKES = re.compile(
    r"(?i)\b(?:renam|remov|delet|drop|retir|deprecat|mov(?:e|ing)|get rid|no longer|take out|abolish|withdraw"
    r"|call(?:ed)? it)\w*"
)
_HARD = frozenset({"value", "text", "sign", "call", "wrapped", "default", "element", "entry", "name"})
_LOST = frozenset({"decorator", "condition", "element", "entry", "argument"})
# Where an amount may be another one without being named.
_AMOUNTS = re.compile(
    r"(?i)\b(?:rais|increas|lower|reduc|decreas|extend|shorten|longer|shorter|more|fewer|less|bigger|smaller|larger|higher"
    r"|tighten|loosen|relax|doubl|halv|triple|tun|adjust|limit|patient|set|chang|bump|default|up|down|cap|match|by)\w*\b"
)
_EDGE = re.compile(r"(?<=[<>])=")
_LEFT = re.compile(r"(?:continue|break|return|raise)\b")
_LEAVES = frozenset({"return", "continue", "break"})
_STEPS_MAX = 3
_NUMBER = re.compile(r"-?[\d_]+(?:\.\d+)?")
_WRITTEN = frozenset({"format", "output", "log"})
_LITERAL = re.compile(r"-?[\d_.]+|True|False|None|'[^']*'|\"[^\"]*\"")
_COUNTS = re.compile(r"(?i)(?<![a-z])(?:version|revision|count|columns|fields|updated|changed)(?![a-z])|__all__")


@dataclass(slots=True)
class _Judge:
    brief: Brief
    change: Change
    asked: frozenset[str]
    named: set[str]
    broad: frozenset[str] = frozenset()
    """What is asked, also where most functions speak of it."""
    answers: list[Atom] = field(default_factory=list)
    """The parts that answer the brief."""
    answered: int = 0
    strict: bool = False
    """Whether the brief names a function that differs: then others must say themselves what was asked."""
    fixed: bool = False
    """Whether the brief asks for no other amounts."""
    pinned: bool = False
    """Whether a value is now what the brief says it should be."""
    numbers: set[float] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    """All names of what answers the brief."""
    left: set[str] = field(default_factory=set)
    """The names that what answers the brief has no more."""
    called: set[str] = field(default_factory=set)
    """What answers the brief and is called, and what is called in another way since."""
    used: set[str] = field(default_factory=set)
    """The names that what answers the brief has since."""

    def speaks(self, atom: Atom, *, here: bool = False, constant: bool = False) -> bool:
        """Return whether a part says something of what was asked; `here` in a definition that has to do with it."""
        about = (
            atom.about if atom.kind == "entry" else atom.said if self.strict and not here else atom.said | atom.about
        )
        if self.fixed and _NUMBER.fullmatch(atom.old) and _NUMBER.fullmatch(atom.new):
            return spoken_number(atom.new, self.numbers) or spoken_number(atom.old, self.numbers)
        asked = self.broad | self.asked if here else self.asked
        if atom.kind == "added" and constant:
            about = atom.said or asked
        if (about - UNITS if atom.kind in ("value", "default") else about) & asked or atom.names & (
            self.change.added | self.named
        ):
            return True
        text = atom.new.strip("'\"")
        if atom.kind == "text" and len(text) > 1 and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", self.brief.text):
            return True
        return spoken_number(atom.new, self.numbers) or spoken_number(atom.old, self.numbers)

    def sets(self, fact: Fact, was: Fact, now: Fact) -> bool:
        """Return whether a setting is what was asked for."""
        leaf = re.sub(r"\[\d+\]|'", "", fact.name).rsplit(".", 1)[-1]
        words = words_of(leaf) - UNITS or words_of(leaf)
        if spoken_number(now.value, self.numbers) or spoken_number(was.value, self.numbers):
            return True
        return bool((words | words_of(now.value.split(" ", 1)[-1])) & (self.broad | self.asked)) or leaf in self.named

    def tied(self, piece: Difference, found: Sequence[Atom]) -> bool:
        """Return whether a definition has to do with what was asked, by its name or by what differs in it."""
        last = piece.name.rsplit(".", 1)[-1]
        if last in self.named or piece.name in self.named:
            return True
        amounts = found and all(_NUMBER.fullmatch(a.old) and _NUMBER.fullmatch(a.new) for a in found)
        if words_of(last) & self.asked and not (self.fixed and amounts):
            return True
        return any(self.speaks(a) for a in found)

    def follow(self) -> None:
        """Note what the definitions that answer the brief use, and what follows them."""
        self.used, self.called = set(self.change.new_names), set(self.change.signed)
        rows = [row for rows in self.change.parts.values() for row in rows]
        for piece, found in rows:
            if self.tied(piece, found):
                self.used |= {n for a in found for n in a.names}
                self.left |= {n for a in found for n in a.lost}
                own = piece.name.rsplit(".", 1)[-1]
                self.uses |= set(tokens(piece.new.node)) - {own} if piece.new else set()
                if piece.new and isinstance(piece.new.node, Node):
                    self.called.add(own)
        for _ in range(_STEPS_MAX):
            self.called |= {p.name.rsplit(".", 1)[-1] for p, found in rows if any(a.near & self.called for a in found)}


def riding(brief: Brief, change: Change, named: set[str]) -> Mapping[str, list[Found]]:
    """Return what rides along, by path; nothing where no part of the change answers the words of the brief."""
    kept = frozenset().union(*(c.roots for c in brief.concepts))
    known = {d.name.rsplit(".", 1)[-1] for rows in change.parts.values() for d, _ in rows}
    coded = words_of(" ".join(n for n in named if n not in known and "/" not in n and not re.search(r"\.\w+$", n)))
    handed = re.findall(r"\b\w+\(([\w, ]+)\)", brief.text)  # what a function takes says little of what is asked
    rest = words_of(re.sub(r"(?<=\w)\([\w, ]+\)", " ", brief.text).lower())
    said = (brief.prose - (words_of(" ".join(handed)) - rest)) | coded
    for asked in (said - kept - _common(change), said - kept, said):
        judge = _Judge(brief, change, asked, named, strict=bool(named & known), numbers=numbers(brief.text))
        judge.fixed = not _AMOUNTS.search(brief.text) and not _OPEN.search(brief.text)
        answers = [a for rows in change.parts.values() for _, found in rows for a in found if judge.speaks(a)]
        judge.pinned = any(
            a.kind in ("value", "text", "default") and spoken_number(a.new, judge.numbers) for a in answers
        )
        judge.answered = sum(re.search(rf"\b{n}\b", brief.text) is not None for n in change.renamed)
        judge.answered += len(answers) + bool(change.new_words & asked)
        judge.answered += sum(
            judge.sets(f, w, n)
            for path, texts in change.settings.items()
            for f, w, n in changed_facts(path, *texts)
            if w is not None and n is not None
        )
        judge.answered += sum(judge.tied(p, found) for rows in change.parts.values() for p, found in rows)
        if judge.answered:
            break
    else:
        return {}
    judge.follow()
    judge.answers = answers
    judge.broad = said - kept if asked != said else said
    rode = {path: list(_of_file(judge, path, rows)) for path, rows in change.parts.items()}
    for path, other in _taken_away(judge, change):
        rode.setdefault(path, []).append(other)
    return rode | {path: list(_of_settings(judge, path, *texts)) for path, texts in change.settings.items()}


def _taken_away(judge: _Judge, change: Change) -> Iterator[tuple[str, Found]]:
    """Yield public functions and classes that are gone, or have another name, without a word of them."""
    if _OPEN.search(judge.brief.text) or _TAKES.search(judge.brief.text):
        return
    for old, (path, line) in change.names.items():
        if not old.startswith("_") and not re.search(rf"\b{old}\b", judge.brief.text):
            yield (
                path,
                ((line, line), f"{old} has another name, and nothing that was asked is about it", judge.brief.closed),
            )
    for path, rows in change.removed.items():
        for one in rows:
            last = one.name.rsplit(".", 1)[-1]
            if last in judge.left:
                continue  # what answers the brief used it, and uses another
            was = one.old.node if one.old is not None else None
            if not isinstance(was, Node) or last.startswith("__") or not one.public:
                continue
            if not judge.brief.names(last) and last not in change.added:
                line = now_at(change.texts[path].split("\n"), change.now[path].split("\n"), was.lineno)
                yield (
                    path,
                    ((line, line), f"{last} is gone, and nothing that was asked is about it", judge.brief.closed),
                )


def _of_settings(judge: _Judge, path: str, old: str, new: str) -> Iterator[Found]:
    for fact, was, now in changed_facts(path, old, new):
        if was is not None and now is not None and not _COUNTS.search(fact.name) and not judge.sets(fact, was, now):
            what = f"{fact.name} was {was.value[:60]}, and nothing that was asked is about it"
            yield (fact.line, fact.end_line), what, judge.brief.closed


def _of_file(judge: _Judge, path: str, rows: list[tuple[Difference, list[Atom]]]) -> Iterator[Found]:
    pointed = not _OPEN.search(judge.brief.text)
    for piece, found in rows:
        own = _born(piece)
        tied = judge.tied(piece, found) and (path, piece.name) not in judge.change.moved
        fed = (
            not tied
            and not pointed
            and any(feeds(piece, [p.new]) for p, other in rows if p.new and judge.tied(p, other))
        )
        last = piece.name.rsplit(".", 1)[-1]
        linked = (
            not tied
            and not judge.brief.limits
            and isinstance(piece.new.node if piece.new else None, Node)
            and last in judge.uses
        )
        constant = not isinstance(piece.new.node if piece.new else None, Node)
        answering = {a.slot for a in found if judge.speaks(a, here=tied, constant=constant) or a.names & own}
        wholes = {a.whole for a in found if a.slot in answering}
        for atom in found:
            if atom.kind == "added" and not judge.speaks(atom, here=tied) and not atom.names & own:
                told = _stays(judge.brief, atom, atom.about)
                if told:
                    what = f"{piece.name} has `{atom.new}` more, and the brief lets stay what it is in"
                    yield (atom.line, atom.end_line), what, told
                    continue
            if (
                not _alters(atom, tied, pointed or bool(judge.brief.closed), constant and bool(answering))
                or judge.speaks(atom, here=tied, constant=constant)
                or atom.names & own
            ):
                continue
            if atom.kind == "sign" and _turned(atom) and any(_LEFT.match(a.old) or _LEFT.match(a.new) for a in found):
                continue  # what was left early stands within since
            edge = atom.kind == "sign" and _EDGE.sub("", atom.old) == _EDGE.sub("", atom.new)
            if fed and atom.kind not in ("value", "text", "default"):
                continue
            stays = _stays(judge.brief, atom)
            if stays:
                what = f"{piece.name} has `{atom.new or 'nothing'}` where it had `{atom.old or 'nothing'}`"
                for place in _places(piece, atom):
                    yield place, f"{what}, and the brief lets it stay", stays
                continue
            if not tied and atom.kind not in ("value", "text", "default") and atom.near & judge.called and not edge:
                continue  # it follows what is called in another way, or gives something else
            if linked and atom.kind not in ("value", "text", "default", "entry", "element"):
                continue
            if (
                not tied
                and atom.kind == "added"
                and (atom.names & judge.used or (not atom.names and atom.new not in _LEAVES))
            ):
                continue  # what was asked for uses it
            if (
                atom.names
                and words_of(" ".join(atom.names))
                and any(a is not atom and atom.names <= a.names and atom.lost <= a.lost for a in judge.answers)
            ):
                continue  # the same was done where it was asked for
            if _COUNTS.search(piece.name) or any(_COUNTS.search(w) for w in atom.about):
                continue
            if tied and not ((answering or judge.pinned) and (pointed or judge.brief.closed)):
                continue  # its name is what was asked for: this may be the answer
            if (
                tied
                and atom.kind == "text"
                and not re.search(r"\w", atom.old + atom.new)
                and (not judge.brief.limits and atom.about <= _WRITTEN)
            ):
                continue
            if (
                tied
                and not edge
                and atom.kind not in ("element", "entry", "default", "value")
                and (atom.slot in answering if atom.kind == "text" else atom.whole in wholes)
            ):
                continue
            what = f"{piece.name} has `{atom.new or 'nothing'}` where it had `{atom.old or 'nothing'}`"
            said = f"{what}, and nothing that was asked is about it"
            for place in _places(piece, atom):
                yield place, said, judge.brief.closed


def _places(piece: Difference, atom: Atom) -> Iterator[tuple[int, int]]:
    """Yield where a part stands; and where it is used, if it stands in a new function or constant."""
    yield atom.line, atom.end_line
    if not piece.line - 1 <= atom.line <= max(piece.end_line, piece.line) + 1:
        yield piece.line, piece.end_line


def _turned(atom: Atom) -> bool:
    """Return whether a comparison says the contrary of what it said."""
    pairs = ((" == ", " != "), (" is ", " is not "), (" in ", " not in "), (" < ", " >= "), (" > ", " <= "))
    return any(atom.old.replace(a, b) == atom.new or atom.new.replace(a, b) == atom.old for a, b in pairs)


def _born(piece: Difference) -> set[str]:
    """Return the names that a function has since: arguments, locals, functions within it."""

    def names(one: Piece | None) -> set[str]:
        found = set()
        for node in ast.walk(one.node) if one is not None else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
        return found | _taken(one)

    return names(piece.new) - names(piece.old)


def _taken(piece: Piece | None) -> set[str]:
    """Return the names of a function's arguments."""
    given = getattr(piece.node if piece is not None else None, "args", None)
    return {n.arg for n in ast.walk(given) if isinstance(n, ast.arg)} if isinstance(given, ast.arguments) else set()


def _stays(brief: Brief, atom: Atom, told: frozenset[str] | None = None) -> str:
    """Return the words that let stay what a part is about; empty where there are none."""
    about = atom.said | atom.about if told is None else told
    held = (c for c in brief.concepts if about & c.roots and (len(about & c.roots) > 1 or c.roots <= about))
    return next((c.sentence for c in held), "")


def _alters(atom: Atom, tied: bool, pointed: bool, constant: bool) -> bool:
    """Return whether a part is something else than it was, and not only something more."""
    if atom.kind in _LOST and atom.old and not atom.new:
        return True
    if not tied and not pointed and atom.kind in ("sign", "call", "wrapped", "name"):
        return False  # it may be what was wrong
    if atom.kind in ("gone", "other", "condition", "argument", "added") and not tied and pointed:
        return True
    if atom.kind == "added" and constant:
        return True  # one more in a table
    if atom.kind == "other" and pointed:
        return _LITERAL.fullmatch(atom.old) is not None or _LITERAL.fullmatch(atom.new) is not None
    return atom.kind in _HARD and bool(atom.old or atom.kind == "default")


def _common(change: Change) -> frozenset[str]:
    """Return the roots that most functions of a file speak of, or its path: they say nothing of where the work is."""
    found: set[str] = set()
    for path, text in change.texts.items():
        found |= words_of(path.rsplit("/", 1)[-1])
        functions = [p for p in pieces(text).values() if isinstance(p.node, ast.FunctionDef | ast.AsyncFunctionDef)]
        if len(functions) > 1:
            said = Counter(w for p in functions for w in words_of(" ".join([p.name, *tokens(p.node)])))
            found |= {w for w, n in said.items() if n > 0.6 * len(functions)}
    return frozenset(found)
