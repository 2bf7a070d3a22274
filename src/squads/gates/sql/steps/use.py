"""What a brief, and the comments of a migration, tell of the tables: whether anybody waits while they are locked."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LARGE = (
    r"million|billion|\d[\d_,.']*0{5}\b|\d+\s?(gb|tb|m)\b|\b(large|big|huge|busy|hot|heavy|heavily)\b|\block|\bblock"
    r"|downtime|traffic|\bwaits?\b|waiting|outage|stall|queue|concurren|maintenance window|under load|peak"
    r"|day and night|all day|around the clock|24/7|without (stopping|pausing|interrupt|closing)|uninterrupted"
    r"|keeps? (on )?(writing|selling|taking|accepting|inserting)|takes? (writes|orders|inserts)"
    r"|while .{0,40}\b(writes?|writing|inserts?|orders|sells?|selling)\b"
    r"|\b(giga|tera)bytes?\b|\b(hundreds of thousands|thousands of (rows|writes|inserts|requests))\b"
    r"|\b(per|every|a) second\b"
    r"|all (hours|the time)|constantly|continuous|non-?stop|never (stops?|closes?|sleeps?|pauses?)"
    r"|uptime|freez|paus(e|ed)"
    r"|stand(s|ing)? still|interrupt|(longer|more) than a moment|may not stop|must not stop|write-heavy"
)
_IN_USE = (
    r"|online|in use|\blive\b|production|rolling|deploy|\brunning\b|keeps? (on )?(serving|reading|working|running)"
    r"|while .{0,40}\b(reads?|reading|runs?|running|serves?|serving|requests?)\b|users|hours|maintenance"
)
_IDLE = re.compile(
    r"\b(nobody|no one|no user)\b.{0,20}\b(connected|online|logged in|signed in|working|works|uses|using)\b"
    r"|\b(application|app|service|site|shop|system|server)s? (is|are) (stopped|down|off|offline|shut down|closed)\b"
    r"|\bno (traffic|connections|users)\b|\b(with|while) .{0,30}\b(stopped|shut down|offline)\b"
    r"|\b(small|tiny) table|\b(few|couple of) (dozen |hundred |thousand )?rows\b"
    r"|(?<![\d.,'])(\d{1,3}|\d{1,2}[ ,.']?\d{3}) (rows|records|entries|lines)\b(?! (a|per|each|every))"
    r"|\b(is|are|stays?|be|were) (locked|shut) out\b|(?<!not )(?<!never )\bstands? still (while|during"
    r"|meanwhile|then|at night)"
    r"|\b(in|during|inside|within) (the|a|our|its|this) ((same|nightly|weekly|monthly|planned|agreed|usual|next"
    r"|announced) )*"
    r"(maintenance( window)?|downtime)\b"
    r"|\b(not|never) (yet )?(in production|live|deployed|released)\b|\bbefore (the launch|launch|go-live)\b"
    r"|\bnothing (else )?(writes|reads|runs|is running)\b|\bclosed (while|during|meanwhile)\b",
    re.IGNORECASE | re.DOTALL,
)
_CARE = re.compile(r"lock_timeout|concurrently|not valid|autocommit_block|atomic = False", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|#[^\n]*|\"\"\".*?\"\"\"", re.DOTALL)
_WORDS_MIN = 5


@dataclass(frozen=True, slots=True)
class Use:
    """What brief and comments say of the tables: whether anybody waits while they are locked."""

    large: bool = True
    """They say that the tables are large or busy, or that nobody may wait; or they say nothing, and a base is given."""
    used: bool = True
    """They say that the tables are in use; or there is no brief that could say it."""
    idle: bool = False
    """The brief says that nobody is there, or that the table is small: then nobody waits."""
    based: bool = False
    """What stood before is given."""


def use_of(brief: str, texts: list[str], *, based: bool) -> Use:
    """Return what a brief, and the comments and statements of the migration, tell of the tables.

    A migration that also fills or mends what another rule asks for is refused for its locks only if the tables are
    known to be large or busy: on a small table the same steps take a moment.
    """
    brief = re.sub(r"'[^'\n]{1,30}'(?!\w)|`[^`\n]*`", "x", brief)  # names and values say nothing of how busy a table is
    silent = len(brief.split()) < _WORDS_MIN
    idle = _IDLE.search(brief) is not None and not re.search(_LARGE, _IDLE.sub("", brief), re.IGNORECASE | re.DOTALL)
    if idle:  # what comments say besides is no brief
        return Use(large=False, used=False, idle=True, based=based)
    told = " ".join((brief, *(c for t in texts for c in _COMMENT.findall(t))))
    careful = silent and any(_CARE.search(t) for t in texts)
    large = careful or re.search(_LARGE, told, re.IGNORECASE | re.DOTALL) is not None
    used = large or re.search(_LARGE + _IN_USE, told, re.IGNORECASE | re.DOTALL) is not None
    return Use(large=large or (silent and based), used=used or silent, based=based)
