"""What each name of a file may be bound to where it is read.

Inside a function the order of statements counts: a name means what was bound to it last on some way to the place where
it is read. From an inner function, and across files, a name means everything that its scope ever binds to it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from squads.gates.python.bindings import CHANGED, EACH, ENTER, MATCHED, REST, Binding, FunctionNode, Path, Scope, Store
from squads.gates.python.children import children

Env = dict[str, frozenset[Binding]]
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# A loop's body is walked twice, so that its end reaches its beginning; past this depth of loops, once.
_LOOPS_MAX = 5


class Scopes:
    """All scopes of one file. `reaching` holds local names, `free` those that a scope around must explain."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, None)
        self.of: dict[ast.AST, Scope] = {tree: self.module}
        self.reaching: dict[ast.Name, frozenset[Binding]] = {}
        self.free: dict[ast.Name, Scope] = {}
        self.by_target: dict[ast.AST, Binding] = {}
        self.attributes: dict[str, list[Binding]] = {}
        """Assignments to attributes of anything, by the attribute's name."""
        self.returns: dict[ast.AST, list[ast.expr]] = {}
        self.by_value: dict[ast.AST, list[Binding]] = {}
        """What is bound to an expression, or to a part of it."""
        self.stores: dict[ast.AST, list[tuple[Binding, Store]]] = {}
        """What an expression is stored into."""
        self.readers: dict[str, list[ast.Name]] = {}
        """Free reads of a name, by the name."""
        _Walk(self).module(tree)

    def bindings(self, name: ast.Name) -> Sequence[Binding]:
        """Return what `name` may be bound to where it stands; empty for a built-in or an unknown name."""
        found = self.reaching.get(name)
        if found is not None:
            return sorted(found, key=lambda b: getattr(b.node, "lineno", 0))
        scope = self.free.get(name)
        return scope.find(name.id) if scope else []


class _Walk:
    def __init__(self, scopes: Scopes) -> None:
        self._to = scopes
        self._scope = scopes.module
        self._waiting: list[tuple[FunctionNode, Scope, dict[str, frozenset[Binding]]]] = []
        self._loops: list[list[Env]] = []
        self._made: list[Binding] = []

    def module(self, tree: ast.Module) -> None:
        self._block(tree.body, {})
        # Functions are walked after their surroundings, in which they may run at any later time.
        while self._waiting:
            self._function(*self._waiting.pop())

    # Scopes

    def _function(self, node: FunctionNode, parent: Scope, around: Env) -> None:
        scope = self._to.of[node] = Scope(node, parent)
        self._scope, self._loops = scope, []
        env: Env = dict(around)
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for argument in [*every, *(a for a in (arguments.vararg, arguments.kwarg) if a)]:
            self._bind(argument.arg, argument, env)
        if isinstance(node, ast.Lambda):
            self._to.returns[node] = [node.body]
            self._expression(node.body, env)
            return
        self._to.returns[node] = []
        self._declare(node.body, scope)
        self._block(node.body, env)

    def _declare(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        waiting: list[ast.AST] = list(body)
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Global):
                scope.elsewhere.update(dict.fromkeys(node.names, self._to.module))
            elif isinstance(node, ast.Nonlocal) and scope.parent:
                scope.elsewhere.update(dict.fromkeys(node.names, scope.parent))
            elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case) and not isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            ):
                waiting.extend(children(node))

    def _class(self, node: ast.ClassDef, env: Env) -> None:
        before, loops = self._scope, self._loops
        self._scope, self._loops = Scope(node, before), []
        self._to.of[node] = self._scope
        self._block(node.body, {})
        self._scope, self._loops = before, loops
        self._bind(node.name, node, env)

    # Statements

    def _block(self, body: Iterable[ast.stmt], env: Env | None) -> Env | None:
        """Walk statements, and return what holds after them; None where nothing comes after them."""
        for statement in body:
            # What cannot be reached is read as if it could.
            env = self._statement(statement, {} if env is None else env)
        return env

    def _statement(self, node: ast.stmt, env: Env) -> Env | None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults], env)
                self._annotations(node.args, node.returns, env)
                self._bind(node.name, node, env)
                self._waiting.append((node, self._scope, {}))
            case ast.ClassDef():
                self._all([*node.decorator_list, *node.bases, *(k.value for k in node.keywords)], env)
                self._class(node, env)
            case ast.Return():
                self._expression(node.value, env)
                if node.value is not None and self._scope.node in self._to.returns:
                    known = self._to.returns[self._scope.node]
                    if node.value not in known:
                        known.append(node.value)
                return None
            case ast.Raise():
                self._all([node.exc, node.cause], env)
                return None
            case ast.Break() | ast.Continue():
                if self._loops:
                    self._loops[-1].append(dict(env))
                return None
            case ast.Assign():
                self._expression(node.value, env)
                for target in node.targets:
                    self._target(target, node.value, (), env)
            case ast.AnnAssign():
                self._all([node.annotation, node.value], env)
                if node.value is not None:
                    self._target(node.target, node.value, (), env)
                elif isinstance(node.target, ast.Name) and isinstance(self._scope.node, ast.ClassDef):
                    self._bind(node.target.id, node.target, env)
            case ast.AugAssign():
                self._expression(node.value, env)
                self._augmented(node, env)
            case ast.Import() | ast.ImportFrom():
                self._import(node, env)
            case ast.If():
                self._expression(node.test, env)
                return _merged(self._block(node.body, dict(env)), self._block(node.orelse, dict(env)))
            case ast.For() | ast.AsyncFor():
                self._expression(node.iter, env)
                return self._loop(node, env)
            case ast.While():
                return self._loop(node, env)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    self._expression(item.context_expr, env)
                    if item.optional_vars is not None:
                        self._target(item.optional_vars, item.context_expr, (ENTER,), env)
                return self._block(node.body, env)
            case ast.Try() | ast.TryStar():
                return self._try(node, env)
            case ast.Match():
                return self._match(node, env)
            case ast.Delete():
                self._all(node.targets, env)
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        env.pop(target.id, None)
            case _:
                self._all([c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)], env)
        return env

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, env: Env) -> Env | None:
        entry: Env | None = dict(env)
        after: Env | None = None
        for _ in range(2 if len(self._loops) < _LOOPS_MAX else 1):
            self._loops.append([])
            body: Env = dict(entry or {})
            if isinstance(node, ast.While):
                self._expression(node.test, body)
            else:
                self._target(node.target, node.iter, (EACH,), body)
            end = self._block(node.body, body)
            entry = _merged(entry, end)
            for jumped in self._loops.pop():
                entry = _merged(entry, jumped)
            after = entry
        return self._block(node.orelse, after or {})

    def _try(self, node: ast.Try | ast.TryStar, env: Env) -> Env | None:
        made = len(self._made)
        end = self._block(node.body, dict(env))
        broken: Env = dict(env)
        for binding in self._made[made:]:
            broken[binding.name] = broken.get(binding.name, frozenset()) | {binding}
        if end is not None:
            end = self._block(node.orelse, end)
        for handler in node.handlers:
            inside: Env = dict(broken)
            self._expression(handler.type, inside)
            if handler.name:
                self._bind(handler.name, handler, inside)
            end = _merged(end, self._block(handler.body, inside))
        if not node.finalbody:
            return end
        if end is None:
            self._block(node.finalbody, broken)
            return None
        return self._block(node.finalbody, end)

    def _match(self, node: ast.Match, env: Env) -> Env | None:
        self._expression(node.subject, env)
        end: Env | None = dict(env)
        for case in node.cases:
            inside: Env = dict(env)
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                    whole = part is case.pattern
                    self._bind(part.name, part, inside, value=node.subject, path=() if whole else (MATCHED,))
                elif isinstance(part, ast.expr) and not isinstance(part, ast.Constant):
                    self._expression(part, inside)
            self._expression(case.guard, inside)
            end = _merged(end, self._block(case.body, inside))
        return end

    def _import(self, node: ast.Import | ast.ImportFrom, env: Env) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                name = alias.asname or alias.name.partition(".")[0]
                self._bind(name, alias, env, imported=(alias.name if alias.asname else name, "", 0))
            elif alias.name == "*":
                star = self._bind("*", alias, {}, imported=(node.module or "", "*", node.level))
                self._scope.stars.append(star)
            else:
                found = (node.module or "", alias.name, node.level)
                self._bind(alias.asname or alias.name, alias, env, imported=found)

    # Targets

    def _target(self, target: ast.expr, value: ast.expr, path: Path, env: Env) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, target, env, value=value, path=path)
        elif isinstance(target, ast.Starred):
            self._target(target.value, value, (*path[:-1], REST), env)
        elif isinstance(target, ast.Tuple | ast.List):
            starred = next((n for n, e in enumerate(target.elts) if isinstance(e, ast.Starred)), len(target.elts))
            for number, element in enumerate(target.elts):
                step = number if number <= starred else number - len(target.elts)
                self._target(element, value, (*path, step), env)
        elif isinstance(target, ast.Attribute):
            self._expression(target.value, env)
            binding = self._to.by_target.get(target)
            if binding is None:
                binding = Binding(target.attr, target, self._scope, value, path)
                self._to.by_target[target] = binding
                self._to.by_value.setdefault(value, []).append(binding)
                self._to.attributes.setdefault(target.attr, []).append(binding)
        elif isinstance(target, ast.Subscript):
            self._all([target.value, target.slice], env)
            self._store(target.value, Store(target.slice, value, target), env)

    def _augmented(self, node: ast.AugAssign, env: Env) -> None:
        if isinstance(node.target, ast.Name):
            earlier = env.get(node.target.id, frozenset())
            binding = self._bind(node.target.id, node.target, env, value=node.value, path=(CHANGED,))
            binding.earlier |= earlier - {binding}
        else:
            self._target(node.target, node.value, (CHANGED,), env)

    def _store(self, box: ast.expr, store: Store, env: Env) -> None:
        if isinstance(box, ast.Name):
            scope = self._scope.elsewhere.get(box.id, self._scope)
            for binding in env.get(box.id) or scope.find(box.id):
                if not any(s.node is store.node for s in binding.stores):
                    binding.stores.append(store)
                    self._to.stores.setdefault(store.value, []).append((binding, store))

    def _bind(
        self,
        name: str,
        node: ast.AST,
        env: Env,
        *,
        value: ast.expr | None = None,
        path: Path = (),
        imported: tuple[str, str, int] | None = None,
    ) -> Binding:
        scope = self._scope.elsewhere.get(name, self._scope)
        binding = self._to.by_target.get(node)
        if binding is None:
            binding = Binding(name, node, scope, value, path, imported)
            self._to.by_target[node] = binding
            if value is not None:
                self._to.by_value.setdefault(value, []).append(binding)
            if name != "*":
                scope.bindings.setdefault(name, []).append(binding)
        self._made.append(binding)
        if scope is self._scope:
            env[name] = frozenset((binding,))
        return binding

    # Expressions

    def _annotations(self, arguments: ast.arguments, returns: ast.expr | None, env: Env) -> None:
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [a for a in (arguments.vararg, arguments.kwarg) if a]
        self._all([returns, *(a.annotation for a in every)], env)

    def _all(self, nodes: Iterable[ast.expr | None], env: Env) -> None:
        for node in nodes:
            self._expression(node, env)

    def _expression(self, node: ast.expr | None, env: Env) -> None:
        """Note what the names in an expression mean. Not recursive: expressions may be thousands of levels deep."""
        waiting: list[ast.AST | None] = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.Name):
                self._load(part, env)
            elif isinstance(part, ast.Lambda):
                self._all([*part.args.defaults, *part.args.kw_defaults], env)
                self._waiting.append((part, self._scope, {}))
            elif isinstance(part, _COMPREHENSIONS):
                self._comprehension(part, env)
            elif isinstance(part, ast.NamedExpr):
                # Bound at once: the parts to its right, which see it, wait below it on the stack.
                self._expression(part.value, env)
                self._target(part.target, part.value, (), env)
            elif part is not None:
                if isinstance(part, ast.Call):
                    self._method(part, env)
                inside = children(part)
                inside.reverse()
                waiting += inside

    def _method(self, call: ast.Call, env: Env) -> None:
        function = call.func
        if not isinstance(function, ast.Attribute):
            return
        if function.attr in ("append", "add", "extend", "update", "appendleft", "write") and call.args:
            self._store(function.value, Store(None, call.args[0], call, function.attr), env)
        elif function.attr in ("setdefault", "insert") and len(call.args) == 2:
            self._store(function.value, Store(call.args[0], call.args[1], call, function.attr), env)
        if function.attr == "update":
            for word in call.keywords:
                key = ast.copy_location(ast.Constant(word.arg), word) if word.arg else None
                self._store(function.value, Store(key, word.value, word, "" if key else "update"), env)

    def _comprehension(self, node: ast.AST, env: Env) -> None:
        inside: Env = dict(env)
        for generator in node.generators:  # type: ignore[attr-defined]  # all four kinds have them
            self._expression(generator.iter, inside)
            self._target(generator.target, generator.iter, (EACH,), inside)
            self._all(generator.ifs, inside)
        if isinstance(node, ast.DictComp):
            self._all([node.key, node.value], inside)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            self._expression(node.elt, inside)

    def _load(self, node: ast.Name, env: Env) -> None:
        found = env.get(node.id)
        if found is not None:
            known = self._to.reaching.get(node, frozenset())
            for binding in found - known:
                binding.loads.append(node)
            self._to.reaching[node] = known | found
        elif node not in self._to.free:
            self._to.free[node] = self._scope
            self._to.readers.setdefault(node.id, []).append(node)


def _merged(one: Env | None, other: Env | None) -> Env | None:
    if one is None or other is None:
        return other if one is None else one
    if one == other:
        return one
    merged = dict(one)
    for name, bindings in other.items():
        merged[name] = merged.get(name, frozenset()) | bindings
    return merged
