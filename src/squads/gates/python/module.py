"""One Python module: its file, its scopes, its functions and classes, and which node stands inside which."""

from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass, field
from functools import cached_property

from squads.gates.place import Place
from squads.gates.python.bindings import Binding, FunctionNode, Scope
from squads.gates.python.children import children
from squads.gates.python.scopes import Scopes
from squads.gates.python.source import Source, Written

_NOTED = frozenset((ast.Call, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Attribute))


@dataclass(eq=False, slots=True)
class Function:
    """A function, method or lambda of the artifact."""

    node: FunctionNode
    module: Module
    owner: Class | None = None
    """The class in whose body it stands."""

    @property
    def name(self) -> str:
        """Its name; `<lambda>` without one."""
        return "<lambda>" if isinstance(self.node, ast.Lambda) else self.node.name

    @property
    def parameters(self) -> list[ast.arg]:
        """Those that a position may fill, in order, `self` included."""
        return [*self.node.args.posonlyargs, *self.node.args.args]

    @property
    def returns(self) -> list[ast.expr]:
        """Every expression it may return."""
        return self.module.scopes.returns.get(self.node, [])

    @property
    def bound(self) -> bool:
        """Whether its first parameter is filled by the object or class it is called on."""
        if self.owner is None or isinstance(self.node, ast.Lambda):
            return False
        return not any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in self.node.decorator_list)

    def __repr__(self) -> str:
        return f"<function {self.name} of {self.module.path}>"


@dataclass(eq=False, slots=True)
class Class:
    """A class of the artifact."""

    node: ast.ClassDef
    module: Module
    methods: dict[str, Function] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """What its body binds."""
        return self.module.scopes.of[self.node]

    def __repr__(self) -> str:
        return f"<class {self.node.name} of {self.module.path}>"


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the artifact."""

    made_by: Class


class Module:
    """A parsed file with everything that can be said of it alone."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.path = source.path
        self.tree = source.tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.calls: list[ast.Call] = []
        self.functions: dict[ast.AST, Function] = {}
        self.classes: dict[ast.AST, Class] = {}
        self.attributes: dict[str, list[ast.Attribute]] = {}
        """Attributes that are read, by their name."""
        self._index()

    def __repr__(self) -> str:
        return f"<module {self.path}>"

    @cached_property
    def scopes(self) -> Scopes:
        """The names of the file."""
        return Scopes(self.tree)

    @property
    def folder(self) -> str:
        """The folder of the file, from the artifact's top; empty at the top."""
        return posixpath.dirname(self.path)

    def place(self, node: ast.AST) -> Place:
        """Return where `node`, or what stands around it, was written."""
        found: ast.AST | None = node
        while found is not None and not hasattr(found, "lineno"):
            found = self.parents.get(found)
        if found is None:
            return Place(path=self.path, line=1, column=1, end_line=1, text="")
        written: Written = found  # type: ignore[assignment]  # it has a line, so it has all four
        return self.source.place(written)

    def bindings(self, name: ast.Name) -> list[Binding]:
        """Return what `name` may be bound to where it stands."""
        return list(self.scopes.bindings(name))

    def loads(self, binding: Binding) -> list[ast.Name]:
        """Return where in this file `binding` may be read."""
        free = [n for n in self.scopes.readers.get(binding.name, ()) if binding in self.scopes.bindings(n)]
        return [*binding.loads, *free]

    def _index(self) -> None:
        owners: dict[ast.AST, Class] = {}
        waiting: list[ast.AST] = [self.tree]
        while waiting:
            node = waiting.pop()
            for child in children(node):
                self.parents[child] = node
                waiting.append(child)
                if child.__class__ in _NOTED:
                    self._note(child, node, owners)
        self.calls.sort(key=lambda c: (c.lineno, c.col_offset))

    def _note(self, child: ast.AST, node: ast.AST, owners: dict[ast.AST, Class]) -> None:
        if isinstance(child, ast.Call):
            self.calls.append(child)
        elif isinstance(child, ast.ClassDef):
            self.classes[child] = owners[child] = Class(child, self)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            owner = None if isinstance(child, ast.Lambda) else owners.get(self._around(node))
            self.functions[child] = function = Function(child, self, owner)
            if owner is not None:
                owner.methods[function.name] = function
        elif isinstance(child, ast.Attribute) and isinstance(child.ctx, ast.Load):
            self.attributes.setdefault(child.attr, []).append(child)

    def _around(self, node: ast.AST) -> ast.AST:
        """Return the class, function or module around a statement; `if` and `try` make no scope."""
        while isinstance(node, ast.If | ast.Try | ast.TryStar | ast.With | ast.ExceptHandler) and node in self.parents:
            node = self.parents[node]
        return node
