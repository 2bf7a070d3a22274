"""What an expression names: something of another package, as a dotted name, or a thing of the artifact.

`jwt.decode` is the string "jwt.decode", however it was imported, renamed, bound or wrapped. What a call returns is the
name with `()`: `jwt.PyJWKClient(url).get_signing_key` is "jwt.PyJWKClient().get_signing_key". A parameter with a type
is an object of that type. What cannot be followed names nothing.
"""

from __future__ import annotations

import ast
import builtins

from squads.gates.python.bindings import ENTER, Binding
from squads.gates.python.files import Files
from squads.gates.python.module import Class, Function, Instance, Module

Thing = str | Function | Class | Instance | Module
"""A name in another package, or a thing of the artifact."""

_FOLLOWED_MAX = 40
_BUILTINS = frozenset(dir(builtins))
_NOTHING: frozenset[Thing] = frozenset()

_MAKES = frozenset(("model_validate", "model_validate_json", "parse_obj", "parse_raw"))
"""Class methods of models that give an object of the class."""


class Names:
    """Answers what expressions of one program name. Answers are kept."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._known: dict[ast.AST, frozenset[Thing]] = {}
        self._families: dict[Class, list[Class]] = {}
        self._asked: list[ast.AST] = []
        self._cut_short = 0

    def things(self, node: ast.expr | None) -> frozenset[Thing]:
        """Return everything that `node` may name."""
        if node is None:
            return _NOTHING
        if node in self._known:
            return self._known[node]
        if node in self._asked or len(self._asked) >= _FOLLOWED_MAX:
            self._cut_short += 1
            return _NOTHING
        before = self._cut_short
        self._asked.append(node)
        try:
            found = self._things(node)
        finally:
            self._asked.pop()
        if not self._asked or before == self._cut_short:
            # Inside a circle an answer may lack what is still being asked; only a whole one is kept.
            self._known[node] = found
        return found

    def names(self, node: ast.expr | None) -> frozenset[str]:
        """Return the dotted names in other packages that `node` may have."""
        return frozenset(t for t in self.things(node) if isinstance(t, str))

    def functions(self, call: ast.Call) -> list[Function]:
        """Return the artifact's functions that `call` may run; for a class, its `__init__`."""
        found: list[Function] = []
        for thing in self.things(call.func):
            if isinstance(thing, Function):
                found.append(thing)
            elif isinstance(thing, Class):
                found += [t for t in self.member(thing, "__init__") if isinstance(t, Function)]
            elif isinstance(thing, Instance):
                found += [t for t in self.member(thing.made_by, "__call__") if isinstance(t, Function)]
        return sorted(found, key=lambda f: (f.module.path, f.node.lineno))

    def _things(self, node: ast.expr) -> frozenset[Thing]:
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                return self._join(self._attribute(base, node.attr) for base in self.things(node.value))
            case ast.Call():
                return self._call(node)
            case ast.Await() | ast.NamedExpr() | ast.Starred():
                return self.things(node.value)
            case ast.IfExp():
                return self.things(node.body) | self.things(node.orelse)
            case ast.BoolOp():
                return self._join(self.things(v) for v in node.values)
            case ast.Subscript():
                return self._item(node)
            case ast.Lambda():
                return frozenset((self.files.module_of(node).functions[node],))
        return _NOTHING

    @staticmethod
    def _join(parts: object) -> frozenset[Thing]:
        found: frozenset[Thing] = frozenset()
        return found.union(*parts)  # type: ignore[misc]  # an iterable of frozensets

    # Names

    def _name(self, node: ast.Name) -> frozenset[Thing]:
        module = self.files.module_of(node)
        bindings = module.bindings(node)
        if bindings:
            return self._join(self.bound(module, b) for b in bindings)
        found: set[Thing] = set()
        for star in module.scopes.module.stars:
            found |= self._from_import(module, star, node.id)
        if node.id in _BUILTINS:
            found = {t for t in found if not isinstance(t, str)} or {node.id}
        return frozenset(found)

    def bound(self, module: Module, binding: Binding) -> frozenset[Thing]:
        """Return what a binding names."""
        node = binding.node
        if binding.imported:
            return self._from_import(module, binding, binding.imported[1])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return frozenset((module.functions[node],))
        if isinstance(node, ast.ClassDef):
            return frozenset((module.classes[node],))
        if isinstance(node, ast.arg):
            return self._parameter(module, node)
        if binding.value is not None and binding.path in ((), (ENTER,)):
            return self.things(binding.value)
        annotated = module.parents.get(node)
        if isinstance(annotated, ast.AnnAssign):
            return self.instances(annotated.annotation)
        return _NOTHING

    def _from_import(self, module: Module, binding: Binding, attribute: str) -> frozenset[Thing]:
        assert binding.imported is not None
        name, _, dots = binding.imported
        homes: list[Module] = self.files.imported(module, name, dots)
        found: set[Thing] = set()
        for home in homes:
            found |= self._member_of_module(home, attribute) if attribute else {home}
        if attribute:
            found |= set(self.files.imported(module, f"{name}.{attribute}" if name else attribute, dots))
        if not found or (not dots and "." not in name):
            # A file beside the importing one may be called as a package is: then both are meant.
            prefix = "." * dots + name
            found.add((f"{prefix}.{attribute}" if name else f"{prefix}{attribute}") if attribute else prefix)
        return frozenset(found)

    def _member_of_module(self, module: Module, attribute: str) -> set[Thing]:
        found: set[Thing] = set()
        for binding in module.scopes.module.bindings.get(attribute, ()):
            if binding.node in self._asked:
                self._cut_short += 1
                continue
            self._asked.append(binding.node)
            found |= self.bound(module, binding) if len(self._asked) < _FOLLOWED_MAX else _NOTHING
            self._asked.pop()
        if not found:
            for star in module.scopes.module.stars:
                if star.node not in self._asked and len(self._asked) < _FOLLOWED_MAX:
                    self._asked.append(star.node)
                    found |= self._from_import(module, star, attribute)
                    self._asked.pop()
        return found

    def _parameter(self, module: Module, node: ast.arg) -> frozenset[Thing]:
        function = next((f for f in self._around(module, node)), None)
        if function is None:
            return _NOTHING
        if function.owner is not None and function.bound and function.parameters[:1] == [node]:
            assert not isinstance(function.node, ast.Lambda)
            of_class = any(isinstance(d, ast.Name) and d.id == "classmethod" for d in function.node.decorator_list)
            return frozenset((function.owner if of_class else Instance(function.owner),))
        return self.instances(node.annotation) | self.things(default_of(function, node))

    def _around(self, module: Module, node: ast.AST) -> list[Function]:
        parent = module.parents.get(node)
        while parent is not None and parent not in module.functions:
            parent = module.parents.get(parent)
        return [module.functions[parent]] if parent is not None else []

    def instances(self, annotation: ast.expr | None) -> frozenset[Thing]:
        """Return what an object of an annotated type names."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            return _NOTHING
        if isinstance(annotation, ast.Subscript):
            inner = annotation.slice
            wrapper = annotation.value.attr if isinstance(annotation.value, ast.Attribute) else annotation.value
            name = wrapper.id if isinstance(wrapper, ast.Name) else wrapper
            if name in ("Optional", "Annotated", "Final", "ClassVar", "Awaitable"):
                return self.instances(inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner)
            return _NOTHING
        if isinstance(annotation, ast.BinOp):
            return self.instances(annotation.left) | self.instances(annotation.right)
        return frozenset(
            f"{t}()" if isinstance(t, str) else Instance(t)
            for t in self.things(annotation)
            if isinstance(t, str | Class)
        )

    # Attributes and calls

    def _attribute(self, base: Thing, name: str) -> frozenset[Thing]:
        if isinstance(base, str):
            return frozenset((f"{base}.{name}",))
        if isinstance(base, Module):
            found = self._member_of_module(base, name)
            if not found and base.path.endswith("__init__.py"):
                found |= set(self.files.imported(base, name, 1))
            return frozenset(found)
        if isinstance(base, Class):
            return self.member(base, name)
        if isinstance(base, Instance):
            found_by = self._join(
                self.bound(c.module, b) for c, b in self.stored(base.made_by, name) if b.node not in self._asked
            )
            return found_by | self.member(base.made_by, name)
        return _NOTHING

    def member(self, owner: Class, name: str) -> frozenset[Thing]:
        """Return what `name` is in a class or the first of its bases that has it."""
        for home in self.family(owner):
            if name in home.methods:
                return frozenset((home.methods[name],))
            if name in home.scope.bindings:
                return self._join(self.bound(home.module, b) for b in home.scope.bindings[name])
        bases = [n for home in self.family(owner) for base in home.node.bases for n in self.names(base)]
        return frozenset(f"{n}().{name}" for n in bases)

    def stored(self, owner: Class, name: str) -> list[tuple[Class, Binding]]:
        """Return the assignments to `self.name` in the methods of a class and its bases."""
        found = []
        for home in self.family(owner):
            for binding in home.module.scopes.attributes.get(name, ()):
                target = binding.node
                assert isinstance(target, ast.Attribute)
                if isinstance(target.value, ast.Name) and self.files.class_of(target) is home:
                    found.append((home, binding))
        return found

    def attribute_bindings(self, node: ast.Attribute) -> list[Binding]:
        """Return what gives an attribute of an object, class or module of the artifact its value."""
        found: list[Binding] = []
        for base in self.things(node.value):
            if isinstance(base, Instance):
                found += [b for _, b in self.stored(base.made_by, node.attr)]
            if isinstance(base, Instance | Class):
                for home in self.family(base.made_by if isinstance(base, Instance) else base):
                    found += home.scope.bindings.get(node.attr, [])
            elif isinstance(base, Module):
                found += base.scopes.module.bindings.get(node.attr, [])
        return found

    def family(self, owner: Class) -> list[Class]:
        """Return a class and its bases within the artifact, the class first."""
        if owner in self._families:
            return [*self._families[owner]]
        found = [owner]
        for home in found:
            for base in home.node.bases:
                found += [t for t in self.things(base) if isinstance(t, Class) and t not in found]
            if len(found) > _FOLLOWED_MAX:
                break
        if not self._asked:  # inside a circle a base may be missing
            self._families[owner] = [*found]
        return found

    def _call(self, node: ast.Call) -> frozenset[Thing]:
        found: set[Thing] = set()
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            found |= self._held(node.func.value, node.args[0])
        if isinstance(node.func, ast.Attribute) and node.func.attr in _MAKES:
            found |= {Instance(t) for t in self.things(node.func.value) if isinstance(t, Class)}
        for thing in self.things(node.func):
            if isinstance(thing, Class):
                found.add(Instance(thing))
            elif isinstance(thing, Function):
                found |= self._join(self.things(r) for r in thing.returns)
                if not isinstance(thing.node, ast.Lambda):
                    found |= self.instances(thing.node.returns)
            elif thing in ("functools.partial", "staticmethod", "classmethod") and node.args:
                found |= self.things(node.args[0])
            elif thing == "getattr" and len(node.args) >= 2 and isinstance(node.args[1], ast.Constant):
                found |= self._join(self._attribute(b, str(node.args[1].value)) for b in self.things(node.args[0]))
            elif thing in ("importlib.import_module", "__import__") and node.args:
                if isinstance(node.args[0], ast.Constant):
                    found.add(str(node.args[0].value))
            elif isinstance(thing, str):
                found.add(f"{thing}()")
        return frozenset(found)

    def _item(self, node: ast.Subscript) -> frozenset[Thing]:
        found = {f"{base}[]" for base in self.things(node.value) if isinstance(base, str)}
        return frozenset(found) | self._held(node.value, node.slice)

    def _held(self, display: ast.expr, asked: ast.expr) -> frozenset[Thing]:
        """Return what a dict that is written out holds under a key; under one that is not known here, all of it."""
        found: set[Thing] = set()
        if isinstance(display, ast.Name | ast.Attribute):
            module = self.files.module_of(display)
            bindings = module.bindings(display) if isinstance(display, ast.Name) else self.attribute_bindings(display)
            display = bindings[0].value if len(bindings) == 1 and bindings[0].value else display
        if isinstance(display, ast.Dict):
            key = asked.value if isinstance(asked, ast.Constant) else None
            for written, value in zip(display.keys, display.values, strict=True):
                if key is None or (isinstance(written, ast.Constant) and written.value == key):
                    found |= self.things(value)
        return frozenset(found)


def default_of(function: Function, parameter: ast.arg) -> ast.expr | None:
    """Return the default of a parameter, None without one."""
    arguments = function.node.args
    positional = function.parameters
    if parameter in positional:
        missing = len(positional) - len(arguments.defaults)
        number = positional.index(parameter)
        return arguments.defaults[number - missing] if number >= missing else None
    if parameter in arguments.kwonlyargs:
        return arguments.kw_defaults[arguments.kwonlyargs.index(parameter)]
    return None
