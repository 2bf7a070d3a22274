"""DO blocks as small programs: conditions, loops, variables, RAISE, and statements about rows.

`read_block` turns the tokens into statements; `play` runs them with a player that knows the rows. What is not read
(handlers of exceptions, SQL that is put together, changes of tables) raises `NotKnown`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from squads.gates.sql.lex import Token, split
from squads.gates.sql.model import HOLE
from squads.gates.sql.rehearsal.value import NotKnown, Stops, Value
from squads.gates.words import word_set

_TURNS_MAX = 300
_QUIET = word_set("notice warning info log debug")
_ROWS = word_set("insert update delete with")
_NO_NEWS = word_set("null commit perform analyze lock set close")


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of a block."""

    kind: str
    """`if`, `loop`, `raise`, `assert`, `into`, `returned`, `set`, `rows`, `exit`,
    `continue`, `return`, `count`, `pass`."""
    text: tuple[Token, ...] = ()
    names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    others: tuple[Part, ...] = ()


class Player(Protocol):
    """Who knows the rows."""

    def query(self, text: str) -> list[dict[str, Value]]:
        """Return the rows of a query."""

    def change(self, text: str) -> int:
        """Change rows; return how many."""

    def returned(self, text: str) -> list[dict[str, Value]]:
        """Change rows; return what the statement returns of them."""


def read_block(tokens: Sequence[Token]) -> Part:
    """Return the program of a DO block's body."""
    reader = _Reader(list(tokens))
    declared: list[Part] = []
    if reader.accept("declare"):
        while not reader.ahead("begin"):
            line = reader.until(";")
            at = next((n for n, t in enumerate(line) if t.text == ":=" or t.value == "default"), None)
            declared.append(Part("set", tuple(line[at + 1 :]) if at is not None else (), (line[0].value,)))
    reader.expect("begin")
    parts = reader.parts(("end",))
    return Part("block", parts=(*declared, *parts), names=tuple(d.names[0] for d in declared))


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    def ahead(self, *words: str) -> bool:
        return [t.value for t in self.tokens[self.at : self.at + len(words)]] == list(words)

    def accept(self, *words: str) -> bool:
        if self.ahead(*words):
            self.at += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            raise NotKnown

    def until(self, *ends: str) -> list[Token]:
        """Take the tokens up to a word or mark outside brackets and CASE, and that one."""
        start, depth = self.at, 0
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "mark" and token.text in "()[]":
                depth += 1 if token.text in "([" else -1
            elif token.kind == "word" and token.value == "case":
                depth += 1
            elif token.kind == "word" and token.value == "end" and depth:
                depth -= 1
            elif not depth and token.value in ends and token.kind in ("word", "mark"):
                self.at += 1
                return self.tokens[start : self.at - 1]
            self.at += 1
        raise NotKnown

    def parts(self, ends: tuple[str, ...]) -> tuple[Part, ...]:
        """Take statements up to one of the words in `ends`, which stays."""
        made: list[Part] = []
        while self.at < len(self.tokens):
            if self.tokens[self.at].value in ends:
                return tuple(made)
            made.append(self.part())
        raise NotKnown

    def part(self) -> Part:
        word = self.tokens[self.at].value
        if word == "if":
            return self._choice()
        if word in ("loop", "while", "for"):
            return self._loop(word)
        line = self.until(";")
        words = [t.value for t in line]
        if word in ("exception", "begin", "foreach", "case", "execute", "declare") or any(HOLE in w for w in words):
            raise NotKnown
        if word == "raise":
            return Part("pass" if len(words) > 1 and words[1] in _QUIET else "raise")
        if word == "assert":
            return Part("assert", tuple(split(line[1:])[0]))
        if word in ("exit", "continue"):
            return Part(word, tuple(line[2:]) if len(words) > 1 and words[1] == "when" else ())
        if word == "return":
            return Part("return")
        if word == "get":
            at = next((n for n, t in enumerate(line) if t.text in ("=", ":=")), 0)
            if not at or words[-1] != "row_count":
                raise NotKnown
            return Part("count", names=(words[at - 1],))
        if word in ("select", "with") and "into" in words and "insert" not in words:
            return self._into(line, words)
        if (
            word in ("insert", "update", "delete")
            and "returning" in words
            and "into" in words[words.index("returning") :]
        ):
            at = len(words) - 1 - words[::-1].index("into")
            names = tuple(w for w in words[at + 1 :] if w not in (",", "strict"))
            return Part("returned", tuple(line[:at]), names)
        if word in _ROWS:
            return Part("rows", tuple(line))
        if word in _NO_NEWS:
            return Part("pass")
        if len(line) > 2 and line[1].text in (":=", "="):
            return Part("set", tuple(line[2:]), (word,))
        raise NotKnown

    def _into(self, line: list[Token], words: list[str]) -> Part:
        at = words.index("into")
        start = at + 1 + (words[at + 1] == "strict")
        end = start
        while end < len(line) and ((line[end].kind in ("word", "quoted") and (end == start or words[end - 1] == ","))
                                   or words[end] == ","):  # fmt: skip
            end += 1
        names = tuple(words[n] for n in range(start, end) if words[n] != ",")
        return Part("into", (*line[:at], *line[end:]), names)

    def _choice(self) -> Part:
        self.at += 1
        test = tuple(self.until("then"))
        parts = self.parts(("elsif", "elseif", "else", "end"))
        if self.ahead("elsif") or self.ahead("elseif"):
            return Part("if", test, parts=parts, others=(self._choice(),))
        others: tuple[Part, ...] = ()
        if self.accept("else"):
            others = self.parts(("end",))
        self.expect("end", "if")
        self.accept(";")
        return Part("if", test, parts=parts, others=others)

    def _loop(self, word: str) -> Part:
        names: tuple[str, ...] = ()
        head: tuple[Token, ...] = ()
        if word == "for":
            names = (self.tokens[self.at + 1].value,)
            self.at += 2
            self.expect("in")
        elif word == "while":
            self.at += 1
        if word != "loop":
            head = tuple(self.until("loop"))
        else:
            self.at += 1
        parts = self.parts(("end",))
        self.expect("end", "loop")
        self.accept(";")
        return Part(word, head, names, parts)


@dataclass(slots=True)
class _Turn:
    player: Player
    values: dict[str, Value | dict[str, Value]] = field(default_factory=dict)
    changed: int = 0
    left: int = _TURNS_MAX


class _Leaves(Exception):
    def __init__(self, kind: str) -> None:
        self.kind = kind


def play(block: Part, player: Player) -> None:
    """Run a block. Raises `Stops` where it raises, and `NotKnown`."""
    turn = _Turn(player)
    try:
        _run(block.parts, turn)
    except _Leaves:
        return


def _run(parts: Sequence[Part], turn: _Turn) -> None:
    for part in parts:
        _DOES.get(part.kind, _pass)(part, turn)


def _pass(part: Part, turn: _Turn) -> None:
    del part, turn


def _raise(part: Part, turn: _Turn) -> None:
    del part, turn
    raise Stops


def _leave(part: Part, turn: _Turn) -> None:
    if not part.text or _holds(part.text, turn):
        raise _Leaves(part.kind)


def _assert(part: Part, turn: _Turn) -> None:
    if not _holds(part.text, turn):
        raise Stops


def _choose(part: Part, turn: _Turn) -> None:
    _run(part.parts if _holds(part.text, turn) else part.others, turn)


def _into(part: Part, turn: _Turn) -> None:
    rows = turn.player.query(_text(part.text, turn))
    turn.changed = len(rows)
    row = rows[0] if rows else {}
    if len(part.names) == 1 and len(row) > 1:
        turn.values[part.names[0]] = row
        return
    found = [*row.values(), *([None] * len(part.names))]
    turn.values.update(zip(part.names, found, strict=False))


def _returned(part: Part, turn: _Turn) -> None:
    rows = turn.player.returned(_text(part.text, turn))
    turn.changed = len(rows)
    found = [*(rows[0].values() if rows else ()), *([None] * len(part.names))]
    turn.values.update(zip(part.names, found, strict=False))


def _set(part: Part, turn: _Turn) -> None:
    value = next(iter(turn.player.query(f"SELECT {_text(part.text, turn)} AS v")[0].values())) if part.text else None
    turn.values[part.names[0]] = value


def _rows(part: Part, turn: _Turn) -> None:
    turn.changed = turn.player.change(_text(part.text, turn))


def _count(part: Part, turn: _Turn) -> None:
    turn.values[part.names[0]] = turn.changed


def _loop(part: Part, turn: _Turn) -> None:
    rows: list[dict[str, Value]] | None = None
    if part.kind == "for":
        if any(t.text == ".." or t.value in ("reverse", "execute") for t in part.text) or "select" not in [
            t.value for t in part.text
        ]:
            raise NotKnown
        rows = turn.player.query(_text(part.text, turn))
    while True:
        turn.left -= 1
        if turn.left < 0:
            raise NotKnown
        if rows is not None:
            if not rows:
                return
            row = rows.pop(0)
            turn.values[part.names[0]] = row
        elif part.kind == "while" and not _holds(part.text, turn):
            return
        try:
            _run(part.parts, turn)
        except _Leaves as leaves:
            if leaves.kind == "exit":
                return
            if leaves.kind == "return":
                raise


_DOES: dict[str, Callable[[Part, _Turn], None]] = {
    "if": _choose, "loop": _loop, "while": _loop, "for": _loop, "raise": _raise, "assert": _assert, "into": _into,
    "returned": _returned,
    "set": _set, "rows": _rows, "count": _count, "exit": _leave, "continue": _leave, "return": _leave,
}  # fmt: skip


def _holds(text: Sequence[Token], turn: _Turn) -> bool:
    rows = turn.player.query(f"SELECT ({_text(text, turn)}) AS v")
    return bool(rows and next(iter(rows[0].values())))


def _text(tokens: Sequence[Token], turn: _Turn) -> str:
    """Return SQL with the values of variables in their places."""
    made: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        after_dot = at > 0 and tokens[at - 1].text == "."
        if token.kind in ("word", "quoted") and not after_dot:
            if token.value == "found":
                made.append("true" if turn.changed else "false")
                at += 1
                continue
            held = turn.values.get(token.value, turn)
            if isinstance(held, dict) and at + 2 < len(tokens) and tokens[at + 1].text == ".":
                if tokens[at + 2].value not in held:
                    raise NotKnown
                made.append(_literal(held[tokens[at + 2].value]))
                at += 3
                continue
            if (
                held is not turn
                and not isinstance(held, dict)
                and not (at + 1 < len(tokens) and tokens[at + 1].text == ".")
            ):
                made.append(_literal(held))  # type: ignore[arg-type]
                at += 1
                continue
        made.append(token.text)
        at += 1
    return " ".join(made)


def _literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)
