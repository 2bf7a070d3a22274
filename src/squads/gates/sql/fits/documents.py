"""Values that comments and documents of an artifact give to columns: beside a column, in COMMENT ON, in Markdown.

A document speaks of a column where it names it, and of its table where the column's name alone is too common. Change
logs tell what was; they are not read.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from squads.contracts.artifact import Artifact
from squads.contracts.errors import NotText
from squads.gates.place import Place
from squads.gates.sql.fits.bounds import Misfit, Type, column_type, misfit, shown
from squads.gates.sql.fits.claims import TEXT_CHARACTERS_MAX, Claim, number_claims, number_value, text_claims
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.fitting import Unfit, unfit
from squads.gates.sql.fits.specified import may_specify, shows_mistake, specified
from squads.gates.sql.lex import Source
from squads.gates.sql.model import Column, Schema, Table

DOCUMENTS = ("*.md", "*.markdown", "*.mdx", "*.txt", "*.rst", "*.adoc")
"""Files that are read as prose."""
SETTINGS = ("*.yml", "*.yaml", "*.json", "*.toml")
"""Files that are read as `name: value` lines."""

DOCUMENT_BYTES_MAX = 1024 * 1024
"""The longest document that is read as prose; longer ones are data."""

_HISTORY = re.compile(r"(?i)(change[-_ ]?log|history|release[-_ ]?notes|news|licen[cs]e|migration[-_ ]guide|upgrad)")
_TRAILING = re.compile(r"[ \t]*,?[ \t]*\)?[ \t]*;?[ \t]*(?:--(?P<line>[^\n]*)|/\*(?P<block>.*?)\*/)", re.DOTALL)
_COMMENT_LINE = re.compile(r"^(?P<indent>[ \t]*)--(?P<text>[^\n]*)$")
_BLOCK_LINE = re.compile(r"^\s*/\*(.*)\*/\s*$")
_CODE_LINE = re.compile(
    r"(?i)^\W*(?:select|insert|update|delete|alter|create|drop|grant|revoke|set|comment\s+on|values|default|add|merge|copy)\b.*|.*[;]\s*$"
)
"""A comment that is SQL itself, commented out."""
_INNER = re.compile(r"--([^\n]*)|/\*(.*?)\*/", re.DOTALL)
_VALUE_HEADER = re.compile(
    r"(?i)\b(default|value|example|initial|constant|max|maximum|min|minimum|sample|seed|typical)\b"
)
_PROSE_HEADER = re.compile(
    r"(?i)\b(description|notes?|meaning|comment|remarks?|purpose|details|range|values|allowed)\b"
)
_NUMBER_OF_SOMETHING = re.compile(
    r"(?i)\b(size|length|len|bytes|width|ordinal|position|pos|no\.?|nr|id|version|since|precision|scale|index|order"
    r"|rows|count)\b|\#"
)
_DECLARED = re.compile(
    r"""^\s*["`]?(?P<name>[A-Za-z_]\w*)["`]?\s+(?i:numeric|decimal|dec|smallint|int|integer|bigint|int[248]|serial|real|
        varchar|char|character|double)\b(?:[^-\n]*?\b(?P<default>(?i:default)\s+[-+]?[\d.]+))?[^\n]*?(?:--(?P<remark>.*))?$""",
    re.VERBOSE,
)
"""A column in a piece of schema inside a document."""
PARAGRAPH_LINES_MAX = 40
"""How many lines of one paragraph are read together."""
_FENCE = re.compile(r"\s*(```+|~~~+)\s*(\w*)")
_BEGINS = re.compile(r"\s*(?:$|[-*+]\s|\d+[.)]\s|\||#|>|```|~~~|===|---|:\w+:|\.\.\s)")
"""How a line begins that starts something new."""
_NO_PROSE = re.compile(r"\s*(?:$|\||#|```|~~~|===|---)")
_SETTING = re.compile(
    r"""^[\s\-*>{,]*["'`]?(?P<name>[A-Za-z_][\w.]*)["'`]?\s*(?:=|:|:=)\s*
        ["'`]?(?P<value>[-+]?[\d_.,]+(?:[eE][+-]?\d+)?)["'`]?\s*[,;}]?\s*(?:(?:\#|--|//).*)?$""",
    re.VERBOSE,
)


def spoken(artifact: Artifact, schema: Schema) -> Iterator[Unfit]:
    """Yield the values that prose gives to columns and their types do not hold."""
    texts = {}
    for file in artifact.matching("*.sql", "*.psql", "*.ddl", "*.pgsql", "*.SQL", "*.DDL", "*.py"):
        try:
            texts[file.path] = file.text.removeprefix("\ufeff")
        except NotText:
            continue
    sources = {path: Source(path, text) for path, text in texts.items()}
    for table in schema.tables:
        for column in table.columns:
            target = column_type(schema, table, column)
            if _judgeable(target) and column.place.path in sources:
                for comment, place in _beside(sources[column.place.path], column.place):
                    yield from _judged("comment", table, column, target, comment, place, beside=True)
    yield from _commented(schema)
    names = Names(schema)
    for path, source in sources.items():
        if not path.endswith(".py") and any(distinctive(name) and name in source.text for name in names.entries):
            yield from _remarks(source, names)
    yield from _documents(artifact, schema)


def judged_claims(claims: list[Claim], target: Type) -> Iterator[tuple[Misfit, bool]]:
    """Yield (why it does not fit, whether that is certain); beside a value that fits, another is only explained."""
    found = [(c, _claim_misfit(c, target)) for c in claims]
    fits = any(m is None and c.certain and not c.bound and c.value.number for c, m in found)
    ranges = {c.group for c, _ in found if c.group >= 0}
    misses = {c.group for c, m in found if m is not None}
    ranged = bool(ranges - misses)  # one range fits, so that another is in another unit
    for claim, problem in found:
        if problem is not None and problem.loses != "digits":
            beside = ranged if claim.bound else fits
            certain = claim.certain and not beside and problem.loses == "all"
            yield problem, certain


def _claim_misfit(claim: Claim, target: Type) -> Misfit | None:
    number = claim.value.number
    if not claim.bound or number is None:
        return misfit(claim.value, target)
    limits = target.limits
    if limits is None:
        return None
    step = Constant("numeric", number, text=claim.value.text)
    problem = misfit(step, target)
    if problem is None or problem.loses != "all":
        return None
    end = limits[1] if number > 0 else limits[0]
    side = "at most" if number > 0 else "at least"
    return Misfit("all", f"the range ends at {shown(number)}, and {target} holds {side} {shown(end)}", problem.wider)


def _judgeable(target: Type) -> bool:
    return not target.array and (target.limits is not None or bool(target.text_length))


def _judged(
    source: str, table: Table, column: Column, target: Type, text: str, place: Place, *, beside: bool
) -> Iterator[Unfit]:
    if target.is_number:
        claims = list(number_claims(text, column.name, beside=beside))
    else:
        claims = list(text_claims(text, column.name)) if beside else []
    for problem, certain in judged_claims(claims, target):
        yield unfit(source, table, column, problem, place, certain=certain)


def _beside(source: Source, place: Place) -> Iterator[tuple[str, Place]]:
    """Yield the comments of one column: inside its definition, behind it on its line, and right above it."""
    text = source.text
    start = source.start_of(place.line) + place.column - 1
    end = start + len(place.text)
    if text[start:end] != place.text:
        return
    for found in _INNER.finditer(place.text):
        yield (found[1] or found[2] or "").strip(), place
    parts, last = [], place.end_line
    if behind := _TRAILING.match(text, end):
        parts.append((behind["line"] or behind["block"] or "").strip())
        last = source.line(behind.end() - 1)
        for number in range(last + 1, last + 6):  # a comment that goes on below, further to the right
            below = _COMMENT_LINE.match(source.text_of_line(number))
            if below is None or len(below["indent"]) <= place.column + 1:
                break
            parts.append(below["text"].strip())
    if parts:
        yield " ".join(parts), source.place(start, source.start_of(last) + len(source.text_of_line(last)))
    above: list[str] = []
    if not text[source.start_of(place.line) : start].strip():
        for number in range(place.line - 1, max(0, place.line - 8), -1):
            over = _COMMENT_LINE.match(source.text_of_line(number))
            if over is None or len(over["indent"]) > place.column + 1:
                break
            if not _DECLARED.match(over["text"]):  # a column that was commented out
                above.insert(0, over["text"].strip())
        block = _BLOCK_LINE.match(source.text_of_line(place.line - 1)) if place.line > 1 else None
        if block and not above:
            above.append(block[1].strip())
    if any(above):
        yield " ".join(above), source.place(source.start_of(place.line - len(above)), end)


def _commented(schema: Schema) -> Iterator[Unfit]:
    """Judge what COMMENT ON COLUMN says; the last comment on a column holds."""
    latest: dict[tuple[str, str, str], tuple[Table, Column, str, Place]] = {}
    for write in schema.writes:
        source, tokens = write.statement
        values = [t.value for t in tokens]
        if values[:3] != ["comment", "on", "column"] or len(tokens) < 7 or values[-2] != "is":
            continue
        names = [t.value for t in tokens[3:-2] if t.kind in ("word", "quoted")]
        if len(names) < 2:
            continue
        named = (t for t in schema.tables if t.name == names[-2] and names[-3:-2] in ([], [t.schema]))
        table = next(named, None)
        column = schema.resolved(table).column(names[-1]) if table else None
        if table and column:
            place = source.place(tokens[0].start, tokens[-1].end)
            latest[(table.schema, table.name, column.name)] = (table, column, tokens[-1].value, place)
    for table, column, text, place in latest.values():
        target = column_type(schema, table, column)
        if _judgeable(target):
            yield from _judged("comment", table, column, target, text, place, beside=True)


class Names:
    """The columns that a document may speak of, and by which words."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.entries: dict[str, list[tuple[Table, Column, Type]]] = {}
        self.own: frozenset[str] = frozenset()
        """Those that only the document declares: in backticks even a plain word is meant."""
        self.tables = {t.name for t in schema.tables}
        for table in schema.tables:
            for column in table.columns:
                target = column_type(schema, table, column)
                if _judgeable(target):
                    self.entries.setdefault(column.name, []).append((table, column, target))
        every: dict[str, int] = {}
        for table in schema.tables:
            for column in table.columns:
                every[column.name] = every.get(column.name, 0) + 1
        self.known = frozenset(every)
        self._alone = {name for name, number in every.items() if number == 1}

    def with_those_of(self, source: Source) -> Names:
        """Return these and the columns that only the document itself declares."""
        own = specified(source, self.known)
        if not own:
            return self
        more = Names(self.schema)
        more.entries |= {
            n: judgeable for n, entries in own.items() if (judgeable := [e for e in entries if _judgeable(e[2])])
        }
        more._alone |= {name for name, entries in own.items() if len(entries) == 1}
        more.own = frozenset(own)
        return more

    def meant(self, name: str, context: str) -> Iterator[tuple[Table, Column, Type, bool]]:
        """Yield the columns called `name`, each with whether no other can be meant.

        A name of several words that one table has needs no more; another is meant where its table is named.
        """
        for table, column, target in self.entries.get(name, ()):
            named = bool(re.search(rf"(?<![\w]){re.escape(table.name)}(?![\w])", context))
            single = distinctive(name) or (name in self.own and f"`{name}`" in context)
            if named or (single and name in self._alone):
                yield table, column, target, True


def distinctive(name: str) -> bool:
    """Return whether a column's name has several words, so that it hardly means something else."""
    return "_" in name.strip("_") or bool(re.search("[a-z][A-Z]", name))


def _remarks(source: Source, names: Names) -> Iterator[Unfit]:
    """Judge comments on lines of their own, which stand beside no column, as prose."""
    lines = source.text.split("\n")
    number = 0
    while number < len(lines):
        first = number
        while number < len(lines) and _COMMENT_LINE.match(lines[number]) and number - first < PARAGRAPH_LINES_MAX:
            number += 1
        said = [line.strip().lstrip("-").strip() for line in lines[first:number]]
        if any(said) and not lines[first].startswith((" ", "\t")):
            text = " ".join(t for t in said if not _CODE_LINE.match(t[:TEXT_CHARACTERS_MAX]) and not _DECLARED.match(t))
            place = source.place(source.start_of(first + 1), source.start_of(number) + max(1, len(lines[number - 1])))
            yield from prose_claims(names, text, "", place, source="comment")
        number = max(number, first + 1)


def prose_claims(names: Names, text: str, context: str, place: Place, *, source: str = "document") -> Iterator[Unfit]:
    """Yield the values that a piece of prose gives to the columns that it names, and that do not fit."""
    for name in sorted({w for w in re.findall(r"\w+", text) if w in names.entries}):
        ticked = (
            f"`{name}`" in text
            or distinctive(name)
            or re.search(rf"\w\.{re.escape(name)}\b|\b{re.escape(name)}\s*=", text)
        )
        for table, column, target, _ in names.meant(name, f"{context} {text}") if ticked else ():
            yield from _judged(source, table, column, target, text, place, beside=False)


def _documents(artifact: Artifact, schema: Schema) -> Iterator[Unfit]:
    names = Names(schema)
    for file in artifact.matching(*DOCUMENTS, *SETTINGS):
        if len(file.content) > DOCUMENT_BYTES_MAX or _HISTORY.search(posixpath.basename(file.path)):
            continue
        try:
            text = file.text
        except NotText:
            continue
        prose = file.path.endswith(tuple(d[1:] for d in DOCUMENTS))
        source = Source(file.path, text)
        spoken_of = names.with_those_of(source) if prose and may_specify(file) else names
        if any(name in text for name in spoken_of.entries):
            yield from _document(source, spoken_of, prose=prose)


def _paragraphs(source: Source, *, prose: bool) -> Iterator[tuple[str, Place]]:
    """Yield the lines of a document, those of one paragraph or list item as one: a sentence may go on below."""
    lines = source.text.split("\n")
    number, fenced = 0, False
    while number < len(lines):
        first = last = number
        fenced ^= bool(_FENCE.match(lines[number]))
        while prose and not fenced and last - first < PARAGRAPH_LINES_MAX and _goes_on(lines, last):
            last += 1
        start, number = source.start_of(first + 1), last + 1
        end = source.start_of(last + 1) + max(1, len(lines[last]))
        yield (
            " ".join(line.strip() if i else line for i, line in enumerate(lines[first:number])),
            source.place(start, end),
        )


def _goes_on(lines: list[str], at: int) -> bool:
    """Return whether the next line continues the sentence of this one."""
    if at + 1 >= len(lines) or _BEGINS.match(lines[at + 1]) or _SETTING.match(lines[at + 1]):
        return False
    return not (_NO_PROSE.match(lines[at]) or _SETTING.match(lines[at]))


def _document(source: Source, names: Names, *, prose: bool) -> Iterator[Unfit]:
    heading, fence, header = source.path, "", list[str]()
    above, mistaken = "", False
    for line, place in _paragraphs(source, prose=prose):
        if found := _FENCE.match(line):
            fence = "" if fence else (found[2].lower() or "text")
            mistaken = bool(fence) and shows_mistake(f"{heading} {above}")
            continue
        if mistaken:
            continue
        above = line if line.strip() else above
        if fence and (declared := _DECLARED.match(line)):
            for table, column, target, _ in names.meant(declared["name"], f"{heading} {line}"):
                remark = f"{declared['default'] or ''} {declared['remark'] or ''}".strip()
                yield from _judged("document", table, column, target, remark, place, beside=True)
            continue
        if fence in ("sql", "postgres", "postgresql", "ddl", "diff", "psql"):
            continue
        if prose and not fence and line.startswith("#"):
            heading = line
        setting = _SETTING.match(line)
        if setting:
            for table, column, target, _ in names.meant(setting["name"].rsplit(".", 1)[-1], f"{heading} {line}"):
                value = number_value(setting["value"])
                problem = misfit(value, target) if value and target.is_number else None
                if problem and problem.loses != "digits":
                    yield unfit("document", table, column, problem, place, certain=True)
            continue
        if not prose or fence:
            continue
        if line.lstrip().startswith("|"):
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            if all(re.fullmatch(r":?-+:?", c) for c in cells):
                continue
            if not any(c.strip("`* ") in names.entries for c in cells):
                header = cells
                continue
            yield from _table_row(names, header, cells, f"{heading} {line}", place)
            continue
        header = []
        yield from prose_claims(names, line, heading, place)


def _table_row(names: Names, header: list[str], cells: list[str], context: str, place: Place) -> Iterator[Unfit]:
    name = next(c.strip("`* ") for c in cells if c.strip("`* ") in names.entries)
    for table, column, target, _ in names.meant(name, context):
        for number, cell in enumerate(cells):
            title = header[number] if number < len(header) else ""
            value = number_value(cell)
            if value is not None and not _NUMBER_OF_SOMETHING.search(title):
                problem = misfit(value, target) if target.is_number else None
                known = not title or bool(_VALUE_HEADER.search(title))
                if problem and problem.loses != "digits":
                    yield unfit("document", table, column, problem, place, certain=known)
            elif value is None and _PROSE_HEADER.search(title):
                yield from _judged("document", table, column, target, cell, place, beside=True)
            elif value is None and _VALUE_HEADER.search(title) and target.text_length and re.match(r"['`\"]", cell):
                problem = misfit(Constant("literal", text=cell.strip("`").strip("'\"")), target)
                if problem:
                    yield unfit("document", table, column, problem, place)
