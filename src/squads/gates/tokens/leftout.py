"""Fields that are believed although the code beside them does not cover them.

A code that is sent with several fields covers those that it was computed over. Another field of the same box, which is
then handed on, kept, returned or compared with the time, is whatever its sender likes.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from itertools import chain, islice

from squads.gates.python import Function, Module, Program
from squads.gates.tokens.codes import COMPARES
from squads.gates.tokens.comparing import Comparing, Vain
from squads.gates.tokens.fields import BODY, FORM, REQUEST, Fields, InPath, Way
from squads.gates.tokens.idle import Idle
from squads.gates.tokens.verification import Verification
from squads.gates.words import word_set

_NO_CLAIM = re.compile(
    r"^(lang|language|locale|utm_.*|theme|page|ref|format|callback|redirect|v|ver|version|debug|_.*|alg|kid|key_id|typ|"
    r"nonce|salt|iv|trace_?id|request_id|name_hint|comment|note|inline|disposition)$",
    re.IGNORECASE,
)
_TYPED = re.compile(
    r"passw|^pw$|name$|comment|message|text$|title|phone|address|answer|feedback|rating|reason|choice|accept|consent|"
    r"terms|subject|captcha|otp$|code$|search|^q$|limit|offset|sort|order_by|filter|year|month|week|^tz$|timezone|"
    r"width|height|^[wh]$|quality|size|page|cursor|^view$|^tab$|^fields$|include|expand|pretty|source|medium|campaign|"
    r"^(from|to|since|before|after|start|end)(_?(date|day|time))?$",
    re.IGNORECASE,
)
"""What a person types in, or chooses, beside a link that they were sent."""
_LETS_IN = re.compile(r"token|key|auth|secret|passw", re.IGNORECASE)
"""A code of such a name says who asks; what they ask for stands beside it in the path, as everywhere."""
_ASKS = word_set(
    "int str float bytes bool len isinstance repr sorted strip lower upper encode decode get pop split partition "
    "getattr hasattr isdigit isalnum isascii startswith endswith fromhex unhexlify b64decode urlsafe_b64decode loads "
    "dumps fromisoformat fromtimestamp type list dict set tuple items keys values any all abs round min max quote"
)
_LOOKS = word_set(
    "download_name attachment_filename filename as_attachment content_disposition_type mimetype media_type headers "
    "status status_code content_type title"
)
"""How an answer looks."""
_TIME = re.compile(r"\b(time|now|utcnow|clock|today|monotonic|timezone|age)\b", re.IGNORECASE)
_SIGNATURE = re.compile(r"(?<![a-z])(sig|signature|seal|mac|mark|proof)(?![a-z])", re.IGNORECASE)
_CALLERS_MAX = 4
_STEPS_MAX = 300


class LeftOut:
    """Answers for one program."""

    def __init__(self, program: Program, verification: Verification, comparing: Comparing) -> None:
        self._program = program
        self._verification = verification
        self._comparing = comparing
        self._fields = Fields(program)
        self._idle = Idle(program)

    def vain(self, module: Module) -> Iterator[Vain]:
        """Yield the comparisons of a module, and their codes, that leave out a field which is then believed."""
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Compare | ast.Call):
                continue
            function = self._program.function_of(node)
            if function is None:
                continue
            for made, given in self._sides(node):
                covered, marks = self._fields.of(made), self._fields.of(given)
                name = self._left_out(function, node, covered, marks)
                if not name:
                    name = self._by_callers(function, covered, marks)
                if name:
                    why = f"the code is not computed over {name!r}, which is believed"
                    yield Vain(node, why)
                    yield from (Vain(c, why) for c in self._computing(made) if c is not node)
                    break

    def _sides(self, node: ast.Compare | ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Yield what is computed, and what it is compared with."""
        for sides in self._comparing.sides(node):
            if self._comparing.decides(node, sides):
                first = self._comparing.computed(sides[0])
                yield (sides[0], sides[1]) if first else (sides[1], sides[0])
        if isinstance(node, ast.Call) and len(node.args) > 1 and self._program.calls.method(node) == "verify":
            marks = [a for a in node.args if _SIGNATURE.search(ast.unparse(a))]
            if len(marks) == 1 and not self._program.names.functions(node):
                yield ast.Tuple([*(a for a in node.args if a is not marks[0]), node.func], ast.Load()), marks[0]

    def _computing(self, made: ast.expr) -> list[ast.AST]:
        """Return the call that computes a code."""
        steps = chain((made,), (s.node for s in self._verification.rewritten(made)))
        calls = (n for n in islice(steps, _STEPS_MAX) if isinstance(n, ast.Call) and self._verification.keyed(n))
        return [*islice(calls, 1)]

    # Which boxes

    def _boxes(self, covered: set[Way], marks: set[Way]) -> set[Way]:
        """Return the boxes of which only some fields are covered, and out of which the code comes, too."""
        found: set[Way] = set()
        for mark in marks:
            box = mark[:-1]
            inside = [c for c in covered if len(c) > len(box) and c[: len(box)] == box]
            whole = any(box[: len(c)] == c for c in covered)
            if box and inside and not whole and not set(inside) <= marks:
                found.add(box)
        return found

    # Where it is believed

    def _left_out(self, function: Function, node: ast.AST, covered: set[Way], marks: set[Way]) -> str:
        """Return a field that a function believes after it compared a code which does not cover it."""
        boxes = self._boxes(covered, marks)
        if not boxes:
            return ""
        known = covered | marks
        line = getattr(node, "end_lineno", 0) or 0
        for site, timed in self._sites(function, node, line):
            for way in self._fields.of(site):
                if name := self._loose(way, boxes, known, frozenset() if timed else marks):
                    return name
        return self._of_object(function, boxes, known)

    def _loose(self, way: Way, boxes: set[Way], known: set[Way], marks: Set[Way]) -> str:
        """Return the name of a field that belongs to a box and is not covered; empty where it is."""
        for box in boxes:
            if way == box:
                return self._issued(box, known)
            if len(way) > len(box) and way[: len(box)] == box:
                near = any(k[: len(way)] == way or way[: len(k)] == k for k in known)
                name = str(way[len(box)])
                typed = box[0] in (REQUEST, BODY) and bool(_TYPED.search(name))
                if isinstance(way[len(box)], InPath):
                    typed = any(_LETS_IN.search(str(m[-1])) for m in marks if m[:-1] == box)
                if not near and not typed and not _NO_CLAIM.search(name) and box != (FORM,):
                    return name
        return ""

    def _issued(self, box: Way, known: set[Way]) -> str:
        """Return a field that is written into such a box elsewhere in the artifact, and is not covered."""
        own = {str(k[len(box)]) for k in known if len(k) > len(box) and k[: len(box)] == box}
        every: list[list[str]] = []
        owner = self._fields.owner(box)
        if owner is not None:
            every.append(self._fields.fields_of(owner))
        for module in self._program.files.modules:
            for node in ast.walk(module.tree) if box[0] not in (REQUEST, BODY) and owner is None else ():
                if isinstance(node, ast.Dict):
                    keys = [k.value for k in node.keys if isinstance(k, ast.Constant)]
                    every += [[k for k in keys if isinstance(k, str)]]
        for fields in every:
            if own <= set(fields):
                for field in fields:
                    if field not in own and not _NO_CLAIM.search(field):
                        return field
        return ""

    def _sites(self, function: Function, compared: ast.AST, line: int) -> Iterator[tuple[ast.expr, bool]]:
        """Yield what a function hands on, keeps, returns, or compares with the time; and whether it is the last."""
        within = {id(n) for n in ast.walk(compared)}
        for node in ast.walk(function.node):
            if id(node) in within:
                continue
            after = (getattr(node, "lineno", 0) or 0) > line
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                if any(_TIME.search(ast.unparse(s)) for s in sides):
                    yield from ((s, True) for s in sides)
            elif not after:
                continue
            elif isinstance(node, ast.Return) and node.value is not None:
                called = isinstance(node.value, ast.Call) and self._acts(node.value)
                if not called and not isinstance(node.value, ast.Compare | ast.BoolOp):
                    yield node.value, False
            elif isinstance(node, ast.Assign) and not all(isinstance(t, ast.Name | ast.Tuple) for t in node.targets):
                yield node.value, False
            elif isinstance(node, ast.Call) and self._acts(node):
                if any(f.name != "__init__" for f in self._program.names.functions(node)):
                    yield node, False  # only what the function reads of it
                    continue
                given = self._program.calls.arguments(node)
                words = (v for k, v in given.keywords.items() if k not in _LOOKS)
                yield from ((g, False) for g in (*given.positional, *words, *given.more))

    def _acts(self, call: ast.Call) -> bool:
        """Return whether a call does something with what it is given, and does not only ask, write or raise."""
        method = self._program.calls.method(call)
        if method in _ASKS or COMPARES.search(method) or self._verification.keyed(call):
            return False
        if self._idle.shows(call) or self._idle.within_shown(call):
            return False
        parent = self._program.files.parent(call)
        return not isinstance(parent, ast.Raise) and not self._program.control.never_returns(call)

    def _of_object(self, function: Function, boxes: set[Way], known: set[Way]) -> str:
        """Return a field of an object that says itself whether it is genuine, and is read by somebody else."""
        own = function.parameters[:1] if function.bound else []
        if function.owner is None or not any(box == (p,) for box in boxes for p in own):
            return ""
        names = {str(k[1]) for k in known if len(k) > 1 and k[0] is own[0]}
        for field in self._fields.fields_of(function.owner):
            if field in names or _NO_CLAIM.search(field):
                continue
            for module in self._program.files.modules:
                for read in module.attributes.get(field, ()):
                    if self._program.files.class_of(read) is not function.owner and not self._idle.within_shown(read):
                        return field
        return ""

    def _by_callers(self, function: Function, covered: set[Way], marks: set[Way]) -> str:
        """Return a field that somebody believes who has a function compare the code."""
        parameters = {*function.parameters, *function.node.args.kwonlyargs}
        ways = covered | marks
        if not any(isinstance(w[0], ast.arg) and w[0] in parameters for w in ways):
            return ""
        for call in self._program.calls.callers(function)[:_CALLERS_MAX]:
            around = self._program.function_of(call)
            if around is None or around is function:
                continue
            bound = self._program.calls.bind(call, function)
            there = [self._mapped(ways_, bound) for ways_ in (covered, marks)]
            if name := self._left_out(around, call, there[0], there[1]):
                return name
        return ""

    def _mapped(self, ways: set[Way], bound: dict[ast.arg, list[ast.expr]]) -> set[Way]:
        """Return what the fields of a function's parameters are where it is called."""
        found: set[Way] = set()
        for way in ways:
            if isinstance(way[0], ast.arg):
                for value in bound.get(way[0], ()):
                    found |= self._fields.field(value, way[1:])
            else:
                found.add(way)
        return found
