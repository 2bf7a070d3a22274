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

- An amount of money (by its name, its key, its annotation, or what it is made of) that is a float by annotation,
  `float()`, a literal, true division, or a factor that is a float: major. So are `round` of one, a sum of them, a
  comparison with a fraction, and a `Decimal` made of a float.
- Wrapping the result in `Decimal(str(...))` or `int(...)` mends nothing: what was lost is lost before.
- Integer cents with `//` and `%`, `Decimal` of a text, ratios, percentages, rates and scores: nothing is said. Where
  a file works with `Decimal` and nothing says that a value is no `Decimal`, a division is believed.
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
from squads.gates.money.reading import Reading
from squads.gates.money.words import weight_of
from squads.gates.python import PYTHON_FILES, Module, Program, read_program
from squads.gates.secrets.words import words_of

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
_INTEREST = re.compile(
    rb"(?i)pric|amount|total|balance|\bfee|_fee|tax|\bvat|cents|refund|payout|salar|invoice|payment|discount|money|subtotal|"
    rb"\bcost|wage|cash|currency|euro|dollar|tariff|donat|pledge|\btips?\b|\bbills?\b|\bloan|\brent|\bowed|earn(?:ed|ing)|\bdue\b|_due\b"
)
_TESTS = re.compile(r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$")
_SHOWN = re.compile(
    r"(?i)^(?:format|display|render|humani[sz]e|print|pretty|as_text|to_text|describe|label|show)|_(?:text|label|display|str)$"
)
_SHARES = (
    "rate", "ratio", "percent", "pct", "share", "score", "weight", "margin", "growth", "fraction", "change", "index",
    "progress", "factor", "probab", "utili", "usage", "normal", "relative", "rank", "priority", "similar", "feature",
    "occupancy", "density", "average_rating",
)  # fmt: skip
_DRAWN = re.compile(
    r"(?i)plot|chart|metric|gauge|histogram|observe|statsd|figure|axis|axes|draw|telemetry|dashboard|graph|increment"
)
_TEXT_MAX = 4_000


def holds_money(file: File) -> bool:
    """Return whether a file may be about money."""
    return bool(_INTEREST.search(file.content))


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

    def findings(self) -> list[Finding]:
        """Return one finding for each line."""
        found: dict[tuple[str, int], Finding] = {}
        for path, content in self._program.files.texts():
            if not _INTEREST.search(content) or not re.search(rb"float|\d\.\d|/|round\(|json", content):
                continue
            module = self._program.files.module(path)
            for node, what in self._of_module(module):
                finding = self._finding(node, what)
                line = finding.location.line if finding.location and finding.location.line else 0
                found.setdefault((path, line), finding)
        return list(found.values())

    def _of_module(self, module: Module) -> Iterator[tuple[ast.AST, str]]:
        for node, parent in module.parents.items():
            match node:
                case ast.arg() if node.annotation is not None:
                    yield from self._annotated(node, node.arg, node.annotation)
                case ast.AnnAssign():
                    yield from self._annotated(node, _name(node.target), node.annotation)
                    if node.value is not None:
                        yield from self._bound(node, _name(node.target), node.value)
                case ast.FunctionDef() | ast.AsyncFunctionDef() if node.returns is not None:
                    name = re.sub(r"^_*(?:get|calculate|compute|calc|sum|fetch|load)_", "", node.name)
                    if ast.unparse(node.returns) == "float" and self._reading.named_money(name, node):
                        yield node.returns, f"{node.name} returns money as a float"
                case ast.Return() if node.value is not None and self._answers_float(node, node.value):
                    yield node, "an amount of money is answered as a binary float"
                case ast.Assign():
                    for target in node.targets:
                        yield from self._bound(node, _name(target), node.value)
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

    def _annotated(self, node: ast.AST, name: str, annotation: ast.expr) -> Iterator[tuple[ast.AST, str]]:
        if (re.fullmatch(r"(?:Optional\[)?float(?:\])?(?: \| None)?", ast.unparse(annotation).strip("'\""))) and (
            self._reading.named_money(name, node) and not self._only_shown_here(node) and not self._made_exact(node)
        ):
            yield node, f"{name} is money and a float"

    def _answers_float(self, node: ast.Return, value: ast.expr) -> bool:
        """Return whether a function that is named for an amount of money answers what is certainly a float."""
        function = self._program.function_of(node)
        return (
            function is not None
            and not isinstance(value, ast.Tuple | ast.List | ast.Dict)
            and weight_of(re.sub(r"^_*(?:get|calculate|compute|calc|sum)_", "", function.name)) == 2
            and self._reading.named_money(function.name, node)
            and self._reading.is_float(value)
            and not self._is_ratio(value)
            and not self._is_shown(value)
        )

    def _made_exact(self, node: ast.AST) -> bool:
        """Return whether all that becomes of a parameter is `Decimal(str(it))`: a border where floats end."""
        module = self._program.files.module_of(node)
        binding = module.scopes.by_target.get(node) if isinstance(node, ast.arg) else None
        loads = module.loads(binding) if binding else []
        return bool(loads) and all(
            re.fullmatch(
                rf"(?:\w+\.)?Decimal\((?:str|repr)\({re.escape(load.id)}\)\)",
                ast.unparse(module.parents.get(module.parents.get(load, load), load)),
            )
            for load in loads
        )

    def _bound(self, node: ast.AST, name: str, value: ast.expr) -> Iterator[tuple[ast.AST, str]]:
        if not name or not self._reading.named_money(name, node):
            return
        literal = isinstance(value, ast.Constant) and isinstance(value.value, float)
        if literal or (isinstance(value, ast.List | ast.Tuple | ast.Dict) and self._reading.is_float(value)):
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
        if isinstance(node.op, ast.Mod) or self._is_shown(node):
            return
        if reading.is_exact(node.left) or reading.is_exact(node.right):
            return
        left, right = reading.is_money(node.left), reading.is_money(node.right)
        if not (left or right) or self._is_ratio(node):
            return
        text = ast.unparse(node)[:60]
        if isinstance(node.op, ast.Div):
            if left and not right and not reading.may_be_exact(node.left) and not reading.may_be_exact(node.right):
                yield node, f"`{text}` divides money into a binary float"
        elif isinstance(node.op, ast.Mult | ast.Add | ast.Sub):
            other = node.right if left else node.left
            if (
                reading.is_float(other)
                or (left and right and reading.is_float(node.left))
                or (left and reading.is_float(node.left))
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
        if names & {"float", "numpy.float64"} and first is not None and not self._is_shown(call):
            if (reading.is_money(first) or self._target_is_money(call)) and not self._is_ratio(call):
                yield call, f"`{text}` makes a binary float of money"
        elif any(re.search(r"(?:^|\.)Decimal$", n) for n in names) and first is not None:
            if reading.is_float(first) and (
                reading.is_money(first) or self._target_is_money(call) or self._near_money(call)
            ):
                yield call, f"`{text}` is as inexact as the float that it is made of"
        elif names & {"round"} and first is not None and not self._is_shown(call):
            if (reading.is_money(first) and not self._is_ratio(call) and not reading.may_be_exact(first)) and (
                not reading.is_integer(first)
            ):
                yield call, f"`{text}` rounds money as a binary float"
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

    def _compared(self, node: ast.Compare) -> Iterator[tuple[ast.AST, str]]:
        for other in node.comparators:
            if (
                isinstance(other, ast.Constant) and isinstance(other.value, float) and not other.value.is_integer()
            ) and (
                self._reading.is_money(node.left) and not self._reading.is_exact(node.left) and not self._is_ratio(node)
            ):
                yield node, f"`{ast.unparse(node)[:60]}` compares money with a binary float"
                return

    # What a value is for

    def _target(self, node: ast.AST) -> str:
        """Return the name that takes what an expression makes; empty where it is more than one step away."""
        child, parent = node, self._program.files.parent(node)
        while isinstance(parent, ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Call) and child is not getattr(
            parent, "func", None
        ):
            child, parent = parent, self._program.files.parent(parent)
        match parent:
            case ast.Assign():
                return _name(parent.targets[0])
            case ast.AnnAssign() | ast.AugAssign():
                return _name(parent.target)
            case ast.keyword():
                return parent.arg or ""
            case ast.Return():
                around = self._program.function_of(parent)
                return around.name if around else ""
            case ast.Dict():
                for key, value in zip(parent.keys, parent.values, strict=True):
                    if value is child and isinstance(key, ast.Constant):
                        return str(key.value)
        return ""

    def _target_is_money(self, node: ast.AST) -> bool:
        name = self._target(node)
        return bool(name) and self._reading.named_money(name, node)

    def _near_money(self, node: ast.AST) -> bool:
        parent = self._program.files.parent(node)
        return isinstance(parent, ast.BinOp) and (
            self._reading.is_money(parent.left) or self._reading.is_money(parent.right)
        )

    def _is_ratio(self, node: ast.expr) -> bool:
        """Return whether what is computed is a share, a rate or a score, and no amount."""
        target = self._target(node)
        return bool(target) and weight_of(target) == 0 and any(word.startswith(_SHARES) for word in words_of(target))

    def _is_shown(self, node: ast.expr) -> bool:
        """Return whether a value only becomes a text for people, here or through one name."""
        around = self._program.function_of(node)
        if around is not None and _SHOWN.search(around.name):
            return True
        if self._in_text(node):
            return True
        parent = self._program.files.parent(node)
        if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name):
            module = self._program.files.module_of(node)
            binding = module.scopes.by_target.get(parent.targets[0])
            loads = module.loads(binding) if binding else []
            return bool(loads) and all(self._in_text(load) for load in loads)
        return False

    def _in_text(self, node: ast.AST) -> bool:
        child, parent = node, self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.FormattedValue):
                return True
            if (
                isinstance(parent, ast.BinOp)
                and isinstance(parent.op, ast.Mod)
                and isinstance(parent.left, ast.Constant)
            ):
                return child is not parent.left and isinstance(parent.left.value, str)
            if isinstance(parent, ast.Call):
                name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
                if (
                    name in ("format", "format_currency", "print", "currency", "format_decimal")
                    and child is not parent.func
                ):
                    return True
                if name not in ("round", "abs", "float"):
                    return False
            child, parent = parent, self._program.files.parent(parent)
        return False

    def _only_shown_here(self, node: ast.AST) -> bool:
        around = self._program.function_of(node)
        return around is not None and (bool(_SHOWN.search(around.name)) or bool(_DRAWN.search(around.name)))

    def _is_drawn(self, node: ast.AST) -> bool:
        around = self._program.function_of(node)
        if around is not None and _DRAWN.search(around.name):
            return True
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            if isinstance(parent, ast.Call) and _DRAWN.search(ast.unparse(parent.func)):
                return True
            parent = self._program.files.parent(parent)
        return False

    def _finding(self, node: ast.AST, what: str) -> Finding:
        place = self._program.place(node)
        severity, message = Severity.MAJOR, what[:1].upper() + what[1:] + "."
        if _TESTS.search(place.path):
            severity, message = Severity.NOTE, f"{message} A test may do so."
        elif self._is_drawn(node):
            severity, message = Severity.NOTE, f"{message} Only a chart or a metric gets it."
        return Finding(
            invariant=INVARIANT.id,
            severity=severity,
            message=message[:_TEXT_MAX],
            location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
            evidence=place.text[:_TEXT_MAX],
            satisfy="Compute with `Decimal` made of texts, or with whole cents and `//`; round once, and say how.",
        )


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
    return ""
