"""Statements of SQLite and MySQL, token by token, as PostgreSQL has them.

Left out is what says nothing about columns, keys and CHECKs: engines, character sets, plain indexes, prefix lengths.
Turned is what has a twin: UNIQUE KEY, UNSIGNED, MODIFY, CHANGE, AUTO_INCREMENT. Anything else stays as it is, and the
reader of PostgreSQL says that it does not know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Statement, Token, split
from squads.gates.words import word_set

SQLITE, MYSQL = "sqlite", "mysql"

_VERBS_SKIPPED = word_set("pragma attach detach use replace unlock delimiter show optimize flush handler")
_TYPES = {"tinyint": "smallint", "mediumint": "integer", "datetime": "timestamp", "year": "smallint"}
_TYPES |= dict.fromkeys(("tinytext", "mediumtext", "longtext", "clob", "nvarchar", "nchar", "string"), "text")
_TYPES |= dict.fromkeys(("blob", "tinyblob", "mediumblob", "longblob", "binary", "varbinary"), "bytea")
_TYPES |= {"enum": "text", "set": "text"}
_STARTS_CONSTRAINT = word_set(
    "constraint not null check default generated unique primary references collate as on comment autoincrement"
)
_WHOLE = (("create", "unique"), ("drop", "index"))
"""How statements begin that stand for an action of ALTER TABLE on their own."""


def turned(statement: Statement, dialect: str) -> list[Statement]:
    """Return a statement as PostgreSQL has it: one, several or none."""
    cursor = Cursor(statement.source, statement.tokens)
    if statement.tokens[-1].kind == "meta" or cursor.peek() in _VERBS_SKIPPED:
        return []
    if cursor.accept("create"):
        while cursor.peek() in ("or", "replace", "temporary", "temp"):
            cursor.take()
        if cursor.peek() in ("virtual", "definer", "algorithm", "fulltext", "spatial", "event"):
            return []
        if cursor.accept("table"):
            return _created(statement, cursor, dialect)
        if cursor.ahead("unique", "index"):
            return [_without_methods(statement)]
    if cursor.accept("alter", "table") and dialect == MYSQL:
        return _altered(statement, cursor)
    return [_mysql_drop_index(statement) if dialect == MYSQL else statement]


def _created(statement: Statement, cursor: Cursor, dialect: str) -> list[Statement]:
    """Return CREATE TABLE with its items turned, and what stands behind the brackets left out."""
    tokens = statement.tokens
    cursor.accept("if", "not", "exists")
    start = cursor.at
    cursor.qualified()
    table = tokens[start : cursor.at]
    if cursor.peek() != "(":
        return [] if cursor.peek() == "like" else [statement]
    opening = cursor.at
    inside = cursor.group()
    closing = tokens[cursor.at - 1]
    if any(t.value in ("as", "select") for t in tokens[cursor.at :] if t.kind == "word"):
        return [statement]
    items: list[list[Token]] = []
    after: list[Statement] = []
    for item in split(inside):
        made, index = _item(statement, item, table, dialect)
        if made:
            items.append(made)
        if index:
            after.append(index)
    turned = [*tokens[: opening + 1], *_joined(items, tokens[opening]), closing]
    return [statement._replace(tokens=tuple(turned)), *after]


def _item(
    statement: Statement, item: list[Token], table: Sequence[Token], dialect: str
) -> tuple[list[Token], Statement | None]:
    """Return one item of CREATE TABLE, and the unique index that it is where PostgreSQL has no such item."""
    if not item:
        return item, None
    words = [t.value if t.kind == "word" else "" for t in item]
    if dialect == MYSQL and words[0] in ("key", "index", "fulltext", "spatial") and len(item) > 1:
        return [], None
    head = 2 if words[0] == "constraint" and len(words) > 2 and words[1] not in ("check", "unique", "primary") else 0
    head = head or (1 if words[0] == "constraint" else 0)
    if words[head : head + 1] == ["unique"] and dialect == MYSQL:
        return _unique(statement, item, words, head, table)
    if words[head : head + 1] == ["primary"] or words[head : head + 1] == ["unique"]:
        return _plain_members(item), None
    if words[head : head + 1] in (["foreign"], ["check"]):
        return item if dialect != MYSQL or head != 1 else item[1:], None
    return _column(item), None


def _unique(
    statement: Statement, item: list[Token], words: list[str], head: int, table: Sequence[Token]
) -> tuple[list[Token], Statement | None]:
    """Return MySQL's UNIQUE KEY: a constraint, or an index where a member is an expression."""
    at = head + 1
    at += words[at : at + 1] in (["key"], ["index"])
    name = item[1:2] if head == 2 else []
    if at < len(item) and item[at].kind in ("word", "quoted") and item[at].value != "using":
        name, at = [item[at]], at + 1
    while at < len(item) and item[at].text != "(":
        at += 1
    unique, members = item[head], _plain_members(item[at:])
    if any(t.text == "(" for t in members[1:]):
        made = [*_words(unique, "create unique index"), *name, *_words(unique, "on"), *table, *members]
        return [], statement._replace(tokens=tuple(made))
    return [*(_words(unique, "constraint") if name else []), *name, unique, *members], None


def _plain_members(item: list[Token]) -> list[Token]:
    """Return a key without what only others have: prefix lengths, order, USING BTREE, ON CONFLICT."""
    depth, at = 0, 0
    kept: list[Token] = []
    while at < len(item):
        token = item[at]
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "(" and depth == 2 and at + 2 < len(item) and item[at + 1].kind == "number":
            at += 3  # a prefix: name(10)
            depth -= 1
            continue
        if depth == 0 and token.text == ")":
            return [*kept, token]
        if not (depth == 1 and token.kind == "word" and token.value in ("asc", "desc")):
            kept.append(token)
        at += 1
    return kept


def _column(item: list[Token]) -> list[Token]:
    """Return a column definition without what PostgreSQL does not know; UNSIGNED becomes the CHECK that it is."""
    name, rest = item[0], item[1:]
    unsigned = False
    kept: list[Token] = []
    at = 0
    if not rest or (rest[0].kind == "word" and rest[0].value in _STARTS_CONSTRAINT):
        kept += _words(name, "numeric")  # SQLite's columns need no type
    while at < len(rest):
        token, word = rest[at], rest[at].value if rest[at].kind == "word" else ""
        following = [t.value if t.kind in ("word", "mark") else "" for t in rest[at + 1 : at + 3]]
        if at == 0 and word in _TYPES:
            kept += [token._replace(value=_TYPES[word], text=_TYPES[word])]
            if following[:1] == ["("]:
                at = _behind_group(rest, at + 1) - 1
        elif word in ("autoincrement", "auto_increment", "unsigned", "signed", "zerofill", "invisible", "visible"):
            unsigned |= word == "unsigned"
        elif word == "comment":
            at += 1
        elif word == "character" and following[:1] == ["set"]:
            at += 2
        elif word in ("charset", "column_format", "storage") and following:
            at += 1
        elif word == "on" and following[:1] == ["conflict"]:
            at += 2
        elif word == "on" and following[:1] == ["update"] and following[1:] in (["current_timestamp"], ["now"]):
            at += 2
            if at + 1 < len(rest) and rest[at + 1].text == "(":
                at = _behind_group(rest, at + 1) - 1
        elif word in ("asc", "desc") or (word == "key" and (not kept or kept[-1].value not in ("primary", "foreign"))):
            pass
        elif word == "as" and following[:1] == ["("]:
            if not kept or kept[-1].value != "always":
                kept += _words(token, "generated always")
            kept.append(token)
        elif word in ("after", "first") and at >= len(rest) - 2:
            break
        else:
            kept.append(token)
        at += 1
    if unsigned:
        kept += [
            *_words(name, "constraint"),
            _floor(name),
            *_words(name, "check"),
            *_marks(name, "("),
            name,
            *_marks(name, ">=", "op"),
            *_marks(name, "0", "number"),
        ]
        kept += _marks(name, ")")
    return [name, *kept]


def _floor(name: Token) -> Token:
    """Return the name of the CHECK that a column's UNSIGNED is; no constraint that somebody wrote can have it."""
    return Token("quoted", f"{name.value} UNSIGNED", f"{name.value} UNSIGNED", name.start, name.end)


def _altered(statement: Statement, cursor: Cursor) -> list[Statement]:
    """Return MySQL's ALTER TABLE, one statement for each action that PostgreSQL spells otherwise."""
    cursor.accept("if", "exists")
    start = cursor.at
    cursor.qualified()
    head = list(statement.tokens[: cursor.at])
    table = statement.tokens[start : cursor.at]
    found: list[Statement] = []
    for action in split(cursor.rest()):
        for made in _action(statement, action, table):
            whole = made if len(made) > 1 and (made[0].value, made[1].value) in _WHOLE else [*head, *made]
            if made:
                found.append(statement._replace(tokens=tuple(whole)))
    return found


def _action(statement: Statement, action: list[Token], table: Sequence[Token]) -> list[list[Token]]:
    words = [t.value if t.kind == "word" else "" for t in action]
    first = action[0] if action else statement.tokens[0]
    match words[:2]:
        case ["add", "key" | "index" | "fulltext" | "spatial" | "partition"]:
            return []
        case ["add", "unique" | "constraint"]:
            made, index = _item(statement, action[1:], table, MYSQL)
            return [list(index.tokens)] if index else [[action[0], *made]]
        case ["add", *_] if words[1:2] not in (["primary"], ["foreign"], ["check"]):
            at = 2 if words[1:2] == ["column"] else 1
            if action[at : at + 1] and action[at].text == "(":
                return [[action[0], *_column(c)] for c in split(action[at + 1 : -1])]
            return [[*action[:at], *_column(action[at:])]]
        case ["modify", *_] | ["change", *_]:
            at = 2 if words[1:2] == ["column"] else 1
            renames = [[*_words(first, "drop constraint if exists"), _floor(action[at])]]
            if words[0] == "change":
                renames.append([*_words(first, "rename column"), action[at], *_words(first, "to"), action[at + 1]])
                at += 1
            column = _column(action[at:])
            values = [t.value if t.kind == "word" else "" for t in column]
            ends = next((n for n, v in enumerate(values[1:], 1) if v in _STARTS_CONSTRAINT), len(values))
            same = [*_words(first, "alter column"), column[0]]
            empty = "set not null" if any(p == ("not", "null") for p in pairwise(values)) else None
            kinds = [[*same, *_words(first, "type"), *column[1:ends]]]
            kinds.append([*same, *_words(first, empty or "drop not null")])
            if "check" in values:
                begin = values.index("check")
                begin -= 2 if begin > 1 and values[begin - 2] == "constraint" else 0
                kinds.append([*_words(first, "add"), *column[begin:]])
            return [*renames, *kinds]
        case ["drop", "index" | "key"]:
            constraint = [*_words(first, "drop constraint if exists"), action[2]]
            return [constraint, [*_words(first, "drop index"), action[2]]]
        case ["drop", "foreign"]:
            return []
        case ["drop", "check"]:
            return [[*_words(first, "drop constraint"), action[2]]]
        case ["drop", "primary"] | ["rename", "index" | "key"]:
            return []
        case [
            "engine"
            | "auto_increment"
            | "charset"
            | "convert"
            | "collate"
            | "comment"
            | "order"
            | "default"
            | "character"
            | "algorithm"
            | "lock",
            *_,
        ]:
            return []
        case _:
            return [action]


def _without_methods(statement: Statement) -> Statement:
    """Return CREATE UNIQUE INDEX without MySQL's prefix lengths and USING behind the members."""
    tokens = list(statement.tokens)
    at = next((n for n, t in enumerate(tokens) if t.text == "("), len(tokens))
    behind = _behind_group(tokens, at) if at < len(tokens) else at
    tail = [] if tokens[behind : behind + 1] and tokens[behind].value in ("using", "comment") else tokens[behind:]
    return statement._replace(tokens=(*tokens[:at], *_plain_members(tokens[at:behind]), *tail))


def _mysql_drop_index(statement: Statement) -> Statement:
    words = [t.value for t in statement.tokens[:2]]
    on = next((n for n, t in enumerate(statement.tokens) if t.value == "on" and t.kind == "word"), None)
    return statement._replace(tokens=statement.tokens[:on]) if words == ["drop", "index"] and on else statement


def _behind_group(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    while at < len(tokens):
        depth += (tokens[at].text == "(") - (tokens[at].text == ")")
        at += 1
        if depth == 0:
            break
    return at


def _joined(items: list[list[Token]], like: Token) -> list[Token]:
    out: list[Token] = []
    for item in items:
        out += [*(_marks(like, ",") if out else []), *item]
    return out


def _words(like: Token, text: str) -> list[Token]:
    """Return words that stand where `like` stands."""
    return [Token("word", word, word, like.start, like.end) for word in text.split()]


def _marks(like: Token, text: str, kind: str = "mark") -> list[Token]:
    return [Token(kind, text, text, like.start, like.end)]
