"""What a permitted file changes beyond what was asked: values that the brief lets stay, and guards switched off."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.changes.brief import Brief
from squads.gates.changes.concepts import UNITS, Concept, values, words_of
from squads.gates.changes.connected import spoken
from squads.gates.changes.facts import SETTINGS, Fact, changed_facts
from squads.gates.changes.kinds import PERMITS
from squads.gates.changes.lines import now_at
from squads.gates.changes.pieces import Difference, differences, pieces

_GUARDS = re.compile(
    r"(?i)(?:^|_)(?:verify|validate|check|secure|ssl|tls|strict|auth|authenticated|required?|csrf|http_?only|escape"
    r"|autoescape|safe|enforce|login_required|protect(?:ed)?|starttls|use_tls)(?:_|$)"
)
_OPENS = re.compile(r"(?i)(?:^|_)(?:debug|insecure|allow|disable|skip|bypass|trust|anonymous|public)(?:_|$)")
Found = tuple[tuple[int, int], str, str]


def beyond(brief: Brief, path: str, old: str, new: str) -> Iterator[Found]:
    """Yield ((line, last line), what is different, the words against it)."""
    found = differences(old, new) if path.endswith((".py", ".pyi")) else []
    facts = list(changed_facts(path, old, new))
    named = {n.rsplit(".", 1)[-1] for n in brief.named}
    spoken = [f for f, _, _ in facts if _named(f.word, brief, named)]
    keyed = brief.closed and SETTINGS.search(path) and bool(spoken)
    entries = [f for f in spoken if "." in f.name and f.kind == "constant" and brief.closed]
    tables = {f.name.rsplit(".", 1)[0] for f in entries}
    replaced, replacing = values(brief.text)
    for fact, was, now in facts:
        place = (fact.line, fact.end_line)
        if now is None:
            line = now_at(old.split("\n"), new.split("\n"), fact.line)
            place = (line, line)
        asked_for = _named(fact.word, brief, named)
        others = [words_of(f.word) for f, _, _ in facts if f is not fact]
        concept = next((c for c in brief.concepts if _kept(fact, was, c, brief, others)), None)
        what = f"{fact.name} {'was ' + was.value[:60] if was is not None else 'is set'}"
        if concept is not None and not asked_for:
            yield place, f"{what}, and the brief lets it stay", concept.sentence
        elif fact.name in tables and was is None and not asked_for:
            yield place, f"{fact.name} is another kind of table, and the brief names entries of it", brief.closed
        elif asked_for or words_of(fact.word) & brief.asked:
            continue
        elif fact.kind == "entry" and brief.others and was is not None and now is not None:
            said = f"{what}, and the brief lets what stood there stay"
            yield place, said, brief.others
            for piece in found:  # what it is made with now may stand elsewhere
                if piece.kind == "added" and re.search(rf"\b{re.escape(piece.name)}\(", now.value):
                    yield (piece.line, piece.end_line), said, brief.others
        elif fact.kind == "entry":
            continue
        elif _let_in(fact, was, now, brief, old, new):
            yield place, f"{what}: who may use it is different, and the brief does not ask for that", brief.closed
        elif _opened(fact, was, now):
            yield place, f"{what}, which guarded something, and the brief does not ask for that", brief.closed
        elif brief.keeps and was is not None and now is not None and _other_value(fact, was, now, old):
            yield place, f"{what}, and the brief keeps what the code does", brief.keeps
        elif keyed or (fact.kind == "constant" and tables & {fact.name, fact.name.rsplit(".", 1)[0]}):
            yield place, f"{what}, and the brief closes what it does not name", brief.closed
        elif (
            replaced
            and brief.limits
            and was is not None
            and now is not None
            and fact.kind in ("constant", "default", "setting")
            and _literal(was.value)
            and _literal(now.value)
            and not any(_same(v, now.value) for v in replacing)
        ):
            yield place, f"{what}, and the brief asks for another value", brief.closed
    for piece in found if brief.inert else ():
        if piece.kind != "added" and not _is_class(piece):
            line = piece.line or now_at(
                old.split("\n"), new.split("\n"), getattr(piece.old.node, "lineno", 1) if piece.old else 1
            )
            yield (line, max(line, piece.end_line)), f"{piece.name} is {piece.kind}, and no code is to be", brief.inert
    for piece in found:
        concept = next((c for c in brief.concepts if _function_kept(piece, c, brief)), None)
        if concept is not None and piece.name.rsplit(".", 1)[-1] not in named and piece.line:
            what = f"{piece.name} is {piece.kind}, and the brief lets it stay"
            yield (piece.line, piece.end_line), what, concept.sentence


def _named(word: str, brief: Brief, named: set[str]) -> bool:
    leaf = re.sub(r"\[\d+\]", "", word).rsplit(".", 1)[-1]
    return leaf in named or word in brief.named or (len(leaf) > 2 and leaf in brief.named)


def _kept(fact: Fact, was: Fact | None, concept: Concept, brief: Brief, others: list[frozenset[str]]) -> bool:
    """Return whether a brief's words let a value stay: they name it more closely than they ask for it.

    Where they do both, it stays if another value that differs is what was asked for.
    """
    if was is None and fact.kind != "argument":
        return False
    words = words_of(fact.word)
    core = words - UNITS or words
    said, asked = core & concept.roots, core & brief.asked
    wanted = any(words & brief.asked - concept.roots for words in others)
    if not said or len(said) < len(asked) or (len(said) == len(asked) and not wanted):
        return False
    return said in (core, concept.roots) or len(said) > 1


def _function_kept(piece: Difference, concept: Concept, brief: Brief) -> bool:
    old = piece.old
    if old is None or not old.signature or piece.kind == "added" or isinstance(old.node, ast.ClassDef):
        return False
    words = words_of(piece.name.rsplit(".", 1)[-1])
    kept = frozenset().union(*(c.roots for c in brief.concepts))
    if words & brief.asked or spoken(piece) & (brief.asked - kept):
        return False
    return bool(words) and words <= concept.roots and (len(words) > 1 or words == concept.roots)


def _opened(fact: Fact, was: Fact | None, now: Fact | None) -> bool:
    """Return whether something that guards was switched off."""
    before = was.value.rsplit(" ", 1)[-1].lower() if was is not None else ""
    after = now.value.rsplit(" ", 1)[-1].lower() if now is not None else ""
    if _GUARDS.search(fact.word):
        return after == "false" and (before == "true" or (was is None and fact.kind == "argument"))
    return bool(_OPENS.search(fact.word)) and (before, after) == ("false", "true")


def _other_value(fact: Fact, was: Fact, now: Fact, old: str) -> bool:
    """Return whether a constant or a default has another value, and not only another name for it."""
    if fact.kind not in ("constant", "default", "setting") or not _literal(now.value):
        return False
    if _literal(was.value):
        return True
    held = [p for p in pieces(old).values() if p.name == was.value]
    return bool(held) and held[0].text != f"{was.value} = {now.value}"


def _is_class(piece: Difference) -> bool:
    return any(p is not None and isinstance(p.node, ast.ClassDef) for p in (piece.old, piece.new))


def _let_in(fact: Fact, was: Fact | None, now: Fact | None, brief: Brief, old: str, new: str) -> bool:
    """Return whether a decorator that asks who somebody is was taken away from something that stands."""
    if fact.kind != "decorator" or was is None or now is not None or not PERMITS.search(fact.name.rsplit("@", 1)[-1]):
        return False
    owner = pieces(new).get(fact.name.split("@")[0])
    if owner is None or PERMITS.search(owner.decorators) or len(PERMITS.findall(new)) >= len(PERMITS.findall(old)):
        return False  # it is gone itself, another decorator asks, or the same is asked elsewhere
    return not PERMITS.search(" ".join(sorted(brief.asked)))


def _literal(text: str) -> bool:
    if text.startswith("tag:"):
        return True
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _same(said: str, value: str) -> bool:
    plain = value.rsplit(" ", 1)[-1].strip("'\"")
    try:
        return float(said.rstrip("%.").replace("_", "")) == float(plain)
    except ValueError:
        return said.strip(".").lower() == plain.lower()
