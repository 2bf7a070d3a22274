"""SQLite's and MySQL's spellings, turned into PostgreSQL's before anything is judged; and a word about the others.

Both take NULL for distinct from NULL in a unique key, and both enforce CHECK (MySQL from 8.0.16, MariaDB from 10.2), so
the same invariants hold. The text keeps its length, so every place stays exact. Only what has a twin in PostgreSQL is
turned; the rest is left to the reader of PostgreSQL, which raises `CannotLook` on what it does not know. SQL Server and
Oracle treat NULL in keys differently: they are named and not read.
"""

from __future__ import annotations

import re
from dataclasses import replace

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.dialects.items import MYSQL, SQLITE, turned
from squads.gates.sql.lex import Source, Statement, statements

POSTGRESQL = "postgresql"

_MARKS = re.compile(
    r"(?P<mysql>`|\bAUTO_INCREMENT\b|\)\s*ENGINE\s*=|\bCHARSET\s*=|\bUNIQUE\s+KEY\b|\bON\s+DUPLICATE\s+KEY\b"
    r"|^[ \t]*DELIMITER[ \t]+\S+[ \t]*$|\bINT(?:EGER)?(?:\(\d+\))?\s+UNSIGNED\b|\bDECIMAL(?:\([\d, ]+\))?\s+UNSIGNED\b)"
    r"|(?P<sqlite>\bAUTOINCREMENT\b|\bPRAGMA\s+\w|\bWITHOUT\s+ROWID\b|\bCREATE\s+VIRTUAL\s+TABLE\b|\bON\s+CONFLICT\s+"
    r"(?:REPLACE|IGNORE|ABORT|FAIL|ROLLBACK)\b|\bINSERT\s+OR\s+(?:IGNORE|REPLACE)\b)"
    r"|(?P<strict>\)\s*STRICT\s*(?:;|,\s*WITHOUT\b|\Z))"
    r"|(?P<sqlserver>\[\w+\]\s*\.\s*\[|\[\w+\]\s+\[?(?:n?varchar|int|bigint|decimal|money|bit|uniqueidentifier)\b"
    r"|^[ \t]*GO[ \t]*$|\bIDENTITY\s*\(\s*\d+\s*,\s*\d+\s*\)|\bNVARCHAR\s*\(\s*MAX\s*\)|\bNONCLUSTERED\b"
    r"|\bUNIQUEIDENTIFIER\b)"
    r"|(?P<oracle>\bVARCHAR2\s*\(|\bNUMBER\s*\(\s*\d)",
    re.IGNORECASE | re.MULTILINE,
)
# What is never closed reaches to the end: looking for the end again from every beginning would take minutes.
_ASIDE = re.compile(
    r"--[^\n]*|/\*(?!!).*?(?:\*/|\Z)|'[^']*(?:''[^']*)*(?:'|\Z)|(\$(?:[^\W\d]\w*)?\$).*?(?:\1|\Z)", re.DOTALL
)
_MYSQL_PIECE = re.compile(
    r"(?P<delimiter>^[ \t]*DELIMITER[ \t]+(?!;)\S+.*?(?:^[ \t]*DELIMITER[ \t]+;|\Z))"
    r"|(?P<single>'(?:[^'\\]|\\.|'')*')|(?P<double>\"(?:[^\"\\]|\\.|\"\")*\")|(?P<name>`[^`]*`)"
    r"|--[^\n]*|(?P<hash>\#[^\n]*)|(?P<open>/\*!\d*)|/\*.*?\*/|(?P<close>\*/)",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_SQLITE_PIECE = re.compile(
    r"'[^']*(?:''[^']*)*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|(?P<name>`[^`]*`|\[[^\]\n]*\])", re.DOTALL
)
_NAMES = {"sqlserver": "SQL Server", "oracle": "Oracle"}


class Respelled(Source):
    """A text of another dialect as PostgreSQL spells it, letter under letter; what it shows is what was written."""

    def __init__(self, path: str, text: str, respelled: str) -> None:
        super().__init__(path, text)
        self._written = text
        self.text = respelled

    def place(self, start: int, end: int) -> Place:
        """Return the place, with the text as it was written."""
        return replace(super().place(start, end), text=self._written[start:end])


def dialect_of(text: str) -> str:
    """Return whose SQL `text` is, by marks that no other dialect has; PostgreSQL's where there are none."""
    if not _MARKS.search(text):
        return POSTGRESQL
    bare = _ASIDE.sub(" ", text)
    found = {str(m.lastgroup) for m in _MARKS.finditer(bare)}
    if "strict" in found and not re.search(r"\b(function|procedure)\b", bare, re.IGNORECASE):
        found.add(SQLITE)
    if SQLITE in found:  # SQLite takes backticks and brackets too
        return SQLITE
    return next((d for d in (MYSQL, "sqlserver", "oracle") if d in found), POSTGRESQL)


def statements_in(source: Source, hint: str = "") -> list[Statement]:
    """Return the statements of `source` as PostgreSQL has them. Raises `CannotLook` with what cannot be read, and why.

    Args:
        source: The text; its places stay its own.
        hint: The dialect, where something else than the text says it, such as an import of `sqlite3`.
    """
    dialect = dialect_of(source.text)
    dialect = hint if dialect == POSTGRESQL and hint else dialect
    if dialect in _NAMES:
        raise CannotLook(
            f"{source.path}: this looks like {_NAMES[dialect]}, whose unique keys treat NULL in a way of their own; "
            "PostgreSQL, SQLite and MySQL are read: leave the file out, or give it a gate for its dialect"
        )
    if dialect == POSTGRESQL:
        return list(statements(source))
    text = source.text
    respelled = _MYSQL_PIECE.sub(_mysql_piece, text) if dialect == MYSQL else _SQLITE_PIECE.sub(_sqlite_piece, text)
    if type(source) is Source:
        source = Respelled(source.path, text, respelled)
    else:
        source.text = respelled
    source.dialect = dialect
    found: list[Statement] = []
    try:
        for statement in statements(source):
            found += turned(statement, dialect)
    except CannotLook as error:
        shown = {SQLITE: "SQLite", MYSQL: "MySQL"}[dialect]
        raise CannotLook(
            f"{error} (read as {shown}; write it in the part of {shown} that PostgreSQL has too)"
        ) from error
    return found


def _mysql_piece(found: re.Match[str]) -> str:
    text = found[0]
    match found.lastgroup:
        case "delimiter":  # routines and triggers, which make no keys
            return re.sub(r"[^\n]", " ", text)
        case "single":
            return text[0] + re.sub(r"\\'", "''", text[1:-1]) + text[-1]
        case "double":
            return "'" + re.sub(r"\\.|'", lambda m: " " * len(m[0]), text[1:-1], flags=re.DOTALL) + "'"
        case "name":
            return '"' + text[1:-1].replace('"', " ") + '"'
        case "hash":
            return "--" + text[2:] if len(text) > 1 else " "
        case "open" | "close":  # /*!80016 ... */ runs from that version on
            return " " * len(text)
        case _:
            return text


def _sqlite_piece(found: re.Match[str]) -> str:
    return '"' + found[0][1:-1].replace('"', " ") + '"' if found.lastgroup == "name" else found[0]
