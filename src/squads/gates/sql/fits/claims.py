"""What a sentence beside a column says that the column holds: a default, a constant, a range, a list of words.

Prose is weak evidence, so a claim is certain only in a few plain forms (`default 30.0`, `half-life constant (30.0)`,
`between 0 and 100`, `'open' | 'cancelled'`). A number that comes with a unit of something else, a date, a version, a
formula, or beside another number that fits is a claim to be weighed by a person. A clause that says what is not, what
was, or what overflows claims nothing. Never reads more than the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.sql.fits.constants import Constant, number_of

TEXT_CHARACTERS_MAX = 4_000
"""How much of one comment or sentence is read."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One value, and whether the sentence leaves no doubt that it is the column's."""

    value: Constant
    certain: bool
    bound: bool = False
    """An end of a range and not a value by itself."""
    group: int = -1
    """Where the range stands whose end it is, so that both ends are known for one."""


_N = r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d[\d_]*)(?:\.\d+)?(?:[eE][+-]?\d+)?"
_NUMBER = re.compile(rf"(?<![\w.:#$/§@-])(?P<number>{_N})(?P<percent>\s*(?:%|percent\b|pct\b))?(?![\w/:]|\.\d|-\d)")
_RANGE = re.compile(
    rf"""(?:(?P<between>\bbetween\s+(?P<a>{_N})\s+and\s+(?P<b>{_N}))
      |(?P<dots>(?<![\w.])(?P<c>{_N})\s*(?:\.\.\.?|…)\s*=?(?P<d>{_N}))
      |(?P<fromto>\bfrom\s+(?P<e>{_N})\s+to\s+(?P<f>{_N}))
      |(?P<said>\b(?:range|scale|values?)\b[^\d\n]{{0,12}}?(?P<g>{_N})\s*(?:-|–|to|,)\s*(?P<h>{_N}))
      |(?P<bracket>\[\s*(?P<i>{_N})\s*,\s*(?P<j>{_N})\s*[\])])
      |(?P<plain>(?:^\W*?|[,(]\s*)(?P<k>{_N})\s*(?:-|–|to)\s*(?P<l>{_N})(?=\s*(?:$|[,;()]))))(?P<percent>\s*(?:%|percent\b))?""",
    re.VERBOSE | re.IGNORECASE,
)
_EXCLUDED = re.compile(r"[\s(,]*(?:both\s+)?exclu", re.IGNORECASE)
_MOST = re.compile(
    rf"(?:\b(?:max(?:imum)?|up\s+to|at\s+most|no\s+more\s+than)\b\.?(?:\s+(?:is|of|value))*\s*[:=]?|<=|≤)\s*(?P<m>{_N})"
    r"(?P<end>\s*(?:[,;.)]|$))?",
    re.IGNORECASE,
)
_SENTENCE = re.compile(
    r"(?<!e\.g\.)(?<!i\.e\.)(?<=[^\d\s.][.!?])\s+(?=[^\s\d])|(?<=\d[.!?])\s+(?=[A-Z`])|;|\s[—–]\s+(?![`'\"]?\d)|\n\s*\n"
)
_CLAUSE = re.compile(r",\s(?!\d|which\b|so\b|that\b)|\bbut\b|\)\s*(?=\w)")
_DENIED = re.compile(
    r"\b(?:not|never|no longer|cannot|can't|isn't|aren't|don't|doesn't|won't|without|instead|rather than|overflow\w*|"
    r"too (?:small|large|big|long|short)|exceed\w*|was|were|used to|previously|formerly|historical\w*|old|legacy|"
    r"deprecated|until|unlike|would|reject\w*|invalid|fails?|wrong|out of range|error|removed|bug|avoid\w*|forbid\w*|"
    r"beyond|above|over|more than|unless|truncat\w*)\b|n't\b|≠|!=",
    re.IGNORECASE,
)
_DERIVED = re.compile(
    r"\b(?:ln|log|exp|lambda|derived|comput\w+|calculat\w+|ratio|fraction|normali[sz]ed|divided|based on|"
    r"multipl\w+|correspond\w*|equivalent|converted|scaled|inverse|half-lives|decay\s+rate|rate\s+(?:for|given)|"
    r"(?:per|every|each|after)[\s-]+(?:\d+\s+)?(?:second|minute|hour|day|week|month|year)s?)\b|"
    r"λ|(?<=[\w)])\s*[/*^]\s*(?=[\w(])|≈",
    re.IGNORECASE,
)
_NOT_A_VALUE_BEFORE = re.compile(
    r"(?:\b(?:issue|ticket|rfc|version|section|sec|page|step|line|iso|cwe|cve|pr|bug|chapter|table|pep|postgres(?:ql)?|"
    r"since|until|after|before|year|note|see|jira|migration|release|python|figure|appendix|article|iec|fips|"
    r"top|first|last|next|than|every|within|jan\w*|feb\w*|mar|march|apr\w*|may|june?|july?|aug\w*|sep\w*|oct\w*|"
    r"nov\w*|dec\w*)\.?\s*#?|[/*^×÷+><]\s*|\w\()$",
    re.IGNORECASE,
)
_NOT_A_VALUE_AFTER = re.compile(
    r"\s*(?:[/*^×÷]|\s(?:-|\+)\s*\w|-?(?:char(?:acter)?s?|digits?|bytes?|letters?|decimals?|decimal\s+places?|places?|"
    r"columns?|rows?|items?|entries|times|bits?|words|lines|users?|points?|st|nd|rd|th)\b)",
    re.IGNORECASE,
)
_STRONG_BEFORE = re.compile(
    r"(?:\bdefaults?(?:\s+(?:value|constant))?(?:\s+(?:is|to|of|at))?\s*[:=(]?|\bdefaulted\s+to|"
    r"\b(?:constant|value|initially|always|currently|constantly|seeded(?:\s+(?:with|to|as|at))?|set\s+to|stored\s+as|"
    r"starts?\s+(?:at|with|from)|fixed\s+(?:at|to)|we\s+use|uses|initial(?:\s+value)?|e\.?\s?g\.,?|i\.?\s?e\.,?|example:?|"
    r"for\s+example,?|such\s+as|typically|usually|normally|sentinel)(?:\s+(?:is|of|are))?\s*[:=(,]?)\s*[`'\"]?$",
    re.IGNORECASE,
)
_STRONG_AFTER = re.compile(
    r"[`'\"]?\s*(?:\w+\s+)?(?:\(default\)|by\s+default|is\s+the\s+default|as\s+(?:the\s+)?default)"
)
_EQUAL_BEFORE = re.compile(
    r"(?:(?P<left>[\w.]+)[`\"']?\s*(?::=|==?|:|→|->)|\b(?P<name>[\w.]+)[`\"']?\s+(?:is|are|be))\s*[`'\"]?$"
)
_DIRECTLY_BEHIND = re.compile(r"[`\"'*]*\s*(?::=|==?|:|→|->|is|defaults\s+to)\s*[`'\"*]*", re.IGNORECASE)
_STORES = re.compile(
    r"\b(?:stor(?:es?|ed|ing)|h[eo]ld(?:s|ing)?|keep(?:s|ing)?|contain(?:s|ing)?|record(?:s|ing)?|carr(?:ies|ying)|"
    r"sav(?:es?|ing)|set\s+to|represent(?:s|ing)?)\b",
    re.IGNORECASE,
)
_UNIT = (
    r"(?:days?|hours?|hrs?|minutes?|mins?|seconds?|secs?|ms|milliseconds?|weeks?|months?|years?|cents?|bytes|kb|mb|gb)"
)
_STORED_IN = re.compile(
    rf"\b(?:stor\w+|kept|keep|writ\w+|sav\w+|put|insert|persist\w*|record\w*)\s+(?:(?P<put>[`*]*{_N})[`*]*(?:\s+{_UNIT})?\s+)?"
    r"(?:in|into|to|as)\s+(?:the\s+(?:column\s+)?)?[`*\"']*(?:\w+\.)*$",
    re.IGNORECASE,
)
_PUT = re.compile(r"\b(?:stores?|keeps?|writes?|saves?|puts?|inserts?|persists?|records?)\s+[`*]*$", re.IGNORECASE)
_GOES_ON = re.compile(
    r"\W*(?:(?:we|it)\s+(?:starts?|begins?|seeds?|uses?|stores?|is\s+set)\b|(?:the|its|this|that)\s+(?:initial\s+|stored\s+"
    r"|starting\s+|default\s+)?(?:value|default|constant)\b)[^`]*(?:$|`[-+\d.]+`)",
    re.IGNORECASE,
)
"""How a sentence begins that still speaks of the column of the sentence before, and names nothing else."""
_TYPE = re.compile(r"\b[A-Za-z]\w*\(\s*\d+\s*(?:,\s*\d+\s*)?\)")
_AT_END = re.compile(
    rf"^[`'\"]?\s*{_UNIT}?\s*\)?(?:\s*\([^()]*\))?\s*(?:[.]?\s*$|[,—–]\s*(?:meaning|that\s+is|i\.e\.|which\s+means)\b)",
    re.IGNORECASE,
)
_BRACKETED = re.compile(rf"^[`'\"]?\s*{_UNIT}?\s*(?:[,=:][^()]*)?\)", re.IGNORECASE)
_UNIT_AFTER = re.compile(rf"^[`'\"]?\s*-?({_UNIT})\b", re.IGNORECASE)
_UNIT_BEFORE = re.compile(rf"\bin\s+({_UNIT})\b|_({_UNIT})$", re.IGNORECASE)
_OF = re.compile(r"^\W*(?:the\s+)?[\w-]+(?:\s+[\w-]+)?\s+of\s+$", re.IGNORECASE)
_QUOTED = r"(?:'[^'\n]{1,200}'|\"[^\"\n]{1,200}\"|`[^`\n]{1,200}`)"
_QUOTED_LIST = re.compile(rf"{_QUOTED}(?:(?:\s*[,|/]\s*(?:or\s+|and\s+)?|\s+or\s+){_QUOTED})+")
_PIPED_LIST = re.compile(r"(?<![\w|])[A-Za-z][\w-]*(?:\s*\|\s*[A-Za-z][\w-]*)+")
_DEFAULT_TEXT = re.compile(rf"\bdefault(?:s|\s+value)?(?:\s+(?:is|to))?\s*[:=(]?\s*(?P<text>{_QUOTED})", re.IGNORECASE)
_WORD_LIST = re.compile(r"^\W*(?:one of:?\s*)?([a-z][a-z_]*(?:\s*[,/]\s*(?:or\s+)?[a-z][a-z_]*){2,})\W*$")
_CHOICE = re.compile(r"(?:^|_)(?:status|state|kind|type|role|level|mode|phase|stage|category|tier|severity|priority)$")


def number_claims(text: str, column: str, *, beside: bool) -> Iterator[Claim]:
    """Yield the numbers that `text` gives to `column`.

    Args:
        text: A comment, or a sentence of a document.
        column: The column's name.
        beside: True for a comment that belongs to the column; False where the sentence must name it first.
    """
    text = _TYPE.sub(lambda found: " " * len(found[0]), text[:TEXT_CHARACTERS_MAX])
    if not beside:  # in a list, what follows a semicolon still speaks of the column in front
        text = text.replace(";", ",")
        # `name` -- what it is: an entry of a list, and not two sentences
        text = re.sub(rf"(?<!\w)({re.escape(column)}[`*_\"']*(?:\s+\([^()\n]*\))?)\s+[—–-]{{1,2}}\s+", r"\1: ", text)
    spoken = False
    for sentence in _SENTENCE.split(text):
        if not sentence:
            continue
        start = 0
        if not beside:
            named = re.search(rf"(?<![\w]){re.escape(column)}(?!\w)", sentence)
            if named is None:
                if spoken and _GOES_ON.match(sentence):
                    yield from _in_sentence(sentence, 0, column, beside=False)
                spoken = False
                continue
            spoken = True
            behind = _STORED_IN.search(sentence[: named.start()])
            start = 0 if behind else named.end()
        yield from _in_sentence(sentence, start, column, beside=beside)


def text_claims(text: str, column: str) -> Iterator[Claim]:
    """Yield the words that a comment lists as a column's values, or gives as its default."""
    text = text[:TEXT_CHARACTERS_MAX]
    if _DENIED.search(text):
        return
    for found in _QUOTED_LIST.finditer(text):
        yield from (Claim(Constant("literal", text=t[1:-1]), True) for t in re.findall(_QUOTED, found[0]))
    for found in _DEFAULT_TEXT.finditer(text):
        yield Claim(Constant("literal", text=found["text"][1:-1]), True)
    for found in _PIPED_LIST.finditer(text):
        yield from (Claim(Constant("literal", text=t.strip()), True) for t in found[0].split("|"))
    if listed := _WORD_LIST.match(text.strip()):
        sure = bool(_CHOICE.search(column))
        words = re.split(r"\s*[,/]\s*(?:or\s+)?", listed[1])
        yield from (Claim(Constant("literal", text=w), sure) for w in words)


def number_value(text: str) -> Constant | None:
    """Return the number that stands alone in `text`, digits perhaps grouped, or None."""
    plain = text.strip().strip("`'\"*_ ").replace("−", "-")
    if not re.fullmatch(_N, plain):
        return None
    number = number_of(plain.replace(",", ""))
    return None if number is None else Constant("numeric", number, text=plain.replace(",", ""))


def _in_sentence(sentence: str, start: int, column: str, *, beside: bool) -> Iterator[Claim]:
    taken: list[tuple[int, int]] = []
    for found in _RANGE.finditer(sentence, start):
        ends = [v for v in (found[g] for g in "abcdefghijkl") if v is not None]
        low, high = (number_value(e) for e in ends)
        taken.append(found.span())
        if low is None or high is None or low.number is None or high.number is None or low.number >= high.number:
            continue
        if sentence[found.end() - 1] == ")" or _EXCLUDED.match(sentence, found.end()):
            continue  # the ends themselves are no values
        if _denied(sentence, found.start(), found.end()) or re.fullmatch(r"(?:19|20)\d\d", ends[0]):
            continue
        certain = not found["percent"] and not _other_subject(sentence, start, found.start(), column, beside)
        yield Claim(low, certain, bound=True, group=found.start())
        yield Claim(high, certain, bound=True, group=found.start())
    for found in _MOST.finditer(sentence, start):
        value = number_value(found["m"])
        outside = not any(a <= found.start() < b for a, b in taken)
        taken.append(found.span())
        counted = _NOT_A_VALUE_AFTER.match(sentence, found.end("m"))
        if value and outside and not counted and not _denied(sentence, found.start(), found.end(), most=True):
            other = _other_subject(sentence, start, found.start(), column, beside)
            yield Claim(value, found["end"] is not None and not other, bound=True)
    for found in _NUMBER.finditer(sentence, start):
        if any(a <= found.start() < b for a, b in taken) or found["percent"]:
            continue
        value = number_value(found["number"])
        before, after = sentence[: found.start()], sentence[found.end() :]
        if value is None or _NOT_A_VALUE_BEFORE.search(before) or _NOT_A_VALUE_AFTER.match(after):
            continue
        if re.fullmatch(r"(?:19|20)\d\d", found["number"]) or _denied(sentence, found.start(), found.end()):
            continue
        near = before[start:]
        if not beside and near.strip("` ") and _DIRECTLY_BEHIND.fullmatch(near):
            yield Claim(value, not _other_unit(before, after, column))
            continue
        strong = _strong(near, after, found["number"], column, beside=beside)
        if strong is not None:
            unsure = _DERIVED.search(f"{near} {after}") or _other_unit(before, after, column)
            other = _other_subject(sentence, start, found.start(), column, beside)
            yield Claim(value, strong and not unsure and not other)


def _strong(before: str, after: str, number: str, column: str, *, beside: bool) -> bool | None:
    """Return True where the form leaves no doubt, False where a person must weigh it, None where it says nothing."""
    if (
        not beside
        and _PUT.search(before)
        and re.match(rf"[`*]*(?:\s+{_UNIT})?\s+(?:in|into|to|as)\s", after, re.IGNORECASE)
    ):
        return True
    if _STRONG_BEFORE.search(before) or _STRONG_AFTER.match(after):
        return True
    if found := _EQUAL_BEFORE.search(before):
        left = (found["left"] or found["name"] or "").rsplit(".", 1)[-1].lower()
        return left in ("default", "value", "constant", "initial", column.lower(), "it")
    stores = bool(_STORES.search(before)) or bool(not beside and _STORED_IN.search(after[: after.find(column)]))
    decimal = "." in number
    if before.endswith("(") and _BRACKETED.match(after):
        in_unit = re.search(rf"\bin\s+{_UNIT}\s*\($", before, re.IGNORECASE)
        return stores or (beside and (decimal or bool(in_unit)))
    if beside and not before.strip(" -*") and _AT_END.match(after):
        return True  # the whole comment is the number
    if re.search(r"[,:—–]\s*$", before) and _AT_END.match(after):
        in_unit = re.search(rf"\bin\s+{_UNIT}\s*[,:—–]\s*$", before, re.IGNORECASE)
        return stores or (beside and (decimal or bool(in_unit)))
    if (beside and _OF.search(before)) or (stores and re.search(r"\b(?:of|at|as)\s+$", before)):
        return True
    if stores and _AT_END.match(after):
        return True
    return False if before.endswith("(") or re.search(r"\b(?:of|at|is|about|roughly)\s+$", before) else None


def _denied(sentence: str, start: int, end: int, *, most: bool = False) -> bool:
    """Return whether the clause around a number says what is not, what was, or what goes wrong."""
    edges = [0, *(m.end() for m in _CLAUSE.finditer(sentence)), len(sentence)]
    left = max(e for e in edges if e <= start)
    right = min(e for e in edges if e >= end)
    clause = sentence[left:right]
    if most:
        clause = re.sub(r"(?i)no more than", "", clause)
    return bool(_DENIED.search(clause))


def _other_unit(before: str, after: str, column: str) -> bool:
    """Return whether the number has a unit and the column another one."""
    mine = _UNIT_AFTER.match(after)
    declared = [next(filter(None, m.groups())) for m in _UNIT_BEFORE.finditer(before)]
    declared += [m[2] for m in [_UNIT_BEFORE.search(column)] if m and m[2]]
    return bool(mine and declared and declared[-1].lower().rstrip("s") != mine[1].lower().rstrip("s"))


def _other_subject(sentence: str, start: int, at: int, column: str, beside: bool) -> bool:
    """Return whether a sentence names something else in code, or with an underscore, between column and number."""
    names = re.findall(r"`([\w.]+)`|\b([a-z]+_[a-z_]+)\b", sentence[start:at])
    others = [a or b for a, b in names]
    return not beside and any(name.rsplit(".", 1)[-1] != column for name in others)
