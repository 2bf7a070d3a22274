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
from squads.gates.sql.fits.bounds import Misfit, Type, column_type, misfit, shown
from squads.gates.sql.fits.claims import Claim, number_claims, number_value, text_claims
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.fitting import Unfit, unfit
from squads.gates.sql.lex import Source
from squads.gates.sql.model import Column, Place, Schema, Table

DOCUMENTS = ("*.md", "*.markdown", "*.mdx", "*.txt", "*.rst", "*.adoc")
"""Files that are read as prose."""
SETTINGS = ("*.yml", "*.yaml", "*.json", "*.toml")
"""Files that are read as `name: value` lines."""

DOCUMENT_BYTES_MAX = 1024 * 1024
"""The longest document that is read as prose; longer ones are data."""

_HISTORY = re.compile(r"(?i)(change[-_ ]?log|history|release[-_ ]?notes|news|licen[cs]e|migration[-_ ]guide|upgrad)")
_TRAILING = re.compile(r"[ \t]*,?[ \t]*\)?[ \t]*;?[ \t]*(?:--(?P<line>[^\n]*)|/\*(?P<block>.*?)\*/)", re.DOTALL)
_COMMENT_LINE = re.compile(r"^(?P<indent>[ \t]*)--(?P<text>[^\n]*)$")
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
    yield from _documents(artifact, schema)


def judged_claims(claims: list[Claim], target: Type) -> Iterator[tuple[Misfit, bool]]:
    """Yield (why it does not fit, whether that is certain); beside a value that fits, another is only explained."""
    found = [(c, _claim_misfit(c, target)) for c in claims]
    fits = any(m is None and c.certain and not c.bound and c.value.number for c, m in found)
    for claim, problem in found:
        if problem is not None and problem.loses != "digits":
            certain = claim.certain and (claim.bound or not fits) and problem.loses == "all"
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
        self.entries: dict[str, list[tuple[Table, Column, Type]]] = {}
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
        self._alone = {name for name, number in every.items() if number == 1}

    def meant(self, name: str, context: str) -> Iterator[tuple[Table, Column, Type, bool]]:
        """Yield the columns called `name`, each with whether no other can be meant.

        A name of several words that one table has needs no more; another is meant where its table is named.
        """
        for table, column, target in self.entries.get(name, ()):
            named = bool(re.search(rf"(?<![\w]){re.escape(table.name)}(?![\w])", context))
            if named or (distinctive(name) and name in self._alone):
                yield table, column, target, True


def distinctive(name: str) -> bool:
    """Return whether a column's name has several words, so that it hardly means something else."""
    return "_" in name.strip("_") or bool(re.search("[a-z][A-Z]", name))


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
        if any(name in text for name in names.entries):
            yield from _document(Source(file.path, text), names, prose=prose)


def _document(source: Source, names: Names, *, prose: bool) -> Iterator[Unfit]:
    heading, fence, header = source.path, "", list[str]()
    for number, line in enumerate(source.text.split("\n"), 1):
        start = source.start_of(number)
        place = source.place(start, start + max(1, len(line)))
        if found := re.match(r"\s*(```+|~~~+)\s*(\w*)", line):
            fence = "" if fence else (found[2].lower() or "text")
            continue
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
        for name in {w for w in re.findall(r"\w+", line) if w in names.entries}:
            ticked = (
                f"`{name}`" in line
                or distinctive(name)
                or re.search(rf"\w\.{re.escape(name)}\b|\b{re.escape(name)}\s*=", line)
            )
            for table, column, target, _ in names.meant(name, f"{heading} {line}") if ticked else ():
                yield from _judged("document", table, column, target, line, place, beside=False)


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
