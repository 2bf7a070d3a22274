"""What has happened, and what is known, whenever a place in a function is reached.

Only what happens on every way counts: a check inside `if settings.strict:` has not happened after that `if`, one in a
`try` whose handler goes on has not happened after it, and what stands in a string or a comment never happens.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from squads.gates.python.bindings import Binding
from squads.gates.python.files import Files
from squads.gates.python.module import Function
from squads.gates.python.names import Names


@dataclass(frozen=True, slots=True)
class Done:
    """An expression that was evaluated, and did not raise."""

    node: ast.AST


@dataclass(frozen=True, slots=True)
class Fact:
    """An expression that was found to be true or false."""

    node: ast.expr
    truth: bool


@dataclass(frozen=True, slots=True)
class Either:
    """One of several histories: branches that meet again."""

    ways: tuple[tuple[Event, ...], ...]


Event = Done | Fact | Either

_FOLLOWED_MAX = 6
_NEVER_RETURN = frozenset(
    (
        "sys.exit",
        "os._exit",
        "exit",
        "quit",
        "os.abort",
        "flask.abort",
        "werkzeug.exceptions.abort",
        "bottle.abort",
        "sanic.exceptions.abort",
        "quart.abort",
        "falcon.abort",
        "aiohttp.web.abort",
        "pytest.fail",
        "pytest.skip",
        "typing.assert_never",
    )
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)


def holds(events: Sequence[Event], sought: Callable[[Done | Fact], bool]) -> bool:
    """Return whether `sought` is true of some event on every way."""
    for event in events:
        if isinstance(event, Either):
            if event.ways and all(holds(way, sought) for way in event.ways):
                return True
        elif sought(event):
            return True
    return False


class Control:
    """Answers about the order of events in one program's functions."""

    def __init__(self, files: Files, names: Names) -> None:
        self.files = files
        self.names = names
        self._asked: list[object] = []
        self._exits: dict[Function, bool] = {}

    # Before a place

    def before(self, node: ast.AST) -> list[Event]:
        """Return what has happened in the function around `node` whenever `node` is about to be evaluated."""
        events: list[Event] = []
        child, parent = node, self.files.parent(node)
        while parent is not None and not isinstance(child, _SCOPES):
            events += self._inside(child, parent)
            if isinstance(child, ast.stmt):
                for sibling in self._earlier(child, parent):
                    events += self._after(sibling)
            child, parent = parent, self.files.parent(parent)
        return events

    def completed(self, function: Function) -> list[Event]:
        """Return what has happened once a function has come to its end without a `return`."""
        body = function.node.body
        return self._block(body) if isinstance(body, list) else []

    def exits(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether nothing comes after these statements: they return, raise, jump or stop the process."""
        return any(self._leaves(s) for s in body)

    def never_returns(self, call: ast.Call) -> bool:
        """Return whether what is called always raises or stops the process."""
        if self.names.names(call.func) & _NEVER_RETURN:
            return True
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("abort", "abort_with_status"):
            return True  # a gRPC context's `abort` raises, a web framework's too
        functions = self.names.functions(call)
        return bool(functions) and all(self._always_raises(f) for f in functions)

    def facts(self, fact: Fact) -> Iterator[Fact]:
        """Yield what follows from a condition: the parts of `and`, `or`, `not`, and comparisons with constants."""
        waiting = [fact]
        while waiting:
            fact = waiting.pop()
            node, truth = fact.node, fact.truth
            yield fact
            if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) is truth:
                waiting += [Fact(v, truth) for v in node.values]
            elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
                waiting.append(Fact(node.operand, not truth))
            elif isinstance(node, ast.NamedExpr | ast.Await):
                waiting.append(Fact(node.value, truth))
            elif isinstance(node, ast.Call) and len(node.args) == 1 and "bool" in self.names.names(node.func):
                waiting.append(Fact(node.args[0], truth))
            elif isinstance(node, ast.Compare) and len(node.ops) == 1:
                right = node.comparators[0]
                same = isinstance(node.ops[0], ast.Is | ast.Eq)
                if (same or isinstance(node.ops[0], ast.IsNot | ast.NotEq)) and isinstance(right, ast.Constant):
                    if right.value is True:
                        waiting.append(Fact(node.left, truth is same))
                    elif (right.value is False or right.value is None) and truth is not same:
                        waiting.append(Fact(node.left, True))

    def _inside(self, child: ast.AST, parent: ast.AST) -> list[Event]:
        """Return what is known of `child` from where it stands in `parent`."""
        match parent:
            case ast.If() | ast.While() if child in parent.body:
                return [*self.evaluated(parent.test), *self._told(Fact(parent.test, True))]
            case ast.If() | ast.While() if child in parent.orelse:
                return [*self.evaluated(parent.test), *self._told(Fact(parent.test, False))]
            case ast.For() | ast.AsyncFor() if isinstance(child, ast.stmt):
                return self.evaluated(parent.iter)
            case ast.With() | ast.AsyncWith() if isinstance(child, ast.stmt):
                return [e for item in parent.items for e in self.evaluated(item.context_expr)]
            case ast.Try() | ast.TryStar() if child in parent.orelse:
                return self._block(parent.body)
            case ast.IfExp() if child is not parent.test:
                return [*self.evaluated(parent.test), *self._told(Fact(parent.test, child is parent.body))]
            case ast.BoolOp():
                number = next(n for n, v in enumerate(parent.values) if v is child)
                truth = isinstance(parent.op, ast.And)
                return [e for v in parent.values[:number] for e in (*self.evaluated(v), *self._told(Fact(v, truth)))]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp() if child not in parent.generators:
                return [e for g in parent.generators for i in g.ifs for e in self._told(Fact(i, True))]
            case ast.match_case() if isinstance(child, ast.stmt) and parent.guard is not None:
                return self._told(Fact(parent.guard, True))
        return []

    def _earlier(self, statement: ast.stmt, parent: ast.AST) -> list[ast.stmt]:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, None)
            if isinstance(block, list) and statement in block:
                return block[: block.index(statement)]
        return []

    # After a statement

    def _after(self, node: ast.stmt) -> list[Event]:
        """Return what has happened once `node` is over and the next statement begins."""
        match node:
            case ast.If():
                ways = [
                    (*self._told(Fact(node.test, truth)), *self._block(body))
                    for truth, body in ((True, node.body), (False, node.orelse))
                    if not self.exits(body)
                ]
                return [*self.evaluated(node.test), *self._either(ways)]
            case ast.Try() | ast.TryStar():
                ways = [] if self.exits([*node.body, *node.orelse]) else [self._tried(node)]
                ways += [tuple(self._block(h.body)) for h in node.handlers if not self.exits(h.body)]
                return [*self._either(ways), *self._block(node.finalbody)]
            case ast.With() | ast.AsyncWith():
                opened = [e for item in node.items for e in self.evaluated(item.context_expr)]
                swallows = any("contextlib.suppress()" in self.names.names(i.context_expr) for i in node.items)
                return opened if swallows else [*opened, *self._block(node.body)]
            case ast.For() | ast.AsyncFor():
                return [*self.evaluated(node.iter), *self._broken(node)]
            case ast.While():
                return [*self.evaluated(node.test), *self._broken(node)]
            case ast.Match():
                last = node.cases[-1]
                whole = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
                ways = [tuple(self._block(c.body)) for c in node.cases if not self.exits(c.body)]
                return [*self.evaluated(node.subject), *(self._either(ways) if whole else ())]
            case ast.Assert():
                return [*self.evaluated(node.test), *self._told(Fact(node.test, True))]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return []
        return [e for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr) for e in self.evaluated(c)]

    def _tried(self, node: ast.Try | ast.TryStar) -> tuple[Event, ...]:
        return (*self._block(node.body), *self._block(node.orelse))

    def _broken(self, node: ast.For | ast.AsyncFor | ast.While) -> list[Event]:
        """Return what is known after a loop that is only left by `break`."""
        endless = isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and bool(node.test.value)
        if not endless and not (node.orelse and self.exits(node.orelse)):
            return []
        breaks = [s for s in _statements(node.body) if isinstance(s, ast.Break)]
        return self._either([tuple(self.before(b)) for b in breaks]) if len(breaks) <= _FOLLOWED_MAX else []

    def _block(self, body: Sequence[ast.stmt]) -> list[Event]:
        return [e for s in body for e in self._after(s)]

    @staticmethod
    def _either(ways: Sequence[tuple[Event, ...]]) -> list[Event]:
        if len(ways) == 1:
            return list(ways[0])
        return [Either(tuple(ways))] if ways else []

    def evaluated(self, node: ast.expr) -> list[Event]:
        """Return the parts of an expression that are evaluated whenever it is."""
        found: list[Event] = []
        waiting: list[ast.AST] = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.Call | ast.Await | ast.Subscript | ast.NamedExpr):
                found.append(Done(part))
            if isinstance(part, ast.BoolOp):
                waiting.append(part.values[0])
            elif isinstance(part, ast.IfExp):
                waiting.append(part.test)
            elif isinstance(part, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
                waiting.append(part.generators[0].iter)
            elif not isinstance(part, ast.Lambda):
                waiting.extend(ast.iter_child_nodes(part))
        return found

    # Facts

    def _told(self, fact: Fact) -> list[Event]:
        """Return a fact, what follows from it, and what must have happened for its names to be so."""
        found: list[Event] = []
        for part in self.facts(fact):
            found.append(part)
            if isinstance(part.node, ast.Name) and part.truth:
                found += self._bound(part.node)
        return found

    def _bound(self, name: ast.Name) -> list[Event]:
        """Return what happened if a name is true: one of its bindings that is not false or None was made."""
        if name in self._asked or len(self._asked) >= _FOLLOWED_MAX:
            return []
        self._asked.append(name)
        try:
            ways = []
            for binding in self.files.module_of(name).bindings(name):
                if isinstance(binding.value, ast.Constant) and not binding.value.value and not binding.path:
                    continue
                ways.append(tuple(self._made(binding)))
            return self._either(ways)
        finally:
            self._asked.pop()

    def _made(self, binding: Binding) -> list[Event]:
        if binding.value is None or self.files.function_of(binding.node) is None:
            return []
        events = [*self.evaluated(binding.value), *self.before(binding.value)]
        if not binding.path and not isinstance(binding.value, ast.Constant):
            events += self._told(Fact(binding.value, True))
        return events

    # Leaving

    def _leaves(self, node: ast.stmt) -> bool:
        match node:
            case ast.Return() | ast.Raise() | ast.Continue() | ast.Break():
                return True
            case ast.Expr() | ast.Assign():
                value = node.value.value if isinstance(node.value, ast.Await) else node.value
                return isinstance(value, ast.Call) and self.never_returns(value)
            case ast.If():
                return self.exits(node.body) and self.exits(node.orelse)
            case ast.With() | ast.AsyncWith():
                return self.exits(node.body)
            case ast.Try() | ast.TryStar():
                ends = self.exits([*node.body, *node.orelse]) and all(self.exits(h.body) for h in node.handlers)
                return ends or self.exits(node.finalbody)
            case ast.While():
                endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
                return endless and not any(isinstance(s, ast.Break) for s in _statements(node.body))
            case ast.Match():
                last = node.cases[-1]
                whole = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
                return whole and all(self.exits(c.body) for c in node.cases)
        return False

    def _always_raises(self, function: Function) -> bool:
        if function in self._exits:
            return self._exits[function]
        self._exits[function] = False  # what calls itself is taken to return
        if not isinstance(function.node, ast.Lambda):
            returns = any(isinstance(s, ast.Return) for s in _statements(function.node.body))
            self._exits[function] = not returns and self.exits(function.node.body)
        return self._exits[function]


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield all statements in a block, those of inner functions left out."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case) and not isinstance(node, _SCOPES):
            waiting.extend(
                c for c in ast.iter_child_nodes(node) if isinstance(c, ast.stmt | ast.excepthandler | ast.match_case)
            )
