"""What a brief says about where a change may go: what it names, what it excludes, and whether the rest is closed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from squads.gates.changes.concepts import Concept, phrases, roots
from squads.gates.changes.phrasing import (
    ASKS,
    BARE,
    CATEGORIES,
    DIFFERS,
    DOES,
    FORBIDS,
    INERT,
    INERT_ASK,
    INERT_BARE,
    INSIDE,
    KEEPS,
    NO_FILES,
    ONLY,
    ONLY_NAMED,
    ONLY_WORDED,
    OTHERS,
    PART_OF,
    PRONOUN,
    REST,
    SENTENCES,
    SPLITS,
    STAYS,
    STILL,
    TARGET,
    TOO,
    WORDED,
)


@dataclass(slots=True)
class Brief:
    """A brief, read for where a change may go."""

    text: str
    named: set[str] = field(default_factory=set)
    """What the work is to be done on."""
    excluded: dict[str, str] = field(default_factory=dict)
    """What must stay as it is, with the words that say so."""
    categories: dict[str, str] = field(default_factory=dict)
    """Kinds of things that must stay as they are."""
    closed: str = ""
    """The words that close everything that is not named; empty where nothing does."""
    concepts: list[Concept] = field(default_factory=list)
    """What stays, in plain words."""
    asked: frozenset[str] = frozenset()
    """The roots of the words that say what is wanted."""
    prose: frozenset[str] = frozenset()
    """Those of them that are not within names of code."""
    no_files: str = ""
    """The words that allow no new files."""

    inert: str = ""
    """The words that ask for text that does nothing: documents, comments, formatting, types."""
    keeps: str = ""
    """The words that keep what the code does."""
    others: str = ""
    """The words that keep the other entries of what is added to."""

    @property
    def limits(self) -> bool:
        """Whether it limits anything."""
        return bool(self.closed or self.excluded or self.categories or self.concepts or self.keeps or self.inert
                    or self.others)  # fmt: skip

    def names(self, word: str) -> bool:
        """Return whether the brief speaks of something by this word."""
        return re.search(rf"(?i)(?<![\w]){re.escape(word)}(?![\w])", self.text) is not None


def limiting(text: str) -> list[str]:
    """Return the sentences that say what is to stay."""
    return [s for s in SENTENCES.split(text.strip()) if FORBIDS.search(s) or STAYS.search(s)]


def read(text: str, known: Collection[str] = ()) -> Brief:
    """Return what a brief says; `known` are names of code that it may use like any other words."""
    bare = [re.escape(n) for n in known if len(n) > 2 or "_" in n]
    if bare:
        # Written as code, they are read as code: `(encode) must stay`, `leave cue and take alone`.
        pattern = re.compile(rf"(?<![`\w./-])(?:{'|'.join(sorted(bare, key=len, reverse=True))})(?![`\w/-]|\.\w)")
        text = pattern.sub(lambda m: f"`{m[0]}`", text)
    brief = Brief(text)
    spoken: list[str] = []
    for sentence in SENTENCES.split(text.strip()):
        sentence = " ".join(sentence.split())
        if not sentence:
            continue
        worded = ONLY_WORDED.search(sentence)
        if worded is not None:
            brief.named.add(worded[1])
        if (
            worded is not None
            or REST.search(sentence)
            or ((only := ONLY.search(sentence)) and (_targets(sentence) or " th" in only[0].lower()))
        ):
            brief.closed = brief.closed or sentence
        if NO_FILES.search(sentence):
            brief.no_files = brief.no_files or sentence
        if INERT.search(sentence) or (sentence[:40] in text[:60] and INERT_ASK.search(sentence)):
            brief.inert = brief.inert or sentence
        if OTHERS.search(sentence):
            brief.others = brief.others or sentence
        if KEEPS.search(sentence):
            brief.keeps = brief.keeps or sentence
        before: list[str] = []
        kept = False
        for clause in SPLITS.split(sentence):
            if clause:
                if BARE.match(clause):
                    for target in before:
                        brief.excluded.setdefault(target, sentence)
                said = PRONOUN.search(clause)
                if said is not None and not _targets(clause):
                    subject = _subject(sentence[: sentence.find(clause) + said.start()])
                    if subject and not _targets(sentence):
                        brief.concepts += phrases(subject, sentence)  # "the retries were agreed upon, don't touch them"
                    else:
                        for target in spoken:
                            brief.excluded.setdefault(target, sentence)
                limits = FORBIDS.search(clause) or STAYS.search(clause)
                if not kept or limits or ASKS.search(clause):
                    _clause(brief, clause, sentence)
                else:  # why it is to stay
                    brief.named |= set(_targets(clause))
                kept = kept or limits is not None
                before = _targets(clause)
                if INERT_BARE.search(clause) and not before:
                    brief.inert = brief.inert or sentence
                spoken = before or spoken
    brief.named -= set(brief.excluded)
    return brief


def _clause(brief: Brief, clause: str, sentence: str) -> None:
    targets = _targets(clause)
    open_ = {t for m in ONLY_NAMED.finditer(clause) for t in _targets(m[0])}
    brief.named |= open_
    forbids = FORBIDS.search(clause)
    stays = STAYS.search(clause)
    closing = REST.search(sentence)
    here = REST.search(clause)
    if here is not None and forbids is None and stays is None and DIFFERS.match(clause[here.end() :]):
        if clause[here.end() :].partition(":")[2]:  # "nothing else changes: dates and order are read by others"
            brief.concepts += phrases(TARGET.sub("", clause[here.end() :].partition(":")[2]), sentence)
        _asked(brief, clause[: here.start()])
        brief.named |= set(targets if ":" not in clause[here.end() :] else _targets(clause[: here.start()]))
        return
    if closing is not None and forbids is None and stays is None and sentence.find(clause) > closing.end():
        return  # "touch nothing else: `b.py` is under audit" names `b.py`, and does not ask for it
    still = STILL.search(clause)
    if forbids is None and stays is None and still is not None:
        brief.named |= set(targets)
        _asked(brief, clause[: still.start()])
        brief.concepts += phrases(TARGET.sub("", clause[still.end() :]), sentence)
        return
    if forbids is None and stays is None:
        brief.named |= set(targets)
        _asked(brief, clause)
        return
    rest = REST.search(clause)
    if rest is not None:
        head = clause[: rest.start()]
        if STAYS.search(head) and not REST.search(head):
            _clause(brief, head, sentence)  # "the limits stay as they are, and so does everything else"
        # "do not touch anything outside `a.py`" names what is open; what follows "nothing else" is only spoken of.
        around = re.search(r"(?i)outside|beyond|other than|except|but|apart|within|inside|\bto\b", rest[0])
        brief.named |= set(targets if around else _targets(clause[: rest.start()]))
        both = TOO.search(clause)  # "`policy.py` and all other files must not be changed"
        for target in _targets(both[0]) if both is not None and not around else ():
            brief.excluded.setdefault(target, sentence)
        if stays is not None and not around:
            within = [t for m in PART_OF.finditer(clause) for t in _targets(m[0])]  # "the rest of `a.py` stays"
            brief.named |= set(within)
            for target in _targets(clause[rest.end() :]):
                if target not in within:
                    brief.excluded.setdefault(target, sentence)
        if forbids is not None and forbids.start() < rest.start() and not around:
            _kinds(brief, clause[forbids.start() : rest.start()], sentence)  # "leave the models and all else alone"
        return
    before = clause[: forbids.start()] if forbids else ""
    brief.named |= set(_targets(before)) if forbids and not stays else set()
    told = clause[forbids.start() :] if forbids and not stays else clause
    if not _targets(told) and not WORDED.search(told) and not any(p.search(told) for p in CATEGORIES.values()):
        told = clause  # "permissions must not change": what must not stands before
        brief.named -= set(_targets(before))
    of = open_ | {t for m in PART_OF.finditer(told) for t in _targets(m[0])}
    # "in `roles.py` the other entries stay": what stays is in it, and the file was named for the work.
    of |= {t for m in INSIDE.finditer(told) for t in _targets(m[0]) if t in brief.named}
    does = {t for m in DOES.finditer(told) for t in _targets(m[0])}
    if does:
        brief.keeps = brief.keeps or sentence
    of |= does
    brief.named |= of  # of these, a part stays
    for target in _targets(told):
        if target not in of:
            brief.excluded.setdefault(target, sentence)
    worded = [
        w for w in WORDED.findall(told) if w.lower() not in ("same", "whole", "other", "new", "public", "existing")
    ]
    for word in worded:
        brief.excluded.setdefault(word, sentence)
    brief.concepts += phrases(TARGET.sub("", told[forbids.end() - forbids.start() :] if told.startswith(forbids[0])
                                          else told) if forbids else told, sentence)  # fmt: skip
    _kinds(brief, told, sentence)


def _kinds(brief: Brief, told: str, sentence: str) -> None:
    for name, pattern in CATEGORIES.items():
        if pattern.search(TARGET.sub("", told)):
            brief.categories.setdefault(name, sentence)


def _subject(text: str) -> str:
    """Return what a sentence is about, where it says so before its verb; empty where it begins with the verb."""
    head = re.match(
        r"(?i)\s*((?:the|our|all|this|these|those|every|both)\s[^,.;:]{2,60}?)\s(?:is|are|was|were|has|have|had|been|will)\b",
        text,
    )
    return head[1] if head is not None else ""


def _asked(brief: Brief, text: str) -> None:
    brief.asked |= _said(text)
    brief.prose |= _said(TARGET.sub("", text))


def _said(text: str) -> frozenset[str]:
    """Return the roots of what a text says."""
    return roots(re.findall(r"[A-Za-z][a-z]+|[A-Z]{2,}", text.replace("_", " ")))


def _targets(text: str) -> list[str]:
    found = []
    for match in TARGET.finditer(text):
        word = match[0].strip('`"').strip()
        word = re.sub(r"\(.*\)$", "", word).rstrip(".,;:")
        if (
            word
            and re.fullmatch(r"[\w./*@-]+", word)
            and not re.fullmatch(r"[\d.]+|and/or|True|False|None|true|false|null", word)
        ):
            found.append(word)
    return found


def meets(target: str, path: str) -> bool:
    """Return whether a path is, or lies in, what a brief names."""
    target = target.strip("/").removeprefix("./").removesuffix("/**").removesuffix("/*")
    if "*" in target:
        import fnmatch

        return fnmatch.fnmatchcase(path, target) or fnmatch.fnmatchcase(path.rsplit("/", 1)[-1], target)
    inside = f"/{path}"
    if "/" in target or re.search(r"\.(?:py|sql|toml|ya?ml|json|md|txt|cfg|ini|html|js|ts|css|sh|lock)$", target):
        stem = re.sub(r"\.py$", "", target)
        return inside.endswith(f"/{target}") or f"/{target}/" in inside or (stem != target and f"/{stem}/" in inside)
    folder = target.replace(".", "/")
    if "." in target:
        return inside.endswith((f"/{folder}.py", f"/{folder}/__init__.py")) or f"/{folder}/" in inside
    return f"/{target}/" in inside or re.search(rf"/{re.escape(target)}\.\w+$", inside) is not None
