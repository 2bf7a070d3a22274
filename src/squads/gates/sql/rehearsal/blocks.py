"""DO blocks as small programs: conditions, loops, variables, RAISE, and statements about rows.

`read_block` turns the tokens into statements; `turns.py` runs them with a player that knows the rows. What is not read
(SQL that is put together, changes of tables) raises `NotKnown`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from squads.gates.sql.lex import Source, Token, split, tokens_of
from squads.gates.sql.model import HOLE
from squads.gates.sql.rehearsal.value import NotKnown
from squads.gates.words import word_set

_QUIET = word_set("notice warning info log debug")
_ROWS = word_set("insert update delete with")
_NO_NEWS = word_set("null commit perform analyze lock set close")


@dataclass(frozen=True, slots=True)
class Part:
    """One statement of a block."""

    kind: str
    """`if`, `try`, `asked`, `loop`, `raise`, `assert`, `into`, `returned`, `set`, `rows`, `exit`,
    `continue`, `return`, `count`, `pass`."""
    text: tuple[Token, ...] = ()
    names: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    others: tuple[Part, ...] = ()


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
    parts = reader.body()
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

    def body(self) -> tuple[Part, ...]:
        """Take statements up to END, with what happens where they stop."""
        parts = self.parts(("end", "exception"))
        if not self.accept("exception"):
            return parts
        others: tuple[Part, ...] | None = None
        while self.accept("when"):
            kind = [t.value for t in self.until("then")]
            handled = self.parts(("when", "end"))
            if kind == ["others"] or others is None:
                others = handled
        return (Part("try", parts=parts, others=others or ()),)

    def part(self) -> Part:
        word = self.tokens[self.at].value
        if word == "begin":
            self.at += 1
            parts = self.body()
            self.expect("end")
            self.accept(";")
            return Part("if", parts=parts)
        if word == "if":
            return self._choice()
        if word in ("loop", "while", "for"):
            return self._loop(word)
        line = self.until(";")
        words = [t.value for t in line]
        if word in ("exception", "foreach", "case", "declare") or any(HOLE in w for w in words):
            raise NotKnown
        if word == "execute" and len(line) == 2 and line[1].kind in ("string", "dollar"):
            inner = Source("", line[1].value)
            line = list(tokens_of(inner, 0, len(line[1].value)))
            words = [t.value for t in line]
            word = words[0] if words else ""
        if word == "perform" and words[1:2] != ["pg_sleep"]:
            return Part("asked", (line[0]._replace(text="SELECT", value="select"), *line[1:]))
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
