"""What a brief says of values: that they are not wanted any more, or that they are to be others."""

from __future__ import annotations

import re

_NOT_WANTED = re.compile(
    r"\b(not|no longer|never|nothing|nobody|no one|neither|isn't|aren't)\b.{0,40}\b(need|needed|used|use|uses"
    r"|read|reads|wanted|want|"
    r"matter|matters|relevant|kept|keep|miss|misses|look at|looks at)\b|\b(for good|irrevocably|unused|obsolete"
    r"|discard(ed)?"
    r"|thrown? away|may (go|be lost|be dropped)|can (go|be lost|be dropped)|erased?|purged?|wiped?"
    r"|without replacement"
    r"|are no loss|is no loss|is dead|are dead|worthless|gdpr|dsgvo)\b",
    re.IGNORECASE,
)
_THEN = re.compile(r"\b(afterwards?|then|thereafter|after that|once|any longer after)\b", re.IGNORECASE)
"""What is not needed once something was done with it."""
_READ = re.compile(r"\b(reads?|uses?|used|look(s)? at)$", re.IGNORECASE)
_WANTED = re.compile(
    r"\b(may|might|can|will|could) (still |later |yet )?(ask|need|want|look|be asked|be needed)\b|\bauditors?\b"
    r"|\bmust (stay|remain|be kept|be readable|be there)\b|\b(kept|keep|needed|stays?|remains?) (for|until|till)\b"
    r"|\buntil \d{4}\b|\bretention\b",
    re.IGNORECASE,
)
"""What is wanted although nothing reads it where it stands."""
_NOT_LOST = re.compile(
    r"\b(?:no|not|never|nothing|none|nobody|without)\b(?! (?:other|else))(?:(?! else\b)[^.;]){0,40}?"
    r"\b(?:lost|lose|loses|losing|loss|disappears?|vanish(?:es)?)\b",
    re.IGNORECASE,
)
"""What must not be lost, though nothing reads it where it stands."""
_KEEPS = re.compile(
    r"\b(keep|keeps|kept|preserve[sd]?|retain(s|ed)?|remember(s|ed)?|carr(y|ied) over|move[sd]? (it|them)? ?to)\b"
    r"|\b(not|never|nothing|no \w+)( may| must| shall| should)?( be| get| gets| is)? lost\b",
    re.IGNORECASE,
)
_TAKE_AWAY = re.compile(
    r"\b(drop|drops|dropped|remove|removes|removed|delete|deletes|deleted|get rid of|retire)\b", re.IGNORECASE
)
_CARRY = re.compile(
    r"\b(keeps?|kept|keeping|mov(e|es|ed|ing)|carr(y|ies|ied)|cop(y|ies|ied)|preserv\w*|replac\w*|becom\w*|into"
    r"|merg\w*|split\w*|renam\w*"
    r"|convert\w*|instead|stays?|remains?|lose|loses|lost|archiv\w*|turn\w*|make[sn]?|made|stor(e|es|ed)"
    r"|instead|from now on|new column|chang\w*|fold\w*|fill\w*|backfill\w*|take[sn]? over|called"
    r"|us(e|es|ing) \w+ (for|as|where|if|when))\b",
    re.IGNORECASE,
)
_ANEW = re.compile(
    r"\b(re-?comput\w*|re-?calculat\w*|re-?build\w*|refresh\w*|re-?sync\w*|overwrit\w*|reset\w*|normali[sz]\w*"
    r"|correct(s|ed|ing)?|fix(es|ed)?"
    r"|repair\w*|round(s|ed|ing)?|convert\w*|harmoni[sz]\w*|anonymi[sz]\w*|pseudonymi[sz]\w*|mask\w*|hash\w*"
    r"|clean(s|ed)? up|unif\w*|trim\w*"
    r"|shorten\w*|truncat\w*|map(s|ped)?|translat\w*|updat\w*)\b",
    re.IGNORECASE,
)


_ONE_OF_EACH = re.compile(
    r"\b(doubles?|doubled|dupes?|duplicat\w*|twice|de-?dup\w*|one (row|account|entry|record|line) (per|for each)"
    r"|(keep|keeps|stays|remains|wins?)\b.{0,30}\b(oldest|newest|latest|first|last|lowest|highest|most recent"
    r"|youngest)"
    r"|(oldest|newest|latest|first|last|lowest|highest|most recent|youngest)\b.{0,40}\b(keep|keeps|kept|stays?"
    r"|remains?|wins?)"
    r"|doppelt\w*|dublette\w*)\b",
    re.IGNORECASE,
)


_GOES_WITH = re.compile(
    r"\b(release|deploy\w*|version|goes? live|rollout|ships?|changed? (over|with|already|beforehand)|switch\w*"
    r"|next step"
    r"|adapted|in step|together with|pull request|application code|the code|no longer reads?)\b",
    re.IGNORECASE,
)
_AT_MOST = re.compile(
    r"\b(up to|at most|not? longer than|nothing longer than|longest (?:\w+ ){0,4}(?:has|is|are)|maximum of"
    r"|max\.?|never more than"
    r"|no more than|under|below|fewer than) (\d{1,5})\b",
    re.IGNORECASE,
)
_FILLED = re.compile(
    r"\b(all|every|each)\b.{0,30}\b(are|is|has|have|were|was)\b.{0,20}\b(filled|set|one|value|values|backfilled"
    r"|complete)\b"
    r"|\b(no|without|none|not a single) .{0,25}\b(null|nulls|empty|missing)\b|\balready (filled|backfilled"
    r"|complete)\b"
    r"|\b(was|were|been) (back)?filled\b|\bcleaned (up )?(beforehand|before|already)\b",
    re.IGNORECASE,
)


_SET_ASIDE = re.compile(
    r"\b(go|goes|moved?|moves|put|copied|archived?|kept|keeps?|set aside|land)\b.{0,30}\b(to|in|into|aside in) \w+_\w+"
    r"|\bno(ne|thing)?\b.{0,40}\b(is|be|get|gets|are|may be) lost\b|\bneeds? (them )?all\b",
    re.IGNORECASE,
)
"""Doubles that are wanted elsewhere."""


class Wishes:
    """One brief, sentence by sentence."""

    def __init__(self, brief: str) -> None:
        self._brief = " ".join(brief.split())
        self._parts = [p for p in re.split(r"(?<=[.;!?])\s+|\n\s*[-*]", self._brief) if p]

    def given_up(self, table: str, column: str = "") -> bool:
        """Return whether the brief says that a table, or a column, may go together with what is in it."""
        named = _names(column or table)
        about = [p for p in self._parts if named(p)]
        for part in about:
            found = _NOT_WANTED.search(_NOT_LOST.sub("", part))
            wanted = _WANTED.search(self._brief) or _NOT_LOST.search(self._brief)
            if found and not _THEN.search(part) and not (_READ.search(found[0]) and wanted):
                return True
        asked = any(_TAKE_AWAY.search(p) for p in about)
        return asked and not _CARRY.search(self._brief)

    def rows_may_go(self, table: str) -> bool:
        """Return whether the brief asks to delete rows of a table: doubles, or rows that it names."""
        if _ONE_OF_EACH.search(self._brief) and not _SET_ASIDE.search(self._brief):
            return True
        named = _names(table)
        rows = re.compile(r"\b(rows|entries|records|lines|orphan\w*|those|all)\b", re.IGNORECASE)
        return any(named(p) and _TAKE_AWAY.search(p) and rows.search(p) for p in self._parts)

    def archived(self) -> bool:
        """Return whether the brief wants rows that go kept elsewhere."""
        return (
            re.search(r"\barchiv\w*|\b(mov|copi|cop)(e|ed|es|y)\b.{0,40}\bto\b", self._brief, re.IGNORECASE) is not None
        )

    def names(self, name: str) -> bool:
        """Return whether the brief names something as it is written."""
        return re.search(rf"\b{re.escape(name)}\b", self._brief, re.IGNORECASE) is not None

    def keeps(self) -> bool:
        """Return whether the brief wants something kept."""
        return _KEEPS.search(self._brief) is not None

    def unread(self, column: str) -> bool:
        """Return whether nothing reads a column any more, or what reads it changes with the migration."""
        return self.given_up("", column) or _GOES_WITH.search(self._brief) is not None

    def longest(self) -> int | None:
        """Return how long a text is at most, as the brief says; None where it does not."""
        found = [int(m[2]) for m in _AT_MOST.finditer(self._brief)]
        return max(found) if found else None

    def filled(self) -> bool:
        """Return whether the brief says that every row has a value already."""
        return _FILLED.search(self._brief) is not None

    def computed_anew(self, column: str) -> bool:
        """Return whether the brief asks for other values in a column."""
        named = _names(column)
        return any(named(p) and _ANEW.search(p) for p in self._parts)


def _names(name: str):  # type: ignore[no-untyped-def]
    """Return a test of whether a sentence speaks of a name: as it is written, or by its words."""
    words = [w for w in re.split(r"_+", name.lower()) if w]
    whole = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    parts = [re.compile(rf"\b{re.escape(w.rstrip('s'))}(s|es|ed|ing)?\b", re.IGNORECASE) for w in words]
    return lambda text: bool(whole.search(text)) or (bool(parts) and all(p.search(text) for p in parts))
