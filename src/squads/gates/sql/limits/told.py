"""What a brief says of limits: that something never falls below zero, or that it may.

A brief that says "credit must never go below zero", "no account is ever overdrawn" or "nobody books more than is there"
tells that the artifact holds something limited, whatever the column is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_SENTENCE = re.compile(r"(?<=[.;!?:])\s+|\n\s*\n")
_NO = (
    r"(?:\b(?:never|nor|no|not|none|nobody|nothing|neither|cannot|without|forbid\w*|prevent\w*|refus\w*|reject\w*|"
    r"prohibit\w*|fail(?:s|ed)?|disallow\w*|block(?:s|ed)|impossible|avoid\w*|stop(?:s|ped)?|guard\w*|protect\w*|nie|"
    r"niemals|nicht|kein\w*|ohne|verhinder\w*|verbiet\w*|abgelehnt|ablehn\w*)\b|n't\b)"
)
_ZERO = r"(?:zero|0|nothing|nil|naught|null)\b"
_BELOW = (
    rf"\b(?:below|under|beneath|past|lower\s+than|less\s+than|fewer\s+than|smaller\s+than|unter)\s+{_ZERO}|<\s*0\b|"
    r"\bbelow\s+(?:what|the\s+floor|empty)\b"
)
_THERE = (
    r"(?:there|available|remain\w*|left|hold|holds|held|has|have|had|hand|stock|store|balance|raised|granted|bought|"
    r"funded|paid|deposited|capacity|allowance|budget|quota|funds|credit|credits|owns?|allotted|earned|covers?)"
)
_OVER = (
    r"\bnegativ\w*|\bminus\b|\boverdr[ae]w\w*|\boverdraft\w*|\boversp[ei]n\w*|\boversold\b|\boversel\w*|"
    r"\bover-?book\w*|\bover-?commit\w*|\bover-?allocat\w*|\bover-?issu\w*|\bover-?redeem\w*|\bin\s+the\s+red\b|"
    r"\boverzogen\w*|\büberzogen\w*|\büberzieh\w*|\büberbuch\w*|"
    r"\bmore\s+(?:\w+\s+){0,8}than\s+(?!\d|once|twice|one\b|two\b|three\b)|"
    rf"\b(?:exceed\w*|beyond|larger\s+than|greater\s+than|bigger\s+than)\s+(?:\w+\s+){{0,5}}?{_THERE}\b|"
    r"\bmehr\s+(?:\w+\s+){0,4}als\b"
)
_ENOUGH = (
    r"\bonly\b[^.;]{0,60}?\b(?:if|when|while|where|as\s+long\s+as)\b[^.;]{0,50}?\b(?:enough|sufficient|left|covers?)\b|"
    r"\bonly\s+as\s+(?:many|much)\b[^.;]{0,60}?\bas\b|\b(?:must|has\s+to|have\s+to)\s+be\s+sufficient\b|"
    r"\b(?:never|not|n't)\b[^.;]{0,60}?\bthat\s+(?:is|are|it|they)\s+(?:not\s+there|(?:does|do)\s+not\s+have)\b|"
    r"\b(?:it|they)\s+(?:does|do)\s+not\s+have\b|\bthat\s+(?:is|are)\s+not\s+there\b"
)
_SHORT = (
    r"\b(?:not|n't|does\s+not|do\s+not|cannot)\s+cover\w*|\bnot\s+covered\b|\binsufficient\b|\bnot\s+enough\b|"
    r"\btoo\s+(?:little|few)\b|\buncovered\b"
)
_PLAIN = re.compile(
    rf"\bnon-?\s?negative\b|\bnot\s+negative\b|>=\s*0\b|\b(?:at\s+least|not\s+less\s+than|floor\s+(?:of|is|at))\s+{_ZERO}|"
    rf"\b{_ZERO}\s+or\s+(?:more|above|greater|higher)\b|\b(?:lowest|smallest|minimum)\s+(?:\w+\s+){{0,3}}?(?:is\s+)?{_ZERO}|"
    r"\b(?:stays?|remains?|kept|keeps?)\s+(?:at\s+)?(?:zero\s+or\s+)?(?:positive|above\s+zero|at\s+or\s+above\s+zero|covered)\b|\bat\s+or\s+above\s+zero\b|"
    r"\bprepaid\b(?=[^.]*\bonly\b)",
    re.IGNORECASE,
)
_AFTER = (
    r"(?:\b(?:forbid\w*|forbidden|prevent\w*|refus\w*|reject\w*|prohibit\w*|fail(?:s|ed)?|disallow\w*|impossible|"
    r"abgelehnt|block(?:s|ed))\b|\b(?:never|not|cannot|can't|nie)\s+(?:be\s+)?(?:allowed|possible|permitted|happens?|"
    r"occurs?|stored|exists?|accepted|paid|sold|given|booked|taken|spent|m(?:ö|oe)glich|erlaubt)\b)"
)
_NEVER = re.compile(
    rf"{_NO}[^.;]{{0,90}}?(?:{_BELOW}|{_OVER})|(?:{_BELOW}|{_OVER})[^.;]{{0,60}}?{_AFTER}|"
    rf"(?:{_SHORT})[^.;]{{0,60}}?{_NO}|{_NO}[^.;]{{0,90}}?(?:{_SHORT})|{_ENOUGH}",
    re.IGNORECASE | re.DOTALL,
)
_ZEROES = re.compile(
    rf"{_BELOW}|\bnegativ|\bminus\b|\boverdr|\bovers|{_SHORT}|überz|\bexceed|\bbeyond\b|"
    rf"\bmore\s+(?:\w+\s+){{0,8}}than\s+(?:\w+\s+){{0,4}}?{_THERE}\b|{_ENOUGH}|"
    r"\b(?:larger|greater|bigger)\s+than\b",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\bmore\s+(?:\w+\s+){0,8}than\b|\bexceed|\bbeyond\b|\bover-?[a-z]{4}|\bonly\s+as\b|\bmehr\b|\büber",
    re.IGNORECASE,
)
_MAY = re.compile(
    rf"\b(?:may|can|could|might|is\s+allowed\s+to|are\s+allowed\s+to|is\s+permitted\s+to|should\s+be\s+able\s+to|will)\s+"
    rf"(?!not\b|never\b|no\b)(?:\w+\s+){{0,5}}?(?:{_BELOW}|\bnegative\b|\boverdraw\w*|\boverdrawn\b)|"
    r"\b(?:agreed|arranged|allowed|permitted|granted|own|an|its|their|with)\s+overdraft|"
    r"\boverdraft\s+(?:limit|is\s+allowed|allowed|of|up\s+to|facility|line)\b|\bcredit\s+(?:line|limit)\b|"
    r"\bas\s+an?\s+negative\b|\bnegative\s+(?:\w+\s+){0,3}(?:is|are)\s+(?:allowed|permitted|fine|wanted|legitimate|right|legal|valid)\b",
    re.IGNORECASE,
)
_MEANT_BEFORE = re.compile(r"\b(?:it|they|them|this|these|either|neither|both|es|sie)\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:no|not|never|nobody|none|neither|nor|without)\b|n't\b", re.IGNORECASE)
_FLOOR = re.compile(
    r"\b(?:limit|line|facility|further|beyond|exceed\w*|up\s+to|down\s+to|agreed|arranged)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Told:
    """What a brief says of limits."""

    never: tuple[str, ...] = ()
    """The sentences that say that something never falls below zero, or that no more is taken than is there."""
    zero: tuple[str, ...] = ()
    """Those of them that speak of zero, negative numbers or overdrafts, with the one before where they say "it"."""
    over: bool = False
    """Whether they speak of taking more than there is."""
    may: bool = False
    """Whether something may be below zero, as far as the brief goes."""
    floor: bool = False
    """Whether that ends somewhere: an agreed overdraft, a limit."""

    def words(self) -> frozenset[str]:
        """Return the words of those sentences, each as its stem."""
        return frozenset(stem(w) for sentence in self.zero for w in _WORD.findall(sentence))


@lru_cache(maxsize=8)
def told(brief: str) -> Told:
    """Return what a brief says of limits."""
    text = " ".join(brief[:8_000].split())
    sentences = [s for s in _SENTENCE.split(text) if s]
    may = any(map(_allows, sentences))
    never = tuple(s for s in sentences if not _allows(s) and (_PLAIN.search(s) or _NEVER.search(s)))
    zero = tuple(
        f"{before} {s}" if _MEANT_BEFORE.search(s) else s
        for before, s in pairwise(("", *sentences))
        if s in never and (_PLAIN.search(s) or _ZEROES.search(s))
    )
    return Told(never, zero, any(_MORE.search(s) for s in never), may, may and _FLOOR.search(text) is not None)


def _allows(sentence: str) -> bool:
    """Return whether a sentence says that something may be below zero; "no account may be overdrawn" does not."""
    may = _MAY.search(sentence)
    return may is not None and _DENIED.search(sentence[: may.start()]) is None


def stem(word: str) -> str:
    """Return a word without its plural's end, in lower case."""
    lower = word.lower()
    for end, put in (("ies", "y"), ("ses", "s"), ("s", "")):
        if lower.endswith(end) and len(lower) - len(end) >= 3 and not lower.endswith("ss"):
            return lower[: -len(end)] + put
    return lower
