"""What a brief says in plain words of what stays: phrases, as sets of roots that names of code can be held against."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_GROUPS = (
    "verify verification verified check checked checks certificate certificates cert tls ssl",
    "retry retries retried attempt attempts tries tried again",
    "status statuses reply replies response responses code codes",
    "timeout timeouts deadline deadlines",
    "wait waits pause pauses delay delays backoff sleep",
    "limit limits maximum max ceiling cap upper",
    "minimum min floor lower",
    "page pages paging pagination",
    "auth authentication authenticate login logins session sessions sign-in",
    "permission permissions access authorization authorisation role roles",
    "currency currencies",
    "order ordering sort sorted sorting",
    "log logs logging logger level",
    "price prices pricing amount amounts",
    "tax taxes vat",
    "rate rates",
    "discount discounts rebate",
    "fee fees charge charges",
    "round rounding rounded",
    "cache caching cached ttl",
    "encoding charset encode",
    "format formats formatting",
    "host hosts origin origins cors",
    "cookie cookies",
    "expiry expires expiration lifetime age",
    "zone timezone timezones",
    "password passwords passphrase",
    "hash hashing digest",
    "pool pooling",
    "worker workers concurrency",
    "export exports exported exporting write writes writer dump dumps",
    "import imports imported importing read reads reader load loads parse parser",
)
_ROOT = {word: group.split()[0] for group in _GROUPS for word in group.split()}
_IDLE_WORDS = (
    "the and for are was were has have had its his her their our your this that these those with without from into "
    "onto over under than then when where which what who whom how all any each every both either neither not nor but "
    "must may might should shall can could will would stay stays remain remains keep keeps kept leave leaves left "
    "untouched unchanged same exactly just only also still there here them they itself else other others more less "
    "change changes changed touch touched edit edited modify modified alter altered move moved add added new is be "
    "number value values name names data file files thing things way ways part parts line lines function functions "
    "method methods class classes module modules code behaviour behavior result results default defaults size sizes "
    "service services everything anything nothing something as it alone per out off use used uses using one two "
    "please nobody somebody byte bytes like today before after again because since until much well"
)
_IDLE = frozenset(_IDLE_WORDS.split())
_UNIT_WORDS = (
    "second minut hour day msec mill byt kb mb default total count first last base new old cent eur usd percent"
)
UNITS = frozenset(_UNIT_WORDS.split())
_FROM_TO = re.compile(
    r"(?i)\bfrom\s+[`\"']?([\w.%-]+?)[`\"']?\s+(?:\w+\s+)?to\s+[`\"']?([\w.%-]+?)[`\"']?(?=[\s,.;:)]|$)"
)
_TO = re.compile(r"(?i)\b(?:to|at)\s+[`\"']?(\d[\d_.]*)[`\"']?(?=[\s,.;:)%]|$)")


@dataclass(frozen=True, slots=True)
class Concept:
    """Something that stays, in the words of the brief."""

    roots: frozenset[str]
    sentence: str


def roots(words: Iterable[str]) -> frozenset[str]:
    """Return the roots of words, without those that say nothing of what is meant."""
    found = set()
    for word in words:
        small = word.lower()
        if len(small) < 3 or (small in _IDLE and small not in _ROOT):
            continue
        found.add(_ROOT.get(small) or _root(small))
    return frozenset(found)


_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""))
# What makes one word of another: `renewal` and `renew`, `reminder` and `remind`, `payment` and `pay`.
_MADE = (("ment", 3), ("ation", 4), ("ate", 4), ("at", 4), ("al", 4), ("er", 5), ("or", 5), ("ly", 4))


def _root(word: str) -> str:
    for ending, put in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)] + put
            break
    if word in _ROOT:
        return _ROOT[word]
    for ending, least in _MADE:
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word[: -len(ending)]
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "aeiousl":
        word = word[:-1]
    return _ROOT.get(word, word)


def words_of(name: str) -> frozenset[str]:
    """Return the roots of an identifier: `RETRY_STATUS`, `maxAge`, `client.verify`."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    ends = [m[1] for p in parts if (m := re.search(r"\w{2,}(tls|ssl|auth|ttl)$", p.lower()))]  # `starttls`
    return roots([*parts, *ends])


def phrases(clause: str, sentence: str) -> list[Concept]:
    """Return the things that a clause names, one for each member of its list."""
    found = []
    for part in re.split(r",|;|:|\band\b|\bor\b|\bnor\b", re.sub(r"`[^`]*`", " ", clause)):
        held = roots(re.findall(r"[A-Za-z][a-z-]+|[A-Z]{2,}", part))
        if held:
            found.append(Concept(held, sentence))
    return found


def values(text: str) -> tuple[set[str], set[str]]:
    """Return the values that a brief says are replaced, and those that replace them."""
    pairs = _FROM_TO.findall(text)
    old, new = {a for a, _ in pairs}, {b for _, b in pairs}
    return old, new | (set(_TO.findall(text)) if pairs or _TO.search(text) else set())
