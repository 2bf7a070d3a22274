"""What a constant expression of PostgreSQL comes out as, read from its tokens.

`30.0`, `- 5`, `60 * 60 * 24`, `2 ^ 31`, `'30.0'::numeric`, `repeat('x', 300)`. Anything that reads a row, the clock, a
parameter or a function without an entry in `FUNCTIONS` is no constant: `None`. Nothing is ever run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from squads.gates.sql.fits.constants import FUNCTIONS, Constant, computed, leaf, negative, number
from squads.gates.sql.fits.samples import EPOCH, NOW, arguments, at_least, filled_in, sampled, written
from squads.gates.sql.lex import Token, split
from squads.gates.words import word_set

DEPTH_MAX = 100
"""How deeply brackets and signs may be nested in a constant."""

Cast = Callable[[Constant, str], "Constant | None"]
"""How a value is cast to a type, explicitly; `bounds.cast` in earnest."""


def constant(tokens: Sequence[Token], cast: Cast) -> Constant | None:
    """Return what `tokens` come out as, or None when that is not known. Raises `DoesNotFit` if they always fail."""
    if len(tokens) == 1 or (len(tokens) == 2 and tokens[0].text == "-"):
        return _simple(tokens)
    reader = _Reader(tokens, cast)
    value = reader.expression(0)
    return value if reader.at == len(tokens) and not reader.lost else None


def _simple(tokens: Sequence[Token]) -> Constant | None:
    token = tokens[-1]
    if token.kind == "number":
        value = number(token.text)
        return value if len(tokens) == 1 or value is None else negative(value)
    return leaf(token) if len(tokens) == 1 else None


def _is_now(tokens: Sequence[Token]) -> bool:
    return [t.text for t in tokens[1:]] in ([], ["(", ")"]) and tokens[0].value in NOW


def _joined(operator: str, left: Constant | None, right: Constant | None) -> Constant | None:
    """Return `left || right` where one of them is a sample, or is not known and adds what it may."""
    if operator != "||" or (left is None and right is None):
        return None
    if left is not None and right is not None and "sample" not in (left.kind, right.kind):
        return None
    known = [v for v in (left, right) if v is not None]
    if any(v.kind == "null" for v in known):
        return None
    return written(known) if len(known) == 2 else at_least(known)


_LEVELS = {"||": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3, "^": 4}
_TYPED = word_set("numeric decimal text varchar date timestamp timestamptz smallint integer bigint int interval")
"""Types that may stand in front of a quoted value."""
_NO_NAMES = word_set(
    "null true false case when then else end select from where and or not is in between like ilike similar distinct "
    "array row exists any all some interval current_date current_time current_timestamp localtime localtimestamp "
    "default at collate over filter within order group"
)
"""Words that no column is called where an operand stands, or that change what the operand is."""
_TYPE_TAIL = word_set("precision varying character char")


class _Reader:
    """Climbs precedence: `::` binds tightest, then a sign, then ^, then * / %, then + -, then ||."""

    def __init__(self, tokens: Sequence[Token], cast: Cast) -> None:
        self.tokens, self.cast, self.at, self.lost, self.depth = tokens, cast, 0, False, 0

    def expression(self, level: int) -> Constant | None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self.lost = True
        left = self._operand() if not self.lost else None
        while not self.lost and self.at < len(self.tokens):
            operator = self.tokens[self.at].text
            mine = _LEVELS.get(operator, 0)
            if self.tokens[self.at].kind != "op" or mine <= level:
                break
            self.at += 1
            right = self.expression(mine)
            left = None if self.lost else _joined(operator, left, right) or computed(operator, left, right)
        self.depth -= 1
        return left

    def _peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead].value if self.at + ahead < len(self.tokens) else ""

    def _operand(self) -> Constant | None:
        if self.at >= len(self.tokens):
            self.lost = True
            return None
        token = self.tokens[self.at]
        if token.kind == "op" and token.text in ("-", "+"):
            self.at += 1
            value = self._operand()
            return value if token.text == "+" or value is None else negative(value)
        if token.kind == "mark" and token.text == "(":
            inside = self._group()
            value = self._one(inside)
        elif token.kind == "word" and token.value == "array" and self._peek(1) == "[":
            self.at += 1
            items = [self._one(part) for part in split(self._group()) if part]
            known = [i for i in items if i is not None]
            value = Constant("array", items=tuple(known)) if len(known) == len(items) else None
        elif token.kind == "word" and token.value == "cast" and self._peek(1) == "(":
            self.at += 1
            value = self._cast_call(self._group())
        elif token.kind in ("word", "quoted") and self._peek(1) == "(":
            self.at += 1
            value = self._call(token.value, self._group())
        elif token.value in _TYPED and [t.kind for t in self.tokens[self.at : self.at + 2]] == ["word", "string"]:
            self.at += 2  # date '2024-02-30'
            value = self._cast(leaf(self.tokens[self.at - 1]), token.value)
        elif token.kind == "number":
            self.at += 1
            value = number(token.text)
        elif token.kind == "quoted" or (token.kind == "word" and token.value not in _NO_NAMES):
            self._name()
            value = None
        else:
            self.at += 1
            value = leaf(token)
            self.lost = value is None
        while self._peek() == "::" and not self.lost:
            self.at += 1
            value = self._cast(value, self._type())
        if self._peek() == "collate":
            self.at += 2
            while self._peek() == ".":
                self.at += 2
        return value

    def _name(self) -> None:
        """Take the name of something in a row, or of a variable: nothing is known of its value."""
        self.at += 1
        while self._peek() == "." and self.at + 1 < len(self.tokens):
            self.at += 2

    def _group(self) -> Sequence[Token]:
        start, depth = self.at + 1, 0
        while self.at < len(self.tokens):
            text = self.tokens[self.at].text if self.tokens[self.at].kind == "mark" else ""
            depth += (text in ("(", "[")) - (text in (")", "]"))
            self.at += 1
            if not depth:
                break
        return self.tokens[start : self.at - 1]

    def _one(self, tokens: Sequence[Token]) -> Constant | None:
        inner = _Reader(tokens, self.cast)
        inner.depth = self.depth
        value = inner.expression(0)
        return value if inner.at == len(tokens) and not inner.lost else None

    def _cast(self, value: Constant | None, type_name: str) -> Constant | None:
        if value is None or value.kind == "null":
            return value
        return self.cast(value, type_name)

    def _cast_call(self, inside: Sequence[Token]) -> Constant | None:
        at = max((n for n, t in enumerate(inside) if t.kind == "word" and t.value == "as"), default=-1)
        if at < 0:
            return None
        inner = _Reader(inside[at + 1 :], self.cast)
        return self._cast(self._one(inside[:at]), inner._type())

    def _type(self) -> str:
        """Take a type behind `::`."""
        taken = ""
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            more = token.value in _TYPE_TAIL or (token.value in ("with", "without", "time", "zone") and bool(taken))
            if token.kind == "mark" and token.text in "([" and taken:
                taken += "".join(t.value for t in (token, *self._group(), self.tokens[self.at - 1]))
                continue
            if token.text == "." and taken:
                taken += "."
            elif token.kind in ("word", "quoted") and (not taken or taken.endswith(".") or more):
                taken += token.value if not taken or taken.endswith(".") else f" {token.value}"
            else:
                break
            self.at += 1
        return taken

    def _call(self, name: str, inside: Sequence[Token]) -> Constant | None:
        if name in ("extract", "date_part") and inside and inside[0].value == "epoch" and _is_now(inside[2:]):
            return EPOCH
        values = [self._one(part) if part else None for part in arguments(inside)]
        known = [v for v in values if v is not None]
        if name == "concat" and known and (len(known) < len(values) or any(v.kind == "sample" for v in known)):
            return written(known) if len(known) == len(values) else at_least(known)
        if name == "format":
            return filled_in(values)
        function = FUNCTIONS.get(name)
        found = function(known) if function and known and len(known) == len(values) else None
        return found if found is not None else sampled(name, values)
