"""What becomes of a number: an amount, or only a share, an order, a length, a comparison, a chart.

What a float does to money matters where it reaches an amount that is stored, charged, returned or shown. So a value is
followed forwards: through arithmetic, names, boxes, loops, parameters and returns, until something says what it is for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.money.naming import DRAWN, SHOWN, WATCHES, is_share, name_of, told_by
from squads.gates.money.reading import Reading
from squads.gates.money.words import weight_of
from squads.gates.python import Class, Program
from squads.gates.words import word_set

AMOUNT, PERHAPS = "amount", "perhaps"
SHARE, ORDER, DRAWN_ONLY, LENGTH, COMPARED = "share", "order", "drawn", "length", "compared"
TEXT, ELSE, MADE_EXACT, PRODUCT = "text", "else", "made exact", "product"
_HARMLESS = frozenset((SHARE, ORDER, DRAWN_ONLY, LENGTH, COMPARED))
_STEPS_MAX = 90
_CALLERS_MAX = 6
_FILES_MAX = 60
"""Of how many files a program may be for its calls to be looked for: each that calls has to be parsed."""
_KEEPS = word_set(
    "round abs int float Decimal str repr min max sum fsum ceil floor trunc sorted list tuple set reversed next iter "
    "copy quantize normalize to_integral_value items values get pop map zip enumerate reduce accumulate mean median"
)
_WHOLE = frozenset(("int", "ceil", "floor", "trunc", "round"))
_ADDS = frozenset(("append", "add", "insert", "extend", "appendleft", "put"))
_PRINTS = frozenset(("format", "print", "echo", "write", "currency", "format_currency", "format_decimal", "secho"))
_PICTURES = frozenset(("x", "y", "width", "height", "angle", "opacity", "color", "colour", "left", "top"))
Step = str | ast.AST


class Fate:
    """Answers what becomes of the numbers of one program."""

    def __init__(self, program: Program, reading: Reading) -> None:
        self._program = program
        self._reading = reading
        self._known: dict[ast.AST, frozenset[str]] = {}

    def harmless(self, node: ast.AST) -> bool:
        """Return whether a number certainly ends in nothing that is an amount."""
        ends = self.ends(node) - {MADE_EXACT, PRODUCT}
        return bool(ends) and ends <= _HARMLESS

    def harmless_name(self, target: ast.Name) -> bool:
        """Return whether all that is read of a name certainly ends in nothing that is an amount."""
        loads = self._loads(target)
        return bool(loads) and all(self.harmless(load) for load in loads)

    def is_amount(self, node: ast.AST) -> bool:
        """Return whether a number becomes an amount: one that is named or typed so, or a multiple of one."""
        ends = self.ends(node) if self._speaks(node) else frozenset[str]()
        return bool(ends & {AMOUNT, PERHAPS}) or (PRODUCT in ends and bool(ends & {ELSE, TEXT}))

    def shown_or_harmless(self, node: ast.AST) -> bool:
        """Return whether a number only becomes a text for people, or nothing that is an amount."""
        ends = self.ends(node) - {MADE_EXACT, PRODUCT}
        return bool(ends) and ends <= _HARMLESS | {TEXT}

    def surely_amount(self, node: ast.AST) -> bool:
        """Return whether a number certainly becomes an amount, and nothing else is known of it."""
        return self._speaks(node) and AMOUNT in self.ends(node) and SHARE not in self.ends(node)

    def named_amount(self, node: ast.AST) -> bool:
        """Return whether a number becomes what is named an amount, and no share."""
        return self._speaks(node) and bool(self.ends(node) & {AMOUNT, PERHAPS}) and SHARE not in self.ends(node)

    def disguised(self, node: ast.AST) -> bool:
        """Return whether a number becomes an amount by way of `Decimal(...)`, which mends nothing of it."""
        ends = self.ends(node) if self._speaks(node) else frozenset[str]()
        return MADE_EXACT in ends and bool(ends & {AMOUNT, PERHAPS})

    def ends(self, node: ast.AST) -> frozenset[str]:
        """Return everything that becomes of a number; `ELSE` stands for what cannot be followed."""
        if node not in self._known:
            found: set[str] = set()
            waiting: list[ast.AST] = list(self._loads(node)) if isinstance(node, ast.arg) else [node]
            seen: set[ast.AST] = set()
            while waiting:
                one = waiting.pop()
                if one in seen:
                    continue
                seen.add(one)
                if len(seen) > _STEPS_MAX:
                    found.add(ELSE)
                    break
                for step in self._steps(one):
                    if isinstance(step, str):
                        found.add(step)
                    else:
                        waiting.append(step)
            self._known[node] = frozenset(found)
        return self._known[node]

    def _loads(self, target: ast.AST) -> list[ast.AST]:
        """Return where a name, a field or a parameter is read after it was given a value."""
        module = self._program.files.module_of(target)
        if isinstance(target, ast.Attribute):
            return [a for a in module.attributes.get(target.attr, ()) if a is not target]
        binding = module.scopes.by_target.get(target)
        return list(module.loads(binding)) if binding is not None else []

    def _speaks(self, node: ast.AST) -> bool:
        """Return whether exact numbers are money where `node` stands."""
        module = self._program.files.module_of(node)
        return self._reading.speaks(module, 1) or self._reading.speaks(module, 2)

    def _steps(self, node: ast.AST) -> Iterator[Step]:
        """Yield where a value goes next, or what it has become."""
        parent = self._program.files.parent(node)
        match parent:
            case ast.BinOp():
                yield from self._computed(node, parent)
            case ast.Compare():
                others = [o for o in (parent.left, *parent.comparators) if o is not node]
                yield ELSE if any(self._reading.is_money(o) for o in others) else COMPARED
            case ast.IfExp():
                yield COMPARED if node is parent.test else parent
            case ast.If() | ast.While() | ast.Assert():
                yield COMPARED
            case ast.NamedExpr():
                yield from self._given(parent.target)
                yield parent
            case ast.Attribute():
                around = self._program.files.parent(parent)
                called = isinstance(around, ast.Call) and around.func is parent
                yield from self._method(parent, around) if called and isinstance(around, ast.Call) else (ELSE,)
            case ast.Call():
                yield from self._handed(node, parent, "")
            case ast.keyword():
                call = self._program.files.parent(parent)
                if parent.arg == "key":
                    yield ORDER
                else:
                    yield from self._handed(node, call, parent.arg or "") if isinstance(call, ast.Call) else (ELSE,)
            case ast.Lambda():
                yield parent
            case ast.comprehension():
                yield from (COMPARED,) if node in parent.ifs else self._unpacked(parent.target, node)
            case ast.For() | ast.AsyncFor():
                yield from self._unpacked(parent.target, node)
            case ast.DictComp():
                yield parent if node is parent.value else ELSE
            case ast.Subscript():
                yield LENGTH if node is parent.slice else parent
            case ast.Slice():
                yield LENGTH
            case ast.Dict():
                key = next((k for k, v in zip(parent.keys, parent.values, strict=True) if v is node), None)
                yield from self._named(str(key.value), node) if isinstance(key, ast.Constant) else (parent,)
            case ast.Assign():
                for target in parent.targets:
                    yield from self._given(target)
            case ast.AnnAssign():
                if re.search(r"\bDecimal\b", ast.unparse(parent.annotation)) and self._speaks(parent):
                    yield AMOUNT
                yield from self._given(parent.target)
            case ast.AugAssign():
                yield from self._given(parent.target)
            case ast.Return() | ast.Yield():
                yield from self._returned(node)
            case ast.FormattedValue():
                yield from self._written(parent)
            case ast.Tuple() if isinstance(self._program.files.parent(parent), ast.Return | ast.Yield):
                yield ELSE  # the function is called for one of several
            case ast.Expr() | None:
                return
            case ast.expr():
                yield parent
            case _:
                yield ELSE

    def _computed(self, node: ast.AST, parent: ast.BinOp) -> Iterator[Step]:
        other = parent.right if node is parent.left else parent.left
        if isinstance(other, ast.Constant | ast.JoinedStr) and isinstance(getattr(other, "value", ""), str):
            yield LENGTH if isinstance(parent.op, ast.Mult) else TEXT
        elif isinstance(parent.op, ast.Pow) and node is parent.left and self._reading.is_money(node):
            yield LENGTH  # the square of an amount is a spread, and none
        elif isinstance(parent.op, ast.Div | ast.FloorDiv):
            # Money over money is a share, and so is anything over money; what money is divided by makes an amount.
            if self._reading.divides_floats(parent):
                yield SHARE
            elif node is parent.right:
                if self._reading.is_money(other) and not self._reading.is_money(node):
                    yield PRODUCT
                yield SHARE if self._reading.is_money(node) else parent
            else:
                yield SHARE if self._reading.is_money(other) or is_share(name_of(other)) else parent
        elif (isinstance(parent.op, ast.Mult) and self._reading.is_money(other)) or (
            isinstance(parent.op, ast.Add | ast.Sub)
            and self._reading.is_money(other)
            and not isinstance(other, ast.Constant)
        ):
            yield PRODUCT
            yield parent
        else:
            yield parent

    def _method(self, attribute: ast.Attribute, call: ast.Call) -> Iterator[Step]:
        if attribute.attr == "quantize":
            cents = ast.unparse(call.args[0]) if call.args else ""
            if re.search(r"(?i)cent|0\.01|penn|rappen", cents) and self._speaks(call):
                yield AMOUNT
        yield call if attribute.attr in _KEEPS else ELSE

    def _handed(self, node: ast.AST, call: ast.Call, keyword: str) -> Iterator[Step]:
        """Yield what becomes of an argument."""
        written = ast.unparse(call.func)
        name = written.rsplit(".", 1)[-1].rsplit("]", 1)[-1]
        if DRAWN.search(written) or any(WATCHES.search(n) for n in self._program.names.names(call.func)):
            yield DRAWN_ONLY
        elif name in ("min", "max") and any(_is_one(a) for a in call.args):
            yield SHARE
        elif name in _KEEPS:
            if name == "Decimal":
                yield MADE_EXACT
            yield LENGTH if name in _WHOLE and self._counts(node, call) else call
        elif name == "range":
            yield LENGTH
        elif name in _PRINTS:
            yield TEXT
        elif name in _ADDS and isinstance(call.func, ast.Attribute):
            box = call.func.value
            if self._reading.is_money(box):
                yield AMOUNT
            elif isinstance(box, ast.Name):
                module = self._program.files.module_of(box)
                yield from (n for b in module.bindings(box) for n in module.loads(b) if n is not box)
            else:
                yield ELSE
        else:
            yield from self._taken(node, call, keyword)

    def _counts(self, node: ast.AST, call: ast.Call) -> bool:
        """Return whether a call makes a whole number of things, which are counted and priced later."""
        if len(call.args) > 1 or (isinstance(node, ast.expr) and self._reading.is_money(node)):
            return False
        parent = self._program.files.parent(call)
        if isinstance(parent, ast.Return):
            return self._answers_count(node, parent)
        if isinstance(parent, ast.BinOp):
            return isinstance(parent.op, ast.Mult | ast.Div | ast.FloorDiv)
        if isinstance(parent, ast.GeneratorExp | ast.ListComp):
            return True
        target = parent.targets[0] if isinstance(parent, ast.Assign) else None
        return isinstance(target, ast.Name) and not self._reading.is_money(target)

    def _answers_count(self, node: ast.AST, answer: ast.Return) -> bool:
        """Return whether a function answers a whole number that its name does not say is money, and no hundredths."""
        function = self._program.function_of(answer)
        if function is None or isinstance(function.node, ast.Lambda) or function.node.returns is None:
            return False
        whole = ast.unparse(function.node.returns) == "int" and not self._reading.named_money(
            told_by(function.name), function.node
        )
        return whole and not any(isinstance(n, ast.Constant) and n.value in (100, 1000) for n in ast.walk(node))

    def _taken(self, node: ast.AST, call: ast.Call, keyword: str) -> Iterator[Step]:
        """Yield what becomes of an argument of a function or a class of the artifact, or of elsewhere."""
        names = self._program.names
        for function in names.functions(call)[:3]:
            for parameter, values in self._program.calls.bind(call, function).items():
                if node in values:
                    yield from self._named(parameter.arg, parameter, sink=False)
                    yield from self._loads(parameter)
                    return
        for thing in names.things(call.func):
            if isinstance(thing, Class) and not keyword and node in call.args:
                fields = [f.target.id for f in _fields(thing.node) if isinstance(f.target, ast.Name)]
                at = call.args.index(node) if isinstance(node, ast.expr) else len(fields)
                keyword = fields[at] if at < len(fields) else ""
        yield from self._named(keyword, node) if keyword else (ELSE,)

    def _named(self, name: str, node: ast.AST, *, sink: bool = True) -> Iterator[Step]:
        """Yield what a name says of the value that it takes."""
        if weight_of(name) == 2 and self._reading.named_money(name, node):
            yield AMOUNT
        elif is_share(name, surely=True) or name.lower() in _PICTURES or "micro" in name.lower():
            yield SHARE  # and what is counted in millionths is the use of something, billed elsewhere
        elif self._reading.named_money(name, node):
            yield PERHAPS
        elif sink:
            yield ELSE

    def _given(self, target: ast.expr) -> Iterator[Step]:
        """Yield what becomes of what a target is given."""
        match target:
            case ast.Name() | ast.Attribute() | ast.Subscript(slice=ast.Constant(value=str())):
                name = name_of(target)
                if not isinstance(target, ast.Name) and self._reading.used_as_money(target) and not is_share(name):
                    yield AMOUNT  # of a local name, what is read of it tells
                said = list(self._named(name, target))
                loads = self._loads(target) if not isinstance(target, ast.Subscript) else []
                if said != [ELSE]:
                    yield from said
                if said == [SHARE]:
                    loads = [product for load in loads for product in self._product(load)]
                yield from loads or ((ELSE,) if said == [ELSE] else ())
            case ast.Subscript():
                yield from self._given_item(target)
            case _:
                yield ELSE

    def _product(self, load: ast.AST) -> list[ast.AST]:
        """Return the amount that a rate makes of money; a rate that is only compared or shown stays one."""
        around = self._program.files.parent(load)
        while isinstance(around, ast.BinOp):
            if isinstance(around.op, ast.Mult) and self._reading.is_money(around):
                return [around]
            around = self._program.files.parent(around)
        return []

    def _given_item(self, target: ast.Subscript) -> Iterator[Step]:
        box = target.value
        name = name_of(box)
        if name and self._reading.named_money(name, box):
            yield AMOUNT
        elif name and is_share(name):
            yield SHARE
        elif isinstance(box, ast.Name):
            module = self._program.files.module_of(box)
            loads = [n for b in module.bindings(box) for n in module.loads(b) if n is not box]
            yield from [n for n in loads if not isinstance(getattr(module.parents.get(n), "ctx", None), ast.Store)]
        else:
            yield ELSE

    def _unpacked(self, target: ast.expr, iterated: ast.AST) -> Iterator[Step]:
        """Yield the names that a loop gives the elements of a box; of pairs the second is the value."""
        last = target.elts[-1] if isinstance(target, ast.Tuple | ast.List) and target.elts else target
        yield from self._given(last)

    def _returned(self, node: ast.AST) -> Iterator[Step]:
        function = self._program.function_of(node)
        if function is None or isinstance(function.node, ast.Lambda):
            yield ELSE
            return
        name = function.name
        told = ast.unparse(function.node.returns) if function.node.returns is not None else ""
        if is_share(name, surely=True) and not (isinstance(node, ast.expr) and self._reading.is_money(node)):
            yield SHARE
        elif DRAWN.search(name):
            yield DRAWN_ONLY
        elif SHOWN.search(name):
            yield TEXT
        elif self._reading.named_money(told_by(name), function.node):
            yield AMOUNT if weight_of(told_by(name)) == 2 else PERHAPS
        elif re.search(r"\b(?:Decimal|Money)\b", told) and self._speaks(node):
            yield AMOUNT
        elif told == "bool":
            yield COMPARED
        else:
            few = len(self._program.files.texts()) <= _FILES_MAX
            calls = self._program.calls.callers(function)[:_CALLERS_MAX] if few else []
            yield from calls or (ELSE,)

    def _written(self, part: ast.FormattedValue) -> Iterator[Step]:
        """Yield what a value is in a text: a share where it is followed by a sign of per cent."""
        spec = ast.unparse(part.format_spec) if part.format_spec is not None else ""
        around = self._program.files.parent(part)
        after = ""
        if isinstance(around, ast.JoinedStr):
            at = around.values.index(part) + 1
            follows = around.values[at] if at < len(around.values) else None
            after = str(follows.value) if isinstance(follows, ast.Constant) else ""
        yield SHARE if re.search(r"%['\"]?$", spec) or re.match(r"\s*(?:%|per ?cent|percent|Prozent)", after) else TEXT


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (1, 1.0) and not isinstance(node.value, bool)


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [f for f in node.body if isinstance(f, ast.AnnAssign)]
