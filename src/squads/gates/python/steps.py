"""One step of a value's way through a program."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "same",  # the very value, at another expression
    "part",  # a part of it: an item, an attribute, an element
    "put",  # something that holds it: a display, an object it was stored in
    "made",  # something made from it: an operator, a text, a comparison
    "method",  # the result of a method of it
    "argument",  # the result of a call that was given it
    "key",  # what was looked up by it
    "test",  # a condition that decides what runs
    "returned",  # it leaves a function that nobody in the artifact calls, or is yielded
    "stored",  # it is kept in an attribute or item of something that is not followed
    "raised",  # it leaves in an exception
    "dropped",  # nothing is done with it
]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a walk: how the value came to `node`."""

    kind: Kind
    node: ast.AST
    key: object = None
    """The item's key or attribute's name of a part, where it is a constant; None for an unknown one."""
    calls: tuple[ast.Call, ...] = ()
    """The calls that were entered and not yet left, the outermost first."""
    taken: tuple[object, ...] = ()
    """The keys of the parts of the first value that this one is, the first first."""
    held: tuple[object, ...] = ()
    """The keys under which it is held now, the innermost first."""
    back: Step | None = None
    """The step before."""

    def way(self) -> Iterator[Step]:
        """Yield this step and those before it, back to the first."""
        step: Step | None = self
        while step is not None:
            yield step
            step = step.back


Through = Callable[[ast.Call, Step], bool]
