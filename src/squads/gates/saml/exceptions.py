"""Exceptions: which handler takes one, and with which a verification may fail."""

from __future__ import annotations

import ast
import builtins

from squads.gates.saml.expressions import Expressions
from squads.gates.words import word_set

_UNRELATED = word_set(
    "KeyError IndexError AttributeError TypeError UnicodeDecodeError UnicodeError binascii.Error ParseError "
    "XMLSyntaxError ExpatError StopIteration ObjectDoesNotExist DoesNotExist ImportError ModuleNotFoundError "
    "ZeroDivisionError FileNotFoundError JSONDecodeError NoResultFound"
)
"""Exceptions with which no verification fails."""


class Exceptions(Expressions):
    """Answers where the way of an exception goes on."""

    def _handlers(self, node: ast.Try | ast.TryStar, names: frozenset[str]) -> list[ast.ExceptHandler]:
        """Return the handlers that an exception may go to: a verification fails with one or another of a family."""
        found: list[ast.ExceptHandler] = []
        for handler in node.handlers:
            if self._catches(handler, names):
                found.append(handler)
                caught = self._exceptions(handler.type) if handler.type is not None else frozenset(("Exception",))
                if names or caught & {"Exception", "BaseException"}:
                    break
        return found

    def _catches(self, handler: ast.ExceptHandler, names: frozenset[str]) -> bool:
        caught = self._exceptions(handler.type) if handler.type is not None else frozenset(("Exception",))
        if caught & {"Exception", "BaseException"}:
            return True
        if not names:
            return not caught <= _UNRELATED | {"ValueError"}
        return bool(caught & names) or not (caught | names) <= self._known_exceptions(caught | names)

    def _known_exceptions(self, names: frozenset[str]) -> frozenset[str]:
        """Return the names that are built in: of them it is known which are each other's bases."""
        return frozenset(n for n in names if hasattr(builtins, n) or n in self._own_exceptions)

    @property
    def _own_exceptions(self) -> frozenset[str]:
        return frozenset(c.node.name for m in self.names.files.modules for c in m.classes.values())

    def _exceptions(self, node: ast.expr | None) -> frozenset[str]:
        """Return the names of an exception and its bases."""
        if isinstance(node, ast.Call):
            node = node.func
        if isinstance(node, ast.Tuple):
            return frozenset().union(*(self._exceptions(e) for e in node.elts)) if node.elts else frozenset()
        found: set[str] = set()
        if node is not None:
            word = self._last_word(node)
            found.add(word)
            kind = getattr(builtins, word, None)
            if isinstance(kind, type):
                found |= {c.__name__ for c in kind.__mro__} if node.__class__ is ast.Call else set()
        return frozenset(found or {"?"})
