"""What a brief says about where a change may go: what it names, what it excludes, and whether the rest is closed."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from squads.gates.changes.concepts import Concept, phrases, roots

_CODE = (
    r"`[^`\n]+`|\"[\w./-]+\.\w+\"|(?<![\w`])(?:[\w-]+/)+[\w.*-]*|(?<![\w`/])[\w-]+\.(?:py|sql|toml|ya?ml|json"
    r"|md|txt|cfg|ini|html|js|ts|css|sh|lock)\b|(?<![\w`.])[a-z_]\w*\(\)"
)
_TARGET = re.compile(_CODE)
_KINDS = (
    r"modules?|packages?|folders?|director(?:y|ies)|files?|functions?|methods?|class(?:es)?|endpoints?"
    r"|services?|helpers?|tables?|views?|layers?"
)
_WORDED = re.compile(
    rf"(?i)\b(?:the|our|any|shared|existing)\s+(?:shared\s+)?([a-z_][\w-]{{2,}})\s+(?:{_KINDS}|code)\b"
)
_VERBS = (
    r"touch(?:ed|ing)?|chang(?:e|ed|ing)|edit(?:ed|ing)?|modif(?:y|ied|ying)|alter(?:ed|ing)?|mov(?:e|ed|ing)"
    r"|renam(?:e|ed|ing)|rewrit(?:e|ten|ing)|remov(?:e|ed|ing)|delet(?:e|ed|ing)|add(?:ed|ing)?|refactor(?:ed"
    r"|ing)?|adjust(?:ed|ing)?|updat(?:e|ed|ing)|break(?:ing)?|affect(?:ed|ing)?|introduc(?:e|ing)|bump(?:ing)?"
    r"|reformat(?:ted|ting)?"
)
_FORBIDS = re.compile(
    rf"(?i)\b(?:do not|don't|don’t|must not|mustn't|may not|should not|shall not|never|cannot|without|not to"
    rf"|no need to|is not to|are not to|not be|avoid|and not)\s+(?:be\s+)?(?:{_VERBS})\b(?!\s+nothing)"
    r"|\bleav(?:e|es|ing)\b|\bkeep(?:s|ing)?\b(?=.{0,80}\b(?:as (?:it|they)|unchanged|untouched|intact|the same"
    r"|stable|alone|compatible))"
    r"|\bhands off\b|\bno (?:new |other |further )?(?:changes?|edits?)\b|\bout of scope\b|\boff[- ]limits\b|\bfrozen\b"
    r"|\bno new\b|\bnothing (?:in|inside|under|within|of|about)\b|\bno (?:extra |additional |further )?(?:dependenc"
    r"|packages?\b|migrations?\b|files?\b|settings\b|schema\b)|\bno (?:\w+ ){0,3}changes?\b"
    r"|\bnicht (?:anfassen|ändern|verändern|antasten)\b|\bbleib(?:t|en) (?:wie|so|unverändert|unberührt)\b"
    r"|\bneither\b|\bnot (?:in|to) scope\b|\bdoes not (?:touch|change|concern)\b|\bout of bounds\b|\btaboo\b"
    r"|\b(?:keep|stay) (?:(?:well |your hands )?(?:away|clear|out)|off) (?:from|of)?\b|\bsteer clear\b|\bkeep off\b"
    r"|\bhands off\b|\bnot (?:yours|ours) to\b|\b(?:is|are) not yours\b"
)
_STAYS = re.compile(
    r"(?i)\bunder (?:audit|review|a freeze)\b|\bowned by\b|\b(?:stays?|remains?)\s*(?:put)?\W*$|\b(?:stays?"
    r"|remains?|must (?:stay|remain)|is to stay|are to stay|is|are|be)\s+(?:exactly\s+"
    r"|just\s+)?(?:as (?:it is|they are|is|before)|unchanged|untouched|intact|the same|alone|put|stable|frozen"
    r"|off[- ]limits|out of scope|not part of|not to be)"
    r"|\bas (?:it is|they are|it stands)\b|\b(?:unchanged|untouched|out of scope|off[- ]limits)\b"
    r"|\bbelongs? to another\b|\bothers rely\b|\b(?:byte|bit|character) for (?:byte|bit|character)\b"
    r"|\b(?:must|should|shall|has to|have to|needs? to|is to|are to) (?:all |both )?(?:stay|remain)\b"
    r"|\b(?:stays?|remains?) (?:exactly |just )?(?:what|how|where|the way|at|in force|valid|frozen)\b"
    r"|\b(?:is|are|being) (?:certified|audited|frozen|locked|signed off)\b|\bfrozen until\b"
)
_REST = re.compile(
    r"(?i)\b(?:everything|all(?: code)?|whatever) (?:outside|beyond|other than|except|apart from|but)\b"
    r"|\b(?:not|\w+n't|\w+n’t|without|never)\s+(?:\w+\s+){0,2}(?:any|the|anything|in any)\s+(?:other|else)\b"
    r"|\b(?:not|\w+n't|\w+n’t|without|never)\s+(?:\w+\s+){0,2}anything else\b|\b(?:anything"
    r"|any (?:other )?(?:file|code|module|function)s?) (?:outside|beyond|other than|but|except)\b"
    r"|\bnothing (?:else|more|outside|beyond|other)\b|\bno(?:thing)? other (?:file|module|function|place|part|code"
    r"|path|change)s?\b|\beverything else\b|\ball else\b|\bthe rest\b(?=.{0,40}\b(?:stay|remain|as it|unchanged"
    r"|alone|untouched))"
    r"|\b(?:all|every|any) other (?:\w+ )?(?:file|module|function|place|part|path|endpoint"
    r"|caller)s?\b(?=.{0,60}\b(?:stay|remain|keep|as |unchanged|untouched|alone|not))"
    r"|\b(?:limited|confined|restricted|restrict(?: \w+){0,3}|stick|keep(?: \w+){0,4} (?:change|edit|diff"
    r"|work)s?) (?:to|within|inside)\b|\bno (?:changes?|edits?) (?:outside|elsewhere|anywhere else|beyond)\b"
    r"|\b(?:not|never|without|don't)\b.{0,90}\bother (?:functions?|methods?|files?|modules?|endpoints?|classes)\b"
    r"|\b(?:outside|beyond) (?:of )?(?:it|that|this|these|them)\b"
    r"|\bthe other (?:\w+ )?(?:endpoints?|functions?|methods?|routes?|views?|commands?|handlers?|calls?|reports?|pages?"
    r"|jobs?|screens?|modules?|files?)\b(?=.{0,60}\b(?:keep|stay|remain|as they|as it|unchanged|untouched|alone|not))"
    r"|\bsonst (?:bitte )?nichts\b|\bnichts (?:sonst|anderes|weiter)\b|\balles andere\b|\bden rest\b"
)
_ONLY_WORDED = re.compile(
    rf"(?i)\b(?:only|just|solely)\s+(?:the|our)\s+([a-z_][\w-]+)\s+(?:{_KINDS})\s+(?:may|should|can|must|is to"
    rf"|needs? to|has to|changes?)\b"
)
_ONLY = re.compile(
    rf"(?i)\b(?:{_VERBS}|fix(?:es)?|work|write|implement|extend)\b(?:\s+\w+){{0,3}}\s+(?:only|just|solely"
    rf"|exclusively|nothing but)\b"
    rf"|\b(?:only|just|solely|exclusively)\s+(?:be\s+)?(?:{_VERBS}|fix|work on|write)\b"
    rf"|\b(?:only|solely|exclusively)\s+(?:in\s+|to\s+|within\s+|inside\s+|the (?:function|file|module|class"
    rf"|method)\s+)?(?={_CODE})"
    rf"|(?:{_CODE})\s+(?:only|alone)\b|\b(?:one|single)[- ](?:file|function|module)\b"
)
_SPLITS = re.compile(
    r"(?i)(?:[,;:]|\s[-–—]+\s|\s\()\s*(?:but|and|while|though|yet|however)?\s*(?=do not|don't|never|leave|keep"
    r"|without|nothing|no |must not|may not|everything|all other|the rest|not )"
    r"|\s+(?:but|and|while)\s+(?=do not|don't|never|leave|keep|nothing|no |must not|may not|everything|all other"
    r"|the rest|not )"
    r"|\s+(?=without\b)|(?:[;]|,\s*but)\s+|\bexcept(?: for)?\b"
)
# The end of a sentence whose subject stands before the `and`: "is used elsewhere and must not change".
_BARE = re.compile(
    r"(?i)^\s*(?:must|may|should|shall|can) not (?:be )?(?:change|touch|edit|modif|alter|mov|renam|remov)\w*\W*$"
    r"|^\s*(?:stays?|remains?)\b|^\s*(?:please )?(?:hands off|leave (?:it |them )?(?:alone|as)|off[- ]limits"
    r"|out of scope|not part of|(?:do not|don't|never) (?:touch|change|edit|modify)(?: (?:it|them|either))?\W*$)"
)
_PART_OF = re.compile(
    rf"(?i)\b(?:signatures?|interfaces?|names?|arguments?|parameters|return (?:types?|values?)|defaults?|meaning"
    rf"|callers|behaviou?r) of (?:the |our )?(?:\w+ )?(?:{_CODE})"
    rf"|(?:{_CODE})'s (?:signature|interface|name|arguments|defaults?|callers)\b"
)
_TOO = re.compile(rf"(?i)(?:{_CODE})(?:,? (?:and|or|nor))? (?:all|any|every|the)(?: the)? (?:other|rest)\b")
_INSIDE = re.compile(
    rf"(?i)\b(?:in|inside|within|of) (?:the )?(?:{_CODE})(?=,? (?:the|all|any|every|no|nothing|each)\b)"
)
# What is said of what the sentence before named: "nothing in it may change", "they stay as they are".
_PRONOUN = re.compile(
    r"(?i)\bnothing (?:in|inside|of|about) (?:it|them|there|that|those)\b"
    r"|^\W*(?:and |but |so )?(?:it|they|both|neither|that|this|those|these)"
    r"(?: (?:file|module|package|folder|one|two)s?)?"
    r" (?:must|may|should|shall|can)(?:not| not)? (?:be )?(?:change|touch|edit|modif|alter|mov|renam|remov)\w*\W*$"
    r"|^\W*(?:and |but |so )?(?:it|they|both|that|those|these) (?:stays?|remains?|is|are) (?:exactly )?(?:as|unchanged"
    r"|untouched|off[- ]limits|out of scope|frozen)"
    r"|\b(?:leave|keep) (?:it|them|both|that|those) (?:alone|as|untouched|unchanged|out)"
    r"|\b(?:do not|don't|never|without) (?:touch|chang|edit|modify|alter)\w* (?:it|them|either|both|that|those)\W*$"
)
_INERT_KINDS = (
    r"(?:documentation|docs|docstrings?|comments?|formatting|format|whitespace|type hints?|annotations?|wording)"
)
_INERT = re.compile(
    rf"(?i)\b{_INERT_KINDS}[- ]only\b|\bonly (?:the )?{_INERT_KINDS}\b|\bpure(?:ly)? (?:a )?{_INERT_KINDS}\b"
    rf"|\b(?:it|this) is (?:only |just |pure )?{_INERT_KINDS}\b|\bnothing but {_INERT_KINDS}\b"
)
_INERT_BARE = re.compile(
    r"(?i)\bno (?:functional |code |logic )+(?:changes?|edits?)\b|\bcode (?:itself )?(?:stays|remains)\b"
)
_KEEPS = re.compile(
    r"(?i)\bbehaviou?rs? (?:\w+ )?(?:stays?|remains?|is unchanged|does not|doesn't|must not|may not|unchanged|as it"
    r"|is kept)"
    r"|\b(?:no|without)(?: \w+){0,3} (?:change (?:of|in) )?behaviou?r|\bnothing (?:\w+ )?behaves?\b"
    r"|\bbehaves? (?:exactly |just )?(?:as before|the same|as it|like before)|\bsame (?:results?|behaviou?r|output)"
    r"|\bpure(?:ly)? (?:a )?refactor|\bno functional change|\bverhalten bleibt\b"
    r"|\b(?:output|outcome|results?|answers?|numbers?|amounts?|prices?|totals?|texts?|rounding|sums?"
    r"|figures?|fees?)\b[^.;]{0,40}\b(?:identical"
    r"|the same|unchanged|equal|not change|as (?:before|they are|it is))\b"
    r"|\bsame (?:outcome|answers?|numbers?|amounts?)\b"
)
_OTHERS = re.compile(
    r"(?i)\b(?:other|existing|remaining|present|old|rest of the)\s+(?:\w+\s+)?(?:fields?|keys?|columns?|entries|values"
    r"|attributes|properties|headers?|answers?|items|members)\b(?=.{0,60}\b(?:as they|as before|stay|remain|unchanged"
    r"|untouched|the same|rely|identical|not change|must not|keep))|\brel(?:y|ies) on (?:the )?(?:other|existing)\b"
    r"|\b(?:keep|leave|without (?:chang|touch)\w*) (?:all |any )?(?:the |of the )?(?:other|existing) (?:\w+ )?"
    r"(?:fields?|keys?|columns?|entries|values|headers?)"
)
_NO_FILES = re.compile(
    r"(?i)\bno (?:new|extra|additional|further|other) files?\b|\b(?:do not|don't|without) add\w* files"
)
_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(-])|\n\s*\n|\n\s*[-*]\s+")
CATEGORIES: dict[str, re.Pattern[str]] = {
    "tests": re.compile(r"(?i)\b(?:the |existing |any )?tests?\b(?! (?:data|mode))"),
    "signatures": re.compile(
        r"(?i)\bsignatures?\b|\bpublic (?:api|interface|functions?|names?)\b|\binterface\b|\bpublic api\b|\bcallers\b"
    ),
    "defaults": re.compile(r"(?i)\bdefaults?\b"),
    "permissions": re.compile(
        r"(?i)\bpermissions?\b|\bwho (?:may|can|is allowed|are allowed|has access|gets)\b"
        r"|\bdecorators\b|\baccess (?:rules|control|rights)\b|\bauthori[sz]ation\b|\broles?\b"
    ),
    "dependencies": re.compile(r"(?i)\bdependenc(?:y|ies)\b|\brequirements\b|\bpackages? (?:we|that)\b|\blibraries\b"),
    "schema": re.compile(r"(?i)\bschema\b|\bmigrations?\b|\bdatabase\b|\b(?:the|our|existing) tables\b"),
    "settings": re.compile(r"(?i)\bsettings\b|\bconfig(?:uration)?\b"),
    "docs": re.compile(r"(?i)\bdoc(?:s|umentation)\b|\breadme\b|\bchangelog\b"),
    "ci": re.compile(r"(?i)\bci\b|\bpipelines?\b|\bworkflows?\b"),
}


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


def read(text: str, known: Collection[str] = ()) -> Brief:
    """Return what a brief says; `known` are names of code that it may use like any other words."""
    bare = [re.escape(n) for n in known if len(n) > 3 or "_" in n]
    if bare:
        # Written as code, they are read as code: `(encode) must stay`, `leave cue and take alone`.
        pattern = re.compile(rf"(?<![`\w./-])(?:{'|'.join(sorted(bare, key=len, reverse=True))})(?![`\w/-]|\.\w)")
        text = pattern.sub(lambda m: f"`{m[0]}`", text)
    brief = Brief(text)
    spoken: list[str] = []
    for sentence in _SENTENCES.split(text.strip()):
        sentence = " ".join(sentence.split())
        if not sentence:
            continue
        worded = _ONLY_WORDED.search(sentence)
        if worded is not None:
            brief.named.add(worded[1])
        if worded is not None or _REST.search(sentence) or (_ONLY.search(sentence) and _targets(sentence)):
            brief.closed = brief.closed or sentence
        if _NO_FILES.search(sentence):
            brief.no_files = brief.no_files or sentence
        if _INERT.search(sentence):
            brief.inert = brief.inert or sentence
        if _OTHERS.search(sentence):
            brief.others = brief.others or sentence
        if _KEEPS.search(sentence):
            brief.keeps = brief.keeps or sentence
        before: list[str] = []
        for clause in _SPLITS.split(sentence):
            if clause:
                if _BARE.match(clause):
                    for target in before:
                        brief.excluded.setdefault(target, sentence)
                if _PRONOUN.search(clause) and not _targets(clause):
                    for target in spoken:
                        brief.excluded.setdefault(target, sentence)
                _clause(brief, clause, sentence)
                before = _targets(clause)
                if _INERT_BARE.search(clause) and not before:
                    brief.inert = brief.inert or sentence
                spoken = before or spoken
    brief.named -= set(brief.excluded)
    return brief


def _clause(brief: Brief, clause: str, sentence: str) -> None:
    targets = _targets(clause)
    forbids = _FORBIDS.search(clause)
    stays = _STAYS.search(clause)
    closing = _REST.search(sentence)
    if closing is not None and forbids is None and stays is None and sentence.find(clause) > closing.end():
        return  # "touch nothing else: `b.py` is under audit" names `b.py`, and does not ask for it
    if forbids is None and stays is None:
        brief.named |= set(targets)
        brief.asked |= roots(re.findall(r"[A-Za-z][a-z]+|[A-Z]{2,}", clause.replace("_", " ")))
        return
    rest = _REST.search(clause)
    if rest is not None:
        head = clause[: rest.start()]
        if _STAYS.search(head) and not _REST.search(head):
            _clause(brief, head, sentence)  # "the limits stay as they are, and so does everything else"
        # "do not touch anything outside `a.py`" names what is open; what follows "nothing else" is only spoken of.
        around = re.search(r"(?i)outside|beyond|other than|except|but|apart|within|inside|\bto\b", rest[0])
        brief.named |= set(targets if around else _targets(clause[: rest.start()]))
        both = _TOO.search(clause)  # "`policy.py` and all other files must not be changed"
        for target in _targets(both[0]) if both is not None and not around else ():
            brief.excluded.setdefault(target, sentence)
        if stays is not None and not around:
            for target in _targets(clause[rest.end() :]):
                brief.excluded.setdefault(target, sentence)
        return
    before = clause[: forbids.start()] if forbids else ""
    brief.named |= set(_targets(before)) if forbids and not stays else set()
    told = clause[forbids.start() :] if forbids and not stays else clause
    if not _targets(told) and not _WORDED.search(told) and not any(p.search(told) for p in CATEGORIES.values()):
        told = clause  # "permissions must not change": what must not stands before
        brief.named -= set(_targets(before))
    of = {t for m in _PART_OF.finditer(told) for t in _targets(m[0])}
    # "in `roles.py` the other entries stay": what stays is in it, and the file was named for the work.
    of |= {t for m in _INSIDE.finditer(told) for t in _targets(m[0]) if t in brief.named}
    brief.named |= of  # of these, a part stays
    for target in _targets(told):
        if target not in of:
            brief.excluded.setdefault(target, sentence)
    worded = [
        w for w in _WORDED.findall(told) if w.lower() not in ("same", "whole", "other", "new", "public", "existing")
    ]
    for word in worded:
        brief.excluded.setdefault(word, sentence)
    brief.concepts += phrases(_TARGET.sub("", told[forbids.end() - forbids.start() :] if told.startswith(forbids[0])
                                          else told) if forbids else told, sentence)  # fmt: skip
    for name, pattern in CATEGORIES.items():
        if pattern.search(_TARGET.sub("", told)):
            brief.categories.setdefault(name, sentence)


def _targets(text: str) -> list[str]:
    found = []
    for match in _TARGET.finditer(text):
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
