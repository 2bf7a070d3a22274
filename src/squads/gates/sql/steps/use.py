"""What a brief, and the comments of a migration, tell of the tables: whether anybody waits while they are locked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from squads.contracts.artifact import Artifact
from squads.gates.sql.read import SQL_FILES
from squads.gates.words import word_set

_LARGE = (
    r"million|billion|\d[\d_,.']*0{5}\b|\d+\s?(gb|tb|m)\b|\b(large|big|huge|busy|hot|heavy|heavily)\b|\block|\bblock"
    r"|downtime|traffic|\bwaits?\b|waiting|outage|stall|queue|concurren|maintenance window|under load|peak"
    r"|day and night|all day|around the clock|24/7|without (stopping|pausing|interrupt|closing)|uninterrupted"
    r"|keeps? (on )?(writing|selling|taking|accepting|inserting)|takes? (writes|orders|inserts)"
    r"|\b(must|have to|has to|can) (go on|continue|keep (on )?(going|working|running))\b"
    r"|\bgo(es)? on (while|during|meanwhile)\b|\bstays? (available|writable|usable)\b"
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
    r"|(?<!not )(?<!never )\b(is|are|stays?) (stopped|down|offline|shut down|out of service|taken down|switched off)\b"
    r"|\b(tables?|it|they|both|all) (is|are) (small|tiny)\b"
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
_MADE = re.compile(r"\bcreate\s+table\b", re.IGNORECASE)
_SAID_OF_THINGS = word_set(
    "lock locks locked block blocks blocked queue queues traffic peak peaks hot big large heavy wait waiting paused "
    "frozen live users hours day night deploy deploys running"
)
"""Words that tables and values may be called by: the passages of a lock, a waiting list."""
_TABLES_MAX = 3
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


def said_before(base: Artifact | None) -> list[str]:
    """Return the comments of a base of few tables: what they say of size and traffic is said of the one at hand."""
    texts = [f.content.decode(errors="replace") for f in base.matching(*SQL_FILES)] if base else []
    if sum(len(_MADE.findall(t)) for t in texts) > _TABLES_MAX:
        return []
    return [c for t in texts for c in _COMMENT.findall(t)]


def _without_names(brief: str, texts: list[str]) -> str:
    """Return a brief without the words that the statements name things by."""
    code = " ".join(_COMMENT.sub(" ", t) for t in texts)
    names = set(re.findall(r"\w+", code.lower())) - {"lock", "lock_timeout"}
    held = {w for n in names if not n.startswith("pg_") for w in n.split("_")} & _SAID_OF_THINGS
    return re.sub(rf"\b(?:{'|'.join(sorted(held))})\b", "x", brief, flags=re.IGNORECASE) if held else brief


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
    told = " ".join((_without_names(brief, texts), *(c for t in texts for c in _COMMENT.findall(t))))
    careful = silent and any(_CARE.search(t) for t in texts)
    large = careful or re.search(_LARGE, told, re.IGNORECASE | re.DOTALL) is not None
    used = large or re.search(_LARGE + _IN_USE, told, re.IGNORECASE | re.DOTALL) is not None
    return Use(large=large or (silent and based), used=used or silent, based=based)
