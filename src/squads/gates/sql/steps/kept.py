"""Whether what a migration takes away is kept elsewhere, was empty, or is guarded: the other half of a loss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from squads.gates.sql.model import TableName
from squads.gates.sql.rehearsal.rehearse import Rehearsal
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.carried import PART, WHOLE, carries, covering, looked_up
from squads.gates.sql.steps.copies import bare, compared, lossy, members, moves_on, only_nulls, selects
from squads.gates.sql.steps.types import narrows, read
from squads.gates.sql.steps.wishes import Wishes
from squads.gates.sql.steps.world import Walk, given, given_rows
from squads.gates.words import word_set

_PARTIAL = re.compile(r"\b(where|limit|offset|tablesample|join|having|group|distinct)\b", re.IGNORECASE)
_FROM = re.compile(r"\bfrom (?:only )?(?:\"?\w+\"? \. )?\"?(\w+)\"?", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_RAISES = re.compile(r"\b(raise exception|raise|assert)\b|\b1 / 0\b", re.IGNORECASE)
_DISTINCT = re.compile(r"\b(distinct|group by)\b", re.IGNORECASE)
_JOINED = re.compile(
    r"\b(?:inner )?join \"?(\w+)\"?(?: as)?(?: \w+)? on (?:\w+ \. )?\"?(\w+)\"? = (?:\w+ \. )?\"?(\w+)\"?",
    re.IGNORECASE,
)
_SWAPPED = word_set("insert update delete select")


class Keeping:
    """Answers for the moment at which a walk stands."""

    def __init__(self, walk: Walk, rehearsed: Rehearsal | None = None, brief: str = "") -> None:
        self.walk = walk
        self.rehearsed = rehearsed or Rehearsal()
        """What runs on made rows tell; where they tell nothing, the forms below decide."""
        self._wishes = Wishes(brief)
        kinds = ("set_not_null", "add_constraint", "create_index")
        self._rules = [(at, a) for at, acts in enumerate(walk.acts) for a in acts if a.kind in kinds]

    # What is not wanted any more

    def given_up(self, table: str, column: str = "") -> bool:
        """Return whether the brief says that a table, or a column of it, may go with what is in it."""
        return self._wishes.given_up(table, column)

    def wanted(self, view: str) -> bool:
        """Return whether the brief names a view, and does not ask to take it away."""
        return self._wishes.names(view) and not self._wishes.given_up(view)

    def unread(self, column: str) -> bool:
        """Return whether the brief says that nothing reads a column, or that what reads it changes with it."""
        return self._wishes.unread(column)

    def fits(self, digits: tuple[int, ...]) -> bool:
        """Return whether the brief says that no text is longer than a length."""
        return bool(digits) and self._wishes.longest() is not None and (self._wishes.longest() or 0) <= digits[0]

    def rows_may_go(self, table: str, *, copied: bool = False) -> bool:
        """Return whether the brief asks to delete rows of a table; of rows that are copied, not to archive them."""
        return self._wishes.rows_may_go(table) and not (copied and self._wishes.archived())

    def computed_anew(self, column: str) -> bool:
        """Return whether the brief asks for other values in a column."""
        return self._wishes.computed_anew(column)

    def points(self, table: TableName, column: str) -> bool:
        """Return whether a column says to which row of another table, or which row, something belongs."""
        found = self.walk.table(table)
        if found is None:
            return False
        keys = {e.column for k in found.keys if k.primary for e in k.elements}
        keys |= self.walk.steps.relations.get(found.name, {}).keys()
        return column in keys or any(column in r.columns for r in found.references)

    def told_whole(self, table: TableName) -> bool:
        """Return whether runs on made rows told apart all that a table held."""
        found = self.walk.table(table)
        if found is None:
            return False
        columns = [c.name for c in found.columns if not c.generated and not self.points(table, c.name)]
        return self.rehearsed.told_of(table[1], *columns)

    def folded(self, act: Act) -> bool:
        """Return whether an UPDATE makes one of several values that the brief wants kept in a column that is added."""
        added = any(t == self.walk.named(act.table) for t, _ in self.walk.added)
        return added and act.where is not None and self._wishes.keeps()

    def comes_back(self, table: str) -> bool:
        """Return whether what a step empties stands there again at the end, but for doubles that may go."""
        table = self.rehearsed.names.get(table, table)
        gone = [g for g in self.rehearsed.gone if (g.step, g.table) == (self.walk.at, table)]
        if not gone:
            return any(t == table for t, _ in self.rehearsed.told)
        return self.rows_may_go(table) and all("alike" in g.example for g in gone)

    # What was copied

    def _acts(self) -> Iterator[Act]:
        """Yield every act before this moment, those of the base first."""
        yield from self.walk.old
        for _, act in self.walk.earlier:
            yield act

    def copied(self, table: TableName) -> tuple[str, ...] | None:
        """Return the columns that a copy of all rows lacks, () where there is a whole one, None where there is none."""
        name = table[1].lower()
        gone = {a.table[1] for _, a in self.walk.earlier if a.kind == "drop_table"}
        best: tuple[str, ...] | None = None
        for act in self._acts():
            if not moves_on(act) or act.table[1] in gone or {"temp", "temporary"} & act.words:
                continue
            for text in selects(act.text):
                sources = [m[1].lower() for m in _FROM.finditer(text)]
                if re.match(rf"\(?\s*table (only )?\"?{re.escape(name)}\"?\s*\)?$", text.strip(), re.IGNORECASE):
                    return ()
                if name not in sources or self.walk.named(act.table) == self.walk.named(table):
                    continue
                tail = text[text.lower().index(" from ") :] if " from " in text.lower() else text
                tail = tail.split(" on conflict ")[0]
                if sources[0] == name:
                    tail = self._joins_all(table, tail)
                if _PARTIAL.search(tail):
                    continue
                missing = tuple(c for c in self._missing(table, text) if not compared(c, text))
                if not missing:
                    return ()
                best = missing if best is None else best
        return best

    def _joins_all(self, table: TableName, tail: str) -> str:
        """Return what follows FROM without the joins that leave out no row of the table."""
        tail = re.sub(r"\bleft (outer )?join\b", "with", tail, flags=re.IGNORECASE)

        def over_all(match: re.Match[str]) -> str:
            known = any(self.walk.not_null(table, m) for m in (match[2], match[3]))
            filled = any(
                moves_on(a) and a.table[1].lower() == match[1].lower() and _DISTINCT.search(a.text)
                for a in self._acts()
            )
            return "with" if known and filled else match[0]

        return _JOINED.sub(over_all, tail)

    def _missing(self, table: TableName, text: str) -> tuple[str, ...]:
        head = re.split(r"\bfrom\b", text, flags=re.IGNORECASE)[0]
        if "*" in head.split():
            return ()
        chosen = {w.lower() for w in _WORD.findall(head)}
        columns = [c for c in self.walk.columns(table) if not c.generated]
        return tuple(c.name for c in columns if c.name.lower() not in chosen)

    def archived(self, table: TableName, where: str) -> bool:
        """Return whether the rows that are deleted were copied by the same condition."""
        name = table[1].lower()
        wanted = bare(where)
        for act in self._acts():
            if not moves_on(act) or act.table[1].lower() == name:
                continue
            text = " ".join(act.text.lower().split())
            if name in [m[1].lower() for m in _FROM.finditer(text)] and (
                " where " not in text
                or bare(text.split(" where ", 1)[1]).startswith(wanted[:400])
                or act.table[1] in where
            ):
                return True
        return False

    def column_kept(self, table: TableName, column: str, *, played: bool = True) -> bool:
        """Return whether every value of a column is stored somewhere else; with `played`, runs on made rows count."""
        full, name = self.walk.named(table), column.lower()
        pattern = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
        if (played and self.rehearsed.told_of(table[1], column)) or self.copied(table) == ():
            return True
        parts = read_out = 0
        partial: list[tuple[str, bool]] = []
        choices = self.walk.choices(table, column)
        old = [c.name for c in self.walk.columns(table) if not self.walk.new_column(table, c.name)]
        gone = {(self.walk.named(a.table), a.name) for _, a in self.walk.earlier if a.kind == "drop_column"}
        for act in self._acts():
            if read_out and (given_rows(act) or (act.kind == "update" and given(act))) and act.table[1] != table[1]:
                return True  # a program read the values with what names their rows, and stores them elsewhere
            if act.kind == "select":
                read_out += self._moved(act, table, pattern) == WHOLE
            if act.kind == "update" and self._reads(act, full):
                if read_out and given(act) and any(t.lower() != name for t, _ in act.values):
                    return True
                whole = act.where is None or self._whole(act)
                for target, value in act.values:
                    here = self.walk.named(act.table)
                    if (target.lower() == name and here == full) or (here, target) in gone:
                        continue
                    if act.where and here == full and looked_up(act.where, value, name):
                        return True
                    if (
                        here == full
                        and target in old
                        and re.search(rf"\b{re.escape(target)}\b is null", act.where or "", re.IGNORECASE)
                    ):
                        continue  # the other rows keep what they had there, and lose this
                    if self._rounds(table, name, act.table, target, value):
                        parts += 1
                        continue
                    much = carries(value, name, choices, old=old if here == full else ())
                    if not whole:
                        if (
                            act.where
                            and not (much == WHOLE and lossy(value))
                            and (much == WHOLE or (not much and pattern.search(act.where)))
                        ):
                            partial.append((act.where, much == WHOLE))
                    elif much == WHOLE and not lossy(value):
                        return True
                    else:
                        parts += much >= PART and (much == WHOLE)
            elif moves_on(act) and act.table[1].lower() != table[1].lower():
                parts += self._moved(act, table, pattern)
            elif (act.kind == "select" and f"'{column}'" in act.text and "squads_python" in act.text) or (
                act.kind == "add_column" and "generated" in act.words and pattern.search(act.text)
            ):
                return True
        return parts >= 2 or covering(partial, name, choices)

    def _rounds(self, table: TableName, column: str, to: TableName, target: str, value: str) -> bool:
        """Return whether a copy loses digits or hours without an error: what a fraction becomes in a whole number."""
        bare = re.fullmatch(
            rf"\(?(?:\w+ \. )?\"?{re.escape(column)}\"?\)?(?: :: ([\w ]+(?:\([\d ,]*\))?))?",
            value.strip(),
            re.IGNORECASE,
        )
        old = self.walk.type_of(table, column)
        for cast in re.finditer(rf"\b{re.escape(column)}\"? :: (smallint|integer|int|int4|int8|bigint|date)\b", value):
            if old and narrows(old, cast[1], "") and read(old).name not in ("smallint", "integer", "bigint"):
                return True
        if bare is None:
            return False
        passed = [self.walk.type_of(table, column), bare[1] or "", self.walk.type_of(to, target)]
        types = [t for t in passed if t]
        whole = ("smallint", "integer", "bigint", "date", "time", "numeric", "real")
        return any(
            narrows(one, two, "")
            and read(two).name in whole
            and read(one).name not in ("smallint", "integer", "bigint")
            for one, two in pairwise(types)
        )

    def _reads(self, act: Act, full: TableName) -> bool:
        if self.walk.named(act.table) == full:
            return True
        return full[1].lower() in [m[1].lower() for m in _FROM.finditer(act.text)]

    def _whole(self, act: Act) -> bool:
        """Return whether an UPDATE leaves out no row with a value, or goes through all of them in slices."""
        return (
            only_nulls(act.where or "")
            or "loop" in act.words
            or bool(re.search(r"\b(limit|between)\b", act.text.lower()))
        )

    def _moved(self, act: Act, table: TableName, pattern: re.Pattern[str]) -> int:
        """Return 2 where a query copies the whole column, 1 where it copies a part of it, else 0."""
        for text in selects(act.text):
            lower = f" {text.lower()} "
            if table[1].lower() not in [m[1].lower() for m in _FROM.finditer(text)]:
                continue
            head = lower.split(" from ")[0]
            tail = lower.split(" where ", 1)[1] if " where " in lower else ""
            tail = re.split(r"\b(on conflict|order by|returning|group by)\b", tail)[0]
            if " limit " in lower or (tail and not only_nulls(tail.strip(" ;"))):
                continue
            if not pattern.search(head):
                spread = re.search(
                    rf"\b(lateral|unnest|values)\b.*\b{pattern.pattern[2:-2]}\b", lower.split(" from ", 1)[-1]
                )
                if spread and self._names_rows(table, head, pattern):
                    return 2
                continue
            parts = [p for p in members(head) if pattern.search(p)]
            if not self._names_rows(table, head, pattern):
                continue  # the values are there, and nobody knows whose they were
            return 2 if any(not lossy(p) for p in parts) else 1
        return 0

    def _names_rows(self, table: TableName, head: str, pattern: re.Pattern[str]) -> bool:
        """Return whether a copy says beside a value which row it was of: by another column of that row."""
        if re.search(r"\*|squads_python|\bto_jsonb?\b|\brow\b", head):
            return True
        rest = " ".join(p for p in members(head.replace("select ", " ", 1)) if not pattern.search(p))
        known = {c.name.lower() for c in self.walk.columns(table) if not self.walk.new_column(table, c.name)}
        words = {w for w in _WORD.findall(re.sub(r"'[^']*'", "", rest)) if not w.isdigit()}
        return bool(words & known) if known else bool(words - {"distinct", "select", "now", "null", "true", "false"})

    # What was empty, filled or guarded

    def empty(self, table: TableName) -> bool:
        """Return whether the migration stops by itself if the table, or the copy of it, is not as it should be."""
        pattern = re.compile(rf"\b{re.escape(table[1])}\b", re.IGNORECASE)
        for act in self._here():
            if act.kind == "do" and pattern.search(act.text) and _RAISES.search(act.text):
                return True
            if act.kind == "select" and "squads_guard" in act.text and pattern.search(act.text):
                return True
        return False

    def _here(self) -> Iterator[Act]:
        for _, act in self.walk.earlier:
            yield act

    def filled(self, table: TableName, column: str) -> bool:
        """Return whether old rows have a value: given by an UPDATE, by the default they were added with, or proved."""
        full, name = self.walk.named(table), column.lower()
        if self._wishes.filled():
            return True
        for act in self._acts():
            same = self.walk.named(act.table) == full if act.table[1] else False
            if act.kind == "update" and same and any(c.lower() == name for c, _ in act.values):
                return True
            if (
                act.kind == "delete"
                and same
                and re.search(rf"\b{re.escape(name)}\b\"? is null", (act.where or "").lower())
            ):
                return True  # a loss of its own, where it stands
            added = act.kind == "add_column" and same and act.name.lower() == name
            if added and re.search(r"\b(default|generated|serial|bigserial)\b", act.text.lower()):
                return True
            if act.kind == "select" and "squads_python" in act.text and f"'{column}'" in act.text:
                return True
            if (
                act.kind == "do"
                and re.search(rf"\b{re.escape(name)}\b", act.text, re.IGNORECASE)
                and (_RAISES.search(act.text) or "update" in act.text.lower().split())
            ):
                return True
            if act.kind == "call":
                return True
        for guard in self.walk.checks(table):
            if guard.valid and re.search(rf"\b{re.escape(name)}\b\W*is not null", guard.condition, re.IGNORECASE):
                return True
        return False

    def all_null(self, table: TableName, column: str) -> bool:
        """Return whether a valid CHECK says that the column holds nothing."""
        wanted = re.compile(rf"\W*{re.escape(column)}\W+is null\W*", re.IGNORECASE)
        return any(g.valid and wanted.fullmatch(g.condition) for g in self.walk.checks(table))

    def bounded(self, table: TableName, column: str) -> bool:
        """Return whether a valid CHECK, or a look at all rows, says how large the values of a column may be."""
        pattern = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
        for guard in self.walk.checks(table):
            if guard.valid and pattern.search(guard.condition) and re.search(r"<|between|~| in ", guard.condition):
                return True
        return any(
            a.kind in ("do", "select")
            and pattern.search(a.text)
            and (_RAISES.search(a.text) if a.kind == "do" else "squads_guard" in a.text)
            for a in self._here()
        )

    def fits_after(self, table: TableName) -> str | None:
        """Return which rule a later step puts on the table, None for none."""
        full = self.walk.named(table)
        for at, act in self._rules:
            if at > self.walk.at and act.table[1] and self.walk.named(act.table) == full:
                if act.kind == "set_not_null":
                    return "NOT NULL"
                if act.kind == "add_constraint" and act.other in ("unique", "primary", "foreign", "check"):
                    return act.other.replace("primary", "primary key").replace("foreign", "foreign key").upper()
                if act.kind == "create_index" and "unique" in act.words:
                    return "a unique index"
        return None

    # What comes after

    def typed_after(self, table: TableName, column: str) -> bool:
        """Return whether a later step gives a column another type."""
        full = self.walk.named(table)
        later = (a for acts in self.walk.acts[self.walk.at + 1 :] for a in acts if a.kind == "alter_type")
        return any(a.name == column and self.walk.named(a.table) == full for a in later)

    def created_later(self, table: TableName) -> bool:
        """Return whether a later step creates a table of that name again."""
        return any(
            a.kind == "create_table" and a.table[1] == table[1]
            for acts in self.walk.acts[self.walk.at + 1 :]
            for a in acts
        )

    def was_written_after(self, table: TableName, column: str) -> bool:
        """Return whether a later step computes the column anew, so that this one only prepares it."""
        full = self.walk.named(table)
        return any(
            a.kind == "update"
            and a.table[1]
            and self.walk.named(a.table) == full
            and any(c == column for c, _ in a.values)
            for acts in self.walk.acts[self.walk.at + 1 :]
            for a in acts
        )
