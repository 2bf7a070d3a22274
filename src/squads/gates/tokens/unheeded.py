"""Verifications whose failure changes nothing: the way goes on as if the signature were right.

What verifies is found by what it does, and then it is asked where a failure leads: to a line in the log, to an
exception that is caught and forgotten, past the check where the sender left the signature out, or nowhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from squads.gates.python import Fact, Function, Module, Program, Unknown, holds
from squads.gates.tokens.comparing import Comparing, Vain
from squads.gates.tokens.idle import Idle
from squads.gates.tokens.libraries import Libraries
from squads.gates.tokens.overrides import run_by
from squads.gates.tokens.switches import by_default
from squads.gates.tokens.verification import Verification

_DEPTH_MAX = 3
_CRYPTO = re.compile(rb"\b(cryptography|Crypto|Cryptodome|nacl|ecdsa|rsa|jwcrypto)\b")
_CODED = re.compile(r"\b(HMAC|CMAC|Poly1305|hmac)\b.*\)\.verify$")
"""An object that was fed with what is signed, and is only handed the code."""
_CATCHES = re.compile(
    r"(^|\.)(Base)?Exception$|Signature|Verif|JWT|JWS|JOSE|Jose|Token|Invalid|BadData|Crypto|ValueError|Refused|Denied"
    r"|Forbidden|Unauthori[sz]ed|Permission|Reject|Untrusted|Forged|Tamper|(^|\.)\w*(Error|Exception)$"
)
_MARKS = re.compile(r"sig|mac|seal|siegel|digest|hash|mark|check|code|proof|stamp|tag", re.IGNORECASE)

_FAILS, _HOLDS, _WITHOUT = 0, 1, 2


class Unheeded:
    """Answers for one program."""

    def __init__(
        self, program: Program, libraries: Libraries, verification: Verification, comparing: Comparing
    ) -> None:
        self._program = program
        self._libraries = libraries
        self._verification = verification
        self._comparing = comparing
        self._idle = Idle(program)
        self._primitives: dict[Function, bool] = {}

    def vain(self, module: Module) -> Iterator[Vain]:
        """Yield the verifications of a module, and the calls of its functions, whose failure changes nothing."""
        nodes: list[ast.expr] = [n for n in ast.walk(module.tree) if isinstance(n, ast.Compare | ast.Call)]
        nodes += self.elsewhere(module)
        for node in nodes:
            if self._tells(node):
                why = self._unheeded(node) or self._left_out(node) or self._excused(node)
            elif isinstance(node, ast.Call) and self._raises(node):
                why = self._swallowed(node) or self._left_out(node)
            elif isinstance(node, ast.Call) and self._only_answered(node):
                why = "nobody looks at what it says"
            else:
                continue
            if why:
                yield Vain(node, why)

    def elsewhere(self, module: Module) -> list[ast.Call]:
        """Return the calls, in other files, of functions that verify, and of those that only wrap them."""
        found: list[ast.Call] = []
        waiting = [(f, 0) for f in module.functions.values() if self._verifies_within(f, 0)]
        seen: set[Function] = set()
        while waiting:
            function, depth = waiting.pop()
            if function in seen:
                continue
            seen.add(function)
            for call in self._program.calls.callers(function):
                found += [call] if self._program.files.module_of(call) is not module else []
                around = self._program.function_of(call)
                if around is not None and depth < _DEPTH_MAX:
                    waiting.append((around, depth + 1))
        return list(dict.fromkeys(found))

    # What verifies

    def _tells(self, node: ast.expr, depth: int = 0) -> bool:
        """Return whether an expression is true or false according to a signature."""
        if any(self._comparing.decides(node, sides) for sides in self._comparing.sides(node)):
            return True
        if not isinstance(node, ast.Call) or depth > _DEPTH_MAX:
            return False
        functions = run_by(self._program, node)
        return bool(functions) and all(
            self._verifies_within(f, depth) and f.returns and all(self._answers(r) for r in f.returns)
            for f in functions
        )

    def _answers(self, value: ast.expr) -> bool:
        """Return whether what a function returns is an answer, and no data."""
        if isinstance(value, ast.Constant):
            return isinstance(value.value, bool) or value.value is None
        if isinstance(value, ast.Call):
            return self._program.calls.method(value) in ("bool", "any", "all") or self._tells(value, _DEPTH_MAX)
        if isinstance(value, ast.Name):
            bound = [b.value for b in self._program.values.bindings(value) if b.value is not None]
            return bool(bound) and all(not isinstance(b, ast.Name) and self._answers(b) for b in bound)
        if isinstance(value, ast.BoolOp):
            return any(self._answers(v) for v in value.values)
        return isinstance(value, ast.Compare) or (isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not))

    def _raises(self, call: ast.Call) -> bool:
        """Return whether a call raises where a signature is wrong."""
        if not self._asks(call):
            functions = self._program.names.functions(call)
            if not functions or not all(self._verifies_within(f, 0) for f in functions):
                return False
        given = self._program.calls.arguments(call).every
        roots = frozenset(r for g in given for r in self._verification.roots(g))
        return self._verification.raises(call, roots)

    def _only_answered(self, call: ast.Call) -> bool:
        """Return whether nobody looks at what a function says that does nothing but verify, and tells by its answer."""
        if not isinstance(self._program.files.parent(call), ast.Expr):
            return False
        functions = run_by(self._program, call)
        return bool(functions) and all(
            isinstance(f.node, ast.FunctionDef) and f.returns and self._verifies_within(f, 0) and self._checks_only(f)
            for f in functions
        )

    def _checks_only(self, function: Function) -> bool:
        """Return whether a function changes nothing and raises nothing, so that all it does is to answer."""
        for node in ast.walk(function.node):
            if isinstance(node, ast.Raise | ast.Assert | ast.Yield | ast.Delete):
                return False
            if isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
                return False
            if isinstance(node, ast.Expr) and not self._idle.idle([node]):
                return False
            if isinstance(node, ast.Call) and (self._asks(node) or self._program.control.never_returns(node)):
                return False
        return True

    def _asks(self, call: ast.Call) -> bool:
        """Return whether a call asks the key of a library whether a signature is right."""
        reading = self._libraries.reading(call)
        if reading is not None:
            return reading.style == "checks" and isinstance(self._program.files.parent(call), ast.Expr)
        if self._program.calls.method(call) != "verify" or self._program.names.functions(call):
            return False
        made = [o for g in call.args for o in self._program.values.origins(g) if isinstance(o, ast.Call)]
        if any(self._program.calls.method(m) == "sign" for m in made):
            return False  # who signs looks at their own signature
        coded = any(_CODED.search(n) for n in self._program.names.names(call.func))
        several = len(self._program.calls.arguments(call).every) > 1 or coded
        return several and bool(_CRYPTO.search(self._program.files.module_of(call).source.text.encode()))

    def _verifies_within(self, function: Function, depth: int) -> bool:
        """Return whether a signature is verified somewhere in a function, or in one that it calls."""
        if function not in self._primitives and depth <= _DEPTH_MAX:
            self._primitives[function] = False
            for node in ast.walk(function.node):
                if not isinstance(node, ast.Compare | ast.Call):
                    continue
                found = any(self._comparing.decides(node, s) for s in self._comparing.sides(node))
                if isinstance(node, ast.Call) and not found:
                    reading = self._libraries.reading(node)
                    found = self._asks(node) or (reading is not None and reading.style == "checks")
                    inner = [] if found else self._program.names.functions(node)
                    found = found or any(self._verifies_within(f, depth + 1) for f in inner)
                if found:
                    self._primitives[function] = True
                    break
        return self._primitives.get(function, False)

    # Where a failure leads

    def _unheeded(self, node: ast.expr, again: bool = False) -> str:
        """Return why nobody heeds an answer; empty where somebody may."""
        parent = self._program.files.parent(node)
        top: ast.AST = node
        while isinstance(parent, ast.UnaryOp | ast.Await | ast.NamedExpr | ast.BoolOp):
            if isinstance(parent, ast.NamedExpr):
                return ""
            top, parent = parent, self._program.files.parent(parent)
        match parent:
            case ast.Expr():
                return "" if isinstance(top, ast.BoolOp) else "nobody looks at what it says"
            case ast.If() if parent.test is top:
                return self._goes_on(parent, node)
            case ast.Call() if again and node in parent.args and self._idle.shows(parent):
                return "its answer is only logged"
            case ast.keyword() | ast.FormattedValue() if again and self._idle.within_shown(parent):
                return "its answer is only logged"
            case ast.Assign() | ast.AnnAssign() if not again:
                return self._kept(parent, node)
        return ""

    def _kept(self, statement: ast.Assign | ast.AnnAssign, node: ast.expr) -> str:
        """Return why nobody heeds an answer that is kept under a name."""
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        if not isinstance(target, ast.Name) or statement.value is None or self._program.function_of(node) is None:
            return ""
        module = self._program.files.module_of(node)
        bindings = [b for b in module.scopes.by_value.get(statement.value, ()) if b.node is target]
        if not bindings or any(len(module.bindings(load)) > 1 for b in bindings for load in module.loads(b)):
            return ""
        whys = [self._unheeded(load, again=True) for b in bindings for load in module.loads(b)]
        if not whys:
            return "nobody looks at what it says"
        return whys[0] if all(whys) else ""

    def _goes_on(self, branch: ast.If, node: ast.expr) -> str:
        """Return why an `if` does not stop who has no right signature."""
        fails, right = (self._outcome(branch.test, node, case) for case in (_FAILS, _HOLDS))
        if fails is None or right is None or fails == right:
            return ""
        blocks = {True: branch.body, False: branch.orelse}
        if self._idle.idle(blocks[fails]) and self._idle.idle(blocks[right]):
            return "where it is wrong, that is only noted, and the way goes on"
        last = blocks[fails][-1] if blocks[fails] else None
        if isinstance(last, ast.Raise) and self._idle.idle(blocks[right]) and self._caught(last, branch):
            return "what it raises where it is wrong is caught, and the way goes on"
        without = self._outcome(branch.test, node, _WITHOUT)
        absent = without is not None and without == right
        if absent and not self._demanded(branch, node) and not self._program.control.exits(blocks[right]):
            return "it is only asked for where there is one: without a signature, or a key, the way goes on"
        return ""

    def _outcome(self, test: ast.expr, node: ast.expr, case: int) -> bool | None:
        """Return what a condition is where the signature is wrong, right, or left out; None where that is not known."""
        if test is node:
            wrong = isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.NotEq | ast.NotIn)
            return (case == _HOLDS) != wrong
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self._outcome(test.operand, node, case)
            return None if inner is None else not inner
        if isinstance(test, ast.Await):
            return self._outcome(test.value, node, case)
        if isinstance(test, ast.BoolOp):
            decisive = isinstance(test.op, ast.Or)
            found = [self._outcome(v, node, case) for v in test.values]
            if decisive in found:
                return decisive
            # What else is asked is taken to leave it to the signature.
            return not decisive if (not decisive) in found else None
        there = self._presence(test, node)
        if there is None:
            return None
        return there == (case != _WITHOUT)

    def _presence(self, test: ast.expr, node: ast.expr) -> bool | None:
        """Return the truth of `test` where there is a signature and a key; None where it asks for neither."""
        asked, truth = test, True
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.comparators[0], ast.Constant):
            if not isinstance(test.ops[0], ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
                return None
            if test.comparators[0].value not in (None, "", b""):
                return None
            asked, truth = test.left, isinstance(test.ops[0], ast.IsNot | ast.NotEq)
        if self._is_mark(asked, node) or self._is_key(asked, node):
            return truth
        default = by_default(self._program, asked)
        off = isinstance(asked, ast.Name | ast.Attribute) and not isinstance(default, Unknown) and not default
        return truth if off else None

    def _is_mark(self, asked: ast.expr, node: ast.expr) -> bool:
        """Return whether `asked` is the signature that the sender gives, and not what is signed."""
        text = ast.unparse(asked)
        for side in self._marks(node):
            inner = {ast.unparse(n) for n in ast.walk(side) if isinstance(n, ast.expr)}
            if text in inner and not isinstance(asked, ast.Constant):
                return True
        return False

    def _is_key(self, asked: ast.expr, node: ast.expr) -> bool:
        """Return whether `asked` is the key of somebody who was looked up, and who may have none."""
        root = asked
        while isinstance(root, ast.Attribute | ast.Subscript):
            root = root.value
        if root is asked or not isinstance(root, ast.Name) or root.id in ("self", "cls"):
            return False
        bound = [b.value for b in self._program.values.bindings(root)]
        if not bound or not all(isinstance(b, ast.Call) and self._program.function_of(b) is not None for b in bound):
            return False
        reading = self._libraries.reading(node) if isinstance(node, ast.Call) else None
        keys = [reading.key] if reading is not None and reading.key is not None else []
        keys += [
            c.args[0] for c in ast.walk(node) if isinstance(c, ast.Call) and self._verification.keyed(c) and c.args
        ]
        text = ast.unparse(asked)
        return any(text in {ast.unparse(p) for p in ast.walk(k) if isinstance(p, ast.expr)} for k in keys)

    def _marks(self, node: ast.expr) -> Iterator[ast.expr]:
        """Yield the sides, or arguments, that hold the sender's signature."""
        for sides in self._comparing.sides(node):
            yield from (s for s in sides if not self._comparing.computed(s))
        if isinstance(node, ast.Call) and not any(True for _ in self._comparing.sides(node)):
            given = self._program.calls.arguments(node)
            if self._program.calls.method(node) == "verify" and not self._program.names.functions(node):
                yield from given.positional[:1]
                yield from (v for k, v in given.keywords.items() if _MARKS.search(k))
                return
            yield from (g for g in given.every if _MARKS.search(ast.unparse(g)) and len(given.every) > 1)

    def _demanded(self, place: ast.AST, node: ast.expr) -> bool:
        """Return whether there must be a signature here: one that is left out was refused before."""
        events = self._program.control.before(place)

        def there(event: object) -> bool:
            if not isinstance(event, Fact):
                return False
            told = self._presence(event.node, node)
            return told is not None and told == event.truth

        return holds(events, there)

    def _left_out(self, node: ast.expr) -> str:
        """Return that a verification stands under `if signature:`, and without one the way goes on."""
        child: ast.AST = node
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(parent, ast.If) and child in parent.body:
                told = self._outcome(parent.test, node, _WITHOUT)
                there = self._outcome(parent.test, node, _FAILS)
                meets = not self._program.control.exits(parent.body) and not self._program.control.exits(parent.orelse)
                empty = self._idle.idle(parent.orelse) and self._only_checks(parent.body)
                if told is False and there is True and meets and empty and not self._demanded(parent, node):
                    return "it is only asked for where there is one: without a signature, or a key, the way goes on"
            child, parent = parent, self._program.files.parent(parent)
        return ""

    def _excused(self, node: ast.expr) -> str:
        """Return that a function says yes, or returns as if all were well, where the signature is left out."""
        function = self._program.function_of(node)
        if function is None or isinstance(function.node, ast.Lambda):
            return ""
        last = function.node.body[-1]
        raising = not function.returns and isinstance(last, ast.If) and node in ast.walk(last)
        for given in (n for n in ast.walk(function.node) if isinstance(n, ast.Return) and n.lineno < node.lineno):
            branch = self._program.files.parent(given)
            if not isinstance(branch, ast.If):
                continue
            yes = isinstance(given.value, ast.Constant) and given.value.value is True
            taken = given in branch.body
            without, there = (self._outcome(branch.test, node, case) for case in (_WITHOUT, _HOLDS))
            if (yes or (raising and given.value is None)) and without is taken and there is (not taken):
                return "without a signature, it is passed over"
        return ""

    def _only_checks(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether a block leaves nothing behind that somebody reads after it."""
        return not any(
            isinstance(n, ast.Assign | ast.AnnAssign) and self._idle.read_after(n, body[-1])
            for s in body
            for n in ast.walk(s)
        )

    def _swallowed(self, call: ast.Call) -> str:
        """Return that the exception of a verification is caught, and the way goes on as if there were none."""
        child: ast.AST = call
        parent = self._program.files.parent(call)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(parent, ast.Try) and child in parent.body:
                rest = parent.body[parent.body.index(child) + 1 :]
                idle = self._idle.idle([*rest, *parent.orelse]) and isinstance(child, ast.Expr)
                if idle and any(self._catches(h) and self._idle.idle(h.body) for h in parent.handlers):
                    return "its exception is caught, and the way goes on"
            elif isinstance(parent, ast.With) and child in parent.body:
                called = [i.context_expr for i in parent.items if isinstance(i.context_expr, ast.Call)]
                last = parent.body[-1] is child
                if last and any("contextlib.suppress" in self._program.names.names(c.func) for c in called):
                    return "its exception is suppressed, and the way goes on"
            child, parent = parent, self._program.files.parent(parent)
        return ""

    def _caught(self, raised: ast.Raise, branch: ast.If) -> bool:
        """Return whether an exception that is raised here is caught by who only notes it."""
        kind = raised.exc.func if isinstance(raised.exc, ast.Call) else raised.exc
        name = ast.unparse(kind).rpartition(".")[2] if kind is not None else ""
        child: ast.AST = branch
        parent = self._program.files.parent(branch)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if isinstance(parent, ast.Try) and child in parent.body:
                rest = parent.body[parent.body.index(child) + 1 :]
                for handler in parent.handlers:
                    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                    known = {ast.unparse(k).rpartition(".")[2] if k is not None else "Exception" for k in kinds}
                    if known & {name, "Exception", "BaseException"}:
                        return self._idle.idle(handler.body) and self._idle.idle([*rest, *parent.orelse])
            child, parent = parent, self._program.files.parent(parent)
        return False

    @staticmethod
    def _catches(handler: ast.ExceptHandler) -> bool:
        if handler.type is None:
            return True
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(_CATCHES.search(ast.unparse(k)) for k in kinds)
