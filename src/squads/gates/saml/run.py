"""From an artifact to what its Python reads out of SAML messages."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from squads.contracts.artifact import Artifact
from squads.gates.check import CannotLook
from squads.gates.python import Function, Module, Program, read_program
from squads.gates.saml import words
from squads.gates.saml.entries import Entries
from squads.gates.saml.reading import Account, Reading, Readings
from squads.gates.saml.relevance import Relevance
from squads.gates.saml.settings import SETTINGS_MENTIONED, Switch, switched_off, switched_off_in_json

SETTINGS_FILES = ("*settings*.json", "*saml*.json")
"""Which JSON files may hold settings of python3-saml."""


@dataclass(frozen=True, slots=True)
class Saml:
    """What an artifact does with SAML."""

    accounts: tuple[Account, ...] = ()
    """What was read, place by place."""
    used: frozenset[ast.AST] = frozenset()
    """Where something was read that is acted upon, not only shown."""
    doubted: frozenset[ast.AST] = frozenset()
    """Where something was read that is acted upon before, or without, a verification of its message."""
    selected: tuple[Reading, ...] = ()
    """Where an assertion was taken out of a tree that is not the signed one."""
    handed_on: frozenset[str] = frozenset()
    """Messages that are handed to a service which verifies them itself."""
    given_up: str = ""
    """Why some ways were not gone to their end, with the place."""
    switches: tuple[Switch, ...] = ()
    """What toolkits are told not to check."""


_IMPORTED_MAX = 300
TESTS = re.compile(r"(^|/)(tests?|testing|fixtures)/|(^|/)(test_[^/]*|[^/]*_tests?|conftest)\.pyi?$")
"""Files that make responses of their own, and let nobody in."""


def read_saml(artifact: Artifact) -> Saml:
    """Return what an artifact reads and switches off. Raises `CannotLook` with the place."""
    program = read_program(artifact)
    with program.lock:
        looked = [
            program.files.module(path)
            for path, content in program.files.texts()
            if words.about(path, content) or SETTINGS_MENTIONED.search(content)
        ]
        modules = [m for m in looked if words.about(m.path, m.source.text.encode())]
        readings = Readings()
        switches: list[Switch] = []
        try:
            relevance = Relevance(_with_imports(program, modules))
            paths = Entries(program.names, readings, relevance)
            given_up = _go(program, modules, paths)
            # What is only looked at for its settings is no reading.
            paths = Entries(program.names, Readings(), relevance)
            for module in looked:
                switches += switched_off(module, paths)
        except RecursionError as error:
            raise CannotLook(
                f"{looked[0].path}:1: the code that handles SAML is nested too deeply to be read; flatten it"
            ) from error
    for file in artifact.matching(*SETTINGS_FILES):
        if SETTINGS_MENTIONED.search(file.content) or b'"strict"' in file.content:
            switches += switched_off_in_json(file)
    return Saml(
        tuple(readings.accounts.values()),
        readings.used,
        readings.doubted,
        tuple(readings.selected.values()),
        readings.handed_on,
        given_up,
        tuple(switches),
    )


def _go(program: Program, modules: list[Module], paths: Entries) -> str:
    """Go through every file and function; return why one of them was given up, or nothing."""
    given_up = ""
    for module in modules:
        if not TESTS.search(module.path):
            try:
                paths.enter_module(module)
            except CannotLook as error:
                given_up = given_up or str(error)
    functions = [
        f
        for m in modules
        for f in m.functions.values()
        if not isinstance(f.node, ast.Lambda) and not _inner(m, f) and not TESTS.search(m.path)
    ]
    called = {_name(c.func) for m in program.files.modules for c in m.calls}
    # Those that nobody seems to call come first: the others are then reached with what they are given.
    for wanted in (False, True):
        for function in functions:
            if (function.name in called) is not wanted or function in paths.run_already:
                continue
            if paths.relevance.reads(function):
                try:
                    paths.enter(function)
                except CannotLook as error:
                    given_up = given_up or str(error)
    return given_up


def _with_imports(program: Program, modules: list[Module]) -> list[Module]:
    """Return modules and what they import of the artifact, and what that imports."""
    found = list(modules)
    for module in found:
        for node in module.parents:
            wanted: list[tuple[str, int]] = []
            if isinstance(node, ast.Import):
                wanted = [(alias.name, 0) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                name = node.module or ""
                wanted = [(name, node.level)] + [(f"{name}.{a.name}".strip("."), node.level) for a in node.names]
            for name, dots in wanted:
                found += [m for m in program.files.imported(module, name, dots) if m not in found]
        if len(found) > _IMPORTED_MAX:
            break
    return found


def _inner(module: Module, function: Function) -> bool:
    parent = module.parents.get(function.node)
    while parent is not None:
        if parent in module.functions:
            return True
        parent = module.parents.get(parent)
    return False


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
