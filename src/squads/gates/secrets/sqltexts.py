"""Live secrets in SQL: a password of a role, a key that something is signed with, a value under a secret's name.

What is looked at is each literal with the statement before it. Comments are no statements, and hold nothing that runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from squads.gates.secrets.live import decoded, issued, live
from squads.gates.secrets.words import Kind, kind_of, reveals

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_LITERAL = re.compile(r"'(?P<value>(?:[^']|'')*)'")
_PASSWORD = re.compile(r"(?i)\bPASSWORD\s+(?:[EU]&?)?$|\bIDENTIFIED\s+BY\s+$|\bpasswd\s+$")
_WITHIN = re.compile(r"(?i)\b(?:ROLE|USER|SERVER|OPTIONS|EXECUTE|format)\b.*\bpassword\b", re.DOTALL)
_NAMED = re.compile(
    r"(?i)(?P<name>[a-z_][\w.]*)[\"']?(?:\s+(?:text|varchar|bytea|constant|character varying)(?:\(\d+\))?)*\s*"
    r"(?:=|:=|=>|\bTO\b|\bDEFAULT\b)\s*E?$"
)
_SET = re.compile(r"(?m)^\\\\?set\s+(?P<name>\w+)\s+$")
_RAISED = re.compile(
    r"(?is)\bRAISE\s+(?:NOTICE|LOG|INFO|WARNING|EXCEPTION|DEBUG)?\s*'(?:[^']|'')*'\s*,(?P<given>[^;]*?)(?:\bUSING\b|;)"
)
_SAID = re.compile(r"(?i)\b(?:password|passwort|secret|token|api[ _-]?key)\s*(?:is|:|=)\s*(?P<word>\S{8,})")
_GIVEN = re.compile(
    r"(?i)\b(?:hmac|pgp_sym_encrypt|pgp_sym_decrypt|encrypt|decrypt|sign|verify|create_secret|crypt|encrypt_iv)\s*\((?P<before>[^()]*"
    r"(?:\([^()]*\)[^()]*)*)$"
)
_FIRST = re.compile(r"(?i)\b(?:create_secret|crypt)\s*\(\s*$")
_DECODED = re.compile(r"(?i)\bdecode\s*\(\s*$")
_COLUMNS = re.compile(r"(?i)\bINSERT\s+INTO\s+[\w.\"]+\s*\((?P<columns>[^()]*)\)\s*VALUES\b(?P<values>.*)$", re.DOTALL)
_KEY_BEFORE = re.compile(r"'(?P<name>[\w.\-]+)'\s*,\s*(?:to_jsonb\s*\(\s*)?$")


def in_sql(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what) for the literals of an SQL text that are live secrets."""
    plain = _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in _LITERAL.finditer(plain):
        what = _what(match["value"].replace("''", "'"), _before(plain, match.start()))
        if what:
            yield plain.count("\n", 0, match.start()) + 1, what
    for match in _RAISED.finditer(plain):
        for one in match["given"].split(","):
            name = one.strip().rpartition(".")[2]
            if name.isidentifier() and reveals(name):
                yield plain.count("\n", 0, match.start()) + 1, f"what {name} holds, in a message,"


def _before(text: str, at: int) -> str:
    """Return the statement before a place; a semicolon inside a literal may cut it, which takes only context away."""
    start = max(text.rfind(";", max(0, at - 4_000), at) + 1, at - 4_000, 0)
    return text[start:at]


def _what(value: str, before: str) -> str:
    if not 6 <= len(value) <= 8_000:
        return ""
    whole = issued(value)
    if whole:
        return whole
    inside = decoded(value)
    if inside and _DECODED.search(before):
        before, value = _DECODED.sub("", before), inside
        before = re.sub(r"(?i)\bconvert_from\s*\(\s*$", "", before)
        if issued(inside):
            return f"{issued(inside)}, encoded,"
    said = _SAID.search(value)
    if said and re.search(r"(?i)\bCOMMENT\s+ON\b", before) and live(said["word"], "token"):
        return "a secret in a remark"
    for name, kind in _names(before):
        if live(value, kind):
            return f"the value of {name}"
    return ""


def _names(before: str) -> Iterator[tuple[str, Kind]]:
    """Yield what the statement says that a literal is."""
    if _PASSWORD.search(before) or (_WITHIN.search(before) and re.search(r"(?i)(?:,|\bpassword\s*:?=?)\s*$", before)):
        yield "a role's password", "password"
    named = _NAMED.search(before)
    kind = kind_of(named["name"].rpartition(".")[2]) if named else None
    if named and kind:
        yield named["name"], kind
    given_name = _SET.search(before)
    kind = kind_of(given_name["name"]) if given_name else None
    if given_name and kind:
        yield given_name["name"], kind
    key = _KEY_BEFORE.search(before)
    kind = kind_of(key["name"].rpartition(".")[2]) if key else None
    if key and kind:
        yield key["name"], kind
    given = _GIVEN.search(before)
    key_there = given and (bool(_FIRST.search(before)) or given["before"].rstrip().endswith(","))
    if key_there and not re.search(r"(?i)gen_salt", before):
        yield "a key", "secret"
    columns = _COLUMNS.search(before)
    if columns:
        row = re.sub(r"'(?:[^']|'')*'", "x", columns["values"]).rpartition("(")[2]
        names = [c.strip().strip('"') for c in columns["columns"].split(",")]
        place = row.count(",")
        kind = kind_of(names[place]) if place < len(names) else None
        if kind:
            yield names[place], kind
