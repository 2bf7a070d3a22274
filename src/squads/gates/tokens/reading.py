"""What it means to read a token: which call, which token, and whether that verified it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Literal

from squads.gates.python import Program, default_of
from squads.gates.tokens.switches import hangs_on_header

Style = Literal["checks", "header", "unverified"]
"""A call that verifies unless told otherwise, one that reads only the header, and one that never verifies."""


@dataclass(frozen=True, slots=True)
class Row:
    """One function of one library."""

    style: Style
    token: int | None = 0
    key: int | None = 1
    algorithms: int | None = None
    """Where the list of algorithms stands; None where the library never trusts the header for it."""
    verify: int | None = None
    """Where a flag `verify` stands, besides the keyword."""
    keyed: bool = False
    """Whether it verifies only if it is given a key."""
    fills: bool = False
    """Whether it returns nothing, and the claims are read from its object."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where a token is read."""

    node: ast.Call
    """The call whose result is the claims, or the header."""
    token: ast.expr
    style: Style
    how: str = ""
    """Why it does not verify, for people."""
    switch: ast.expr | None = None
    """What switches verification off."""
    key: ast.expr | None = None
    algorithms: ast.expr | None = None
    row: Row | None = None
    held: ast.expr | None = None
    """Where the claims are read from the object that `node` fills; None where `node` returns them."""

    @property
    def claims(self) -> ast.expr:
        """The expression whose value is the claims."""
        return self.held if self.held is not None else self.node


def switched_off(program: Program, reading: Reading, call: ast.Call) -> bool:
    """Return whether verification is off when `call` calls the function that reads: a parameter may decide it."""
    function = program.function_of(reading.node)
    if function is None or reading.switch is None:
        return reading.style == "unverified"
    names = [n for n in ast.walk(reading.switch) if isinstance(n, ast.Name)]
    parameters = [b.node for n in names for b in program.values.bindings(n) if isinstance(b.node, ast.arg)]
    for parameter in parameters[:1]:
        if parameter is function.node.args.kwarg:
            words = [k.value for k in call.keywords if k.arg == "verify_signature"]
            return any(v is False or v is None for w in words for v in program.values.constants(w))
        given = program.calls.bind(call, function).get(parameter)
        if given is None:
            default = default_of(function, parameter)
            given = [default] if default is not None else []
        if given:
            off = any(v is False or v is None for g in given for v in program.values.constants(g))
            return off or any(hangs_on_header(program, g) for g in given)
    return True
