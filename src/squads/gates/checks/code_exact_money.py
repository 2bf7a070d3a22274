"""`code.exact-money`: no amount of money is computed in binary floating point.

Why it matters: 0.1 + 0.2 is not 0.3, 1.15 * 100 is 114.99999999999999, and `int` of it is 114. Each cent that is lost
is lost for somebody; the sum of a day does not match the ledger, and a comparison with what was paid fails for one
customer in a thousand.

Refused:

    def with_tax(price: float) -> float:
        return round(price * 1.19, 2)

Approved:

    def with_tax(price: Decimal) -> Decimal:
        return (price * Decimal("1.19")).quantize(CENT, ROUND_HALF_UP)

What is weighed, and how heavily:

- An amount of money (by its name, its key, what it is made of, or what is done with it: it is added to money, compared
  with it, handed over as it, shown beside a currency) that is a float by annotation, also through an alias, `float()`,
  a literal, true division, or a factor that is a float: major. So are `round` of one, a sum of them, a comparison with
  a fraction, and a `Decimal` made of a float.
- Wrapping the result in `Decimal(str(...))` or `int(...)` mends nothing: what was lost is lost before.
- Integer cents with `//` and `%`, `Decimal` of a text, ratios, percentages, rates and scores: nothing is said. Where
  a file works with `Decimal` and nothing says that a value is no `Decimal`, a division is believed.
- A float is followed to its end: through names, boxes, loops, parameters, returns and `Decimal(...)`, to other files
  of a small change. What ends in an amount that is stored, charged or returned is refused where the float is made,
  whatever the names on its way; what ends only in a share, an order, a length, a comparison, a spread or a chart is a
  note. Past a bound of steps the end is unknown, and names decide.
- A name that may be money or something else (`total`, `amount`, `cost`) is a measure where litres or seconds are added
  to it, compared with it or returned by it, where a docstring says so first, or beside a field that keeps money
  exactly. A default between nothing and one makes a `discount` or a `vat` a share.
- A division that is only shown as text: nothing is said. A float that only a chart or a metric gets: a note.
- Tests: a note.

Where it comes from: CWE-682; Python's documentation, Floating-Point Arithmetic: Issues and Limitations.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import CannotLook, check
from squads.gates.money.fate import Fate
from squads.gates.money.glance import Glance
from squads.gates.money.naming import is_fraction, is_share, name_of, told_by
from squads.gates.money.purpose import Purpose
from squads.gates.money.reading import Reading
from squads.gates.money.words import may_be_money, weight_of
from squads.gates.python import PYTHON_FILES, Module, Program, read_program

INVARIANT = Invariant(
    id="code.exact-money",
    statement="No amount of money is computed in binary floating point.",
    why="Binary floats cannot hold most amounts: cents are lost or made up, and sums do not match what was paid.",
    severity=Severity.MAJOR,
    cwe=682,
    refused="def with_tax(price: float, balance: float) -> float:\n    return balance - round(price * 1.19, 2)\n",
    approved=(
        "from decimal import ROUND_HALF_UP, Decimal\n\n\ndef with_tax(price: Decimal, balance: Decimal) -> Decimal:\n"
        '    return balance - (price * Decimal("1.19")).quantize(Decimal("0.01"), ROUND_HALF_UP)\n'
    ),
    origin="CWE-682; Python's documentation, Floating-Point Arithmetic: Issues and Limitations.",
)
_TESTS = re.compile(r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$")
_FIELDS = re.compile(
    r"(?:^|\.)(?:serializers|forms|fields|wtforms|ma|marshmallow|graphene)\.Float(?:Field)?$|^FloatField$"
)
_NUMBERS = re.compile(rb"float|\d\.|\.\d|/|round\(|json|to_numeric|fsum")
_WRAPS = frozenset(("str", "repr", "round", "abs", "min", "max"))
_TEXT_MAX = 4_000


def holds_money(file: File) -> bool:
    """Return whether a file may be about money."""
    return may_be_money(file.content)


@check(INVARIANT, files=PYTHON_FILES, holds=holds_money)
def exact_money(artifact: Artifact) -> list[Finding]:
    """Return the places where an amount of money becomes, or is, a binary float."""
    program = read_program(artifact)
    with program.lock:
        try:
            return _Look(program).findings()
        except RecursionError as error:
            raise CannotLook("the Python is nested too deeply to be read; flatten its expressions") from error


class _Look:
    """One look at one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._reading = Reading(program)
        self._purpose = Purpose(program, self._reading)
        self._fate = Fate(program, self._reading)

    def findings(self) -> list[Finding]:
        """Return one finding for each line."""
        found: dict[tuple[str, int], Finding] = {}
        texts = self._program.files.texts()
        glance = Glance(texts)
        for path, content in texts:
            numbers = _NUMBERS.search(content.lower()) is not None
            if not numbers and not glance.reckons(path, content):
                continue
            if not may_be_money(content) and not (numbers and glance.lends(path)):
                continue
            if not glance.needs_parse(path, content):
                continue
            module = self._program.files.module(path)
            for node, what in self._of_module(module):
                finding = self._finding(node, what)
                line = finding.location.line if finding.location and finding.location.line else 0
                if found.setdefault((path, line), finding).severity < finding.severity:
                    found[path, line] = finding
        return list(found.values())

    def _comes_to_nothing(self, node: ast.AST) -> bool:
        """Return whether a float of money only decides a share, an order, a length or a branch."""
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            return isinstance(target, ast.Name) and self._fate.harmless_name(target)
        return isinstance(node, ast.expr | ast.arg) and not isinstance(node, ast.Compare) and self._fate.harmless(node)

    def _of_module(self, module: Module) -> Iterator[tuple[ast.AST, str]]:
        for node, parent in module.parents.items():
            match node:
                case ast.arg() if node.annotation is not None:
                    yield from self._annotated(node, node.arg, node.annotation)
                case ast.AnnAssign():
                    yield from self._annotated(node, name_of(node.target), node.annotation)
                    if node.value is not None:
                        yield from self._bound(node, name_of(node.target), node.value)
                case ast.arguments():
                    yield from self._defaults(node)
                case ast.FunctionDef() | ast.AsyncFunctionDef() if node.returns is not None:
                    name = told_by(node.name)
                    if self._reading.says_float(node.returns) and self._reading.named_money(name, node):
                        yield node.returns, f"{node.name} returns money as a float"
                case ast.Return() if node.value is not None and self._answers_float(node, node.value):
                    yield node, "an amount of money is answered as a binary float"
                case ast.Assign():
                    for target in node.targets:
                        yield from self._bound(node, name_of(target), node.value)
                        if is_fraction(node.value) and self._reading.used_as_money(target):
                            yield node, f"{ast.unparse(target)} is used as money, and begins as a binary float"
                case ast.AugAssign():
                    yield from self._augmented(node)
                case ast.keyword() if node.arg:
                    yield from self._bound(node.value, node.arg, node.value)
                case ast.Dict():
                    for key, value in zip(node.keys, node.values, strict=True):
                        if isinstance(key, ast.Constant) and isinstance(key.value, str):
                            yield from self._bound(value, key.value, value)
                case ast.BinOp():
                    yield from self._computed(node, parent)
                case ast.Call():
                    yield from self._called(node)
                case ast.Compare():
                    yield from self._compared(node)

    def _defaults(self, node: ast.arguments) -> Iterator[tuple[ast.AST, str]]:
        positional = [*node.posonlyargs, *node.args]
        pairs = [
            *zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True),
            *zip(node.kwonlyargs, node.kw_defaults, strict=True),
        ]
        for parameter, default in pairs:
            fraction = default is not None and is_fraction(default)
            money = self._reading.named_money(parameter.arg, parameter) or self._reading.used_as_money(parameter)
            told = parameter.annotation is None and not is_share(parameter.arg)
            if fraction and money and told and not self._purpose.is_part_of_one(parameter):
                yield parameter, f"{parameter.arg} is money, and its default a binary float"

    def _annotated(self, node: ast.AST, name: str, annotation: ast.expr) -> Iterator[tuple[ast.AST, str]]:
        if not isinstance(node, ast.arg | ast.AnnAssign):
            return
        money = self._reading.named_money(name, node) or self._alias_of_money(node, annotation)
        if not (money and not self._purpose.is_beside(node, name)) and not self._reading.used_as_money(node):
            return
        if self._purpose.is_part_of_one(node):
            return
        boxes = isinstance(node, ast.arg) or not isinstance(self._program.files.parent(node), ast.ClassDef)
        if self._reading.says_float(annotation, boxes=boxes) and not (
            self._purpose.only_shown_here(node) or self._purpose.is_made_exact(node) or is_share(name)
        ):
            yield node, f"{name} is money and a float"

    def _alias_of_money(self, node: ast.AST, annotation: ast.expr) -> bool:
        return isinstance(annotation, ast.Name) and self._reading.named_money(annotation.id, node)

    def _answers_float(self, node: ast.Return, value: ast.expr) -> bool:
        """Return whether a function that is named for an amount of money answers what is certainly a float."""
        function = self._program.function_of(node)
        return (
            function is not None
            and not isinstance(value, ast.Tuple | ast.List | ast.Dict)
            and (
                (weight_of(told_by(function.name)) == 2 and self._reading.named_money(function.name, node))
                or self._purpose.says_amount(function)
            )
            and self._reading.is_float(value)
            and not self._purpose.is_ratio(value)
            and not self._purpose.is_shown(value)
        )

    def _bound(self, node: ast.AST, name: str, value: ast.expr) -> Iterator[tuple[ast.AST, str]]:
        if not name or not self._reading.named_money(name, node):
            return
        literal = is_fraction(value)
        display = isinstance(value, ast.List | ast.Tuple | ast.Dict) and self._reading.is_float(value)
        alias = isinstance(value, ast.Name) and value.id == "float" and name[:1].isupper()
        field = isinstance(value, ast.Call) and _FIELDS.search(ast.unparse(value.func))
        made = isinstance(value, ast.Call) and self._reading.is_float(value) and not self._purpose.is_ratio(value)
        if literal or display or alias or field or (made and not self._purpose.is_shown(value)):
            yield node, f"{name} is money, and {ast.unparse(value)[:40]} a binary float"

    def _augmented(self, node: ast.AugAssign) -> Iterator[tuple[ast.AST, str]]:
        if not self._reading.is_money(node.target):
            return
        if isinstance(node.op, ast.Div) and not self._reading.may_be_exact(node.target):
            yield node, f"{ast.unparse(node.target)} is money and divided into a float"
        elif self._reading.is_float(node.value) and not self._reading.is_exact(node.target):
            yield node, f"{ast.unparse(node.target)} is money, and {ast.unparse(node.value)[:40]} a float"

    def _computed(self, node: ast.BinOp, parent: ast.AST) -> Iterator[tuple[ast.AST, str]]:
        reading = self._reading
        if isinstance(node.op, ast.Mod) or self._purpose.is_shown(node):
            return
        if reading.is_exact(node.left) or reading.is_exact(node.right):
            return
        left, right = reading.is_money(node.left), reading.is_money(node.right)
        whole = not isinstance(parent, ast.BinOp) and (
            self._purpose.becomes_an_amount(node) or (reading.is_float(node) and self._fate.surely_amount(node))
        )
        if not (left or right or whole) or self._purpose.is_ratio(node):
            return
        text = ast.unparse(node)[:60]
        if isinstance(node.op, ast.Div):
            exact = reading.may_be_exact(node.left) or reading.may_be_exact(node.right)
            share = exact or reading.divides_floats(node)
            if left and not right and not share and not self._fate.shown_or_harmless(node):
                yield node, f"`{text}` divides money into a binary float"
        elif isinstance(node.op, ast.Mult | ast.Add | ast.Sub):
            other = node.right if left else node.left
            if (
                reading.is_float(other)
                or (left and right and reading.is_float(node.left))
                or (left and reading.is_float(node.left))
                or (whole and reading.is_float(node))
            ):
                yield node, f"`{text}` computes money in binary floating point"
            elif any(self._from_json(side) for side in (node.left, node.right)):
                yield node, f"`{text}` computes with an amount as JSON gives it, which is a float"

    def _from_json(self, node: ast.expr) -> bool:
        """Return whether an amount is a number out of JSON, that nothing asked to be read exactly."""
        if not isinstance(node, ast.Subscript) or self._reading.is_integer(node) or not self._reading.is_money(node):
            return False
        origins = self._program.values.origins(node.value)
        for origin in origins:
            if (
                isinstance(origin, ast.Call)
                and not any(k.arg in ("parse_float", "use_decimal", "object_hook") for k in origin.keywords)
                and any(
                    n in ("json.loads", "json.load") or n.endswith("().json")
                    for n in self._program.names.names(origin.func)
                )
            ):
                return True
        return False

    def _called(self, call: ast.Call) -> Iterator[tuple[ast.AST, str]]:
        names = self._program.names.names(call.func)
        reading = self._reading
        text = ast.unparse(call)[:60]
        first = call.args[0] if call.args else None
        if names & {"float", "numpy.float64"} and reading.is_float(call) and first and not self._purpose.is_shown(call):
            named = self._purpose.target_is_money(call)
            divided = isinstance(first, ast.BinOp) and isinstance(first.op, ast.Div) and not named
            if (reading.is_money(first) or named) and not divided and not self._purpose.is_ratio(call):
                yield call, f"`{text}` makes a binary float of money"
            elif (
                reading.is_exact(first)
                and isinstance(self._program.files.parent(call), ast.BinOp)
                and reading.speaks(self._program.files.module_of(call), 2)
                and not self._purpose.is_ratio(call)
            ):
                yield call, f"`{text}` makes a binary float of an exact number, and computes with it"
            elif self._purpose.is_told_exact(first) and reading.speaks(self._program.files.module_of(call), 2):
                yield call, f"`{text}` makes a binary float of every exact number, amounts among them"
            elif self._fate.disguised(call) or self._fate.named_amount(call):
                yield call, f"`{text}` is a binary float, and becomes money in the end"
        elif any(re.search(r"(?:^|\.)(?:Decimal|Fraction)(?:\.from_float)?$", n) for n in names) and first is not None:
            if (reading.is_float(first) or self._computed_float(first) or reading.divides_whole(first)) and (
                reading.is_money(first) or self._purpose.near_money(call) or self._fate.is_amount(call)
            ):
                yield call, f"`{text}` is as inexact as the float that it is made of"
        elif names & {"round"} and first is not None and not self._purpose.is_shown(call):
            if (reading.is_money(first) and not self._purpose.is_ratio(call) and not reading.may_be_exact(first)) and (
                not reading.is_integer(first)
            ):
                yield call, f"`{text}` rounds money as a binary float"
        elif "functools.reduce" in names and len(call.args) == 3:
            summed = first.body if isinstance(first, ast.Lambda) else call.args[1]
            if reading.is_money(summed) and reading.is_float(call.args[2]):
                yield call, f"`{text}` sums money as binary floats"
        elif any(k.arg == "dtype" and re.search(r"float", ast.unparse(k.value)) for k in call.keywords):
            if first is not None and (reading.is_money(first) or self._purpose.target_is_money(call)):
                yield call, f"`{text}` makes binary floats of money"
        elif "math.isclose" in names and any(reading.is_money(a) for a in call.args):
            yield call, f"`{text}` compares money as binary floats"
        elif names & {"sum", "math.fsum"} and first is not None:
            if (reading.is_money(first) and reading.is_float(first)) or (
                "math.fsum" in names and reading.is_money(first)
            ):
                yield call, f"`{text}` sums money as binary floats"
        elif isinstance(first, ast.Constant) and isinstance(first.value, str):
            kinds = [k.value for k in call.keywords if k.arg == "type"]
            money = reading.named_money(first.value.lstrip("-"), call)
            if money and any("float" in self._program.names.names(k) for k in kinds):
                yield call, f"{first.value} is money, and read as a float"
            elif (
                money
                and len(call.args) > 1
                and isinstance(call.args[1], ast.Constant)
                and isinstance(call.args[1].value, float)
            ):
                yield call, f"{first.value} is money, and {call.args[1].value} a binary float"

    def _computed_float(self, given: ast.expr) -> bool:
        """Return whether what a `Decimal` is made of was computed as a float: `str(round(minutes * 0.19, 2))`."""
        inner = given
        while isinstance(inner, ast.Call) and inner.args and getattr(inner.func, "id", "") in _WRAPS:
            inner = inner.args[0]
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Div) and inner is given:
            # Who makes a Decimal of a quotient did not divide Decimals.
            return not (self._reading.is_exact(inner.left) or self._reading.is_exact(inner.right))
        return inner is not given and isinstance(inner, ast.BinOp) and self._reading.is_float(inner)

    def _compared(self, node: ast.Compare) -> Iterator[tuple[ast.AST, str]]:
        for other in node.comparators:
            if (
                isinstance(other, ast.Constant) and isinstance(other.value, float) and not other.value.is_integer()
            ) and (
                self._reading.is_money(node.left)
                and not (isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Div))
                and not self._reading.is_exact(node.left)
                and not self._purpose.is_ratio(node)
            ):
                yield node, f"`{ast.unparse(node)[:60]}` compares money with a binary float"
                return

    def _finding(self, node: ast.AST, what: str) -> Finding:
        place = self._program.place(node)
        severity, message = Severity.MAJOR, what[:1].upper() + what[1:] + "."
        if _TESTS.search(place.path):
            severity, message = Severity.NOTE, f"{message} A test may do so."
        elif self._purpose.is_drawn(node):
            severity, message = Severity.NOTE, f"{message} Only a chart or a metric gets it."
        elif self._comes_to_nothing(node):
            severity, message = Severity.NOTE, f"{message} It ends in no amount."
        return Finding(
            invariant=INVARIANT.id,
            severity=severity,
            message=message[:_TEXT_MAX],
            location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
            evidence=place.text[:_TEXT_MAX],
            satisfy="Compute with `Decimal` made of texts, or with whole cents and `//`; round once, and say how.",
        )
