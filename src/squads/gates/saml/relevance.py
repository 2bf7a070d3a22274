"""Which functions can matter: those that read identity, or parse or verify something, themselves or through others.

By names alone, so it takes in too much and leaves out nothing that the rest would see; what it leaves out is most of a
large program.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from squads.gates.python.module import Function, Module
from squads.gates.saml import words

_READING = re.compile(r"^(get_(nameid|name_id|attribute|session_index|friendlyname)\w*|process_response)$")
_CONCERNED = re.compile(
    r"^(fromstring\w*|parseString|XML|XMLID|iterparse|BeautifulSoup|xpath|XPath|objectify|etree|minidom|xmltodict"
    r"|\w*_from_string|SAMLResponse|abort|environ|getenv)$"
    r"|verif|signature|signed|xmlsec|signxml|validate_\w*(sign|saml|resp|assert)|is_valid|is_authenticated|get_errors",
    re.IGNORECASE,
)
_SMALL_STATEMENTS_MAX = 8


_COMMON = (frozenset(dir(dict)) | frozenset(dir(str)) | frozenset(dir(list))) - {"find"}


class Relevance:
    """Answers for the functions of some modules; of others nothing is known, and they matter."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self._mentions: dict[ast.AST, frozenset[str]] = {}
        self._small: dict[ast.AST, bool] = {}
        named: dict[str, list[ast.AST]] = {}
        reading: set[ast.AST] = set()
        concerned: set[ast.AST] = set()
        for module in modules:
            for name, node in _named(module):
                named.setdefault(name, []).append(node)
                identifiers, strings = _mentioned(node)
                self._mentions[node] = identifiers
                if _reads(identifiers, strings):
                    reading.add(node)
                if any(_CONCERNED.search(i) for i in identifiers):
                    concerned.add(node)
        self._known = frozenset(self._mentions)
        users: dict[ast.AST, list[ast.AST]] = {}
        for node, identifiers in self._mentions.items():
            for identifier in identifiers:
                for target in named.get(identifier, ()):
                    users.setdefault(target, []).append(node)
        self._reading = _reached(reading, users)
        self._concerned = _reached(concerned | reading, users)

    def reads(self, function: Function) -> bool:
        """Say whether it may read identity, itself or through what it names."""
        return function.node in self._reading or function.node not in self._known

    def matters(self, function: Function) -> bool:
        """Say whether it has to be gone through when it is called."""
        return function.node in self._concerned or function.node not in self._known or self._is_small(function)

    def _is_small(self, function: Function) -> bool:
        known = self._small.get(function.node)
        if known is None:
            statements = [n for n in ast.walk(function.node) if isinstance(n, ast.stmt)]
            known = self._small[function.node] = len(statements) <= _SMALL_STATEMENTS_MAX
        return known


def _named(module: Module) -> Iterable[tuple[str, ast.AST]]:
    """Yield what has a name: functions, and assignments outside of them."""
    for function in module.functions.values():
        yield function.name, function.node
    bodies: list[ast.Module | ast.ClassDef] = [module.tree, *module.classes]  # type: ignore[list-item]  # keys are ClassDef
    for body in bodies:
        for statement in body.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield target.id, statement
            elif isinstance(body, ast.ClassDef) and isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                yield body.name, statement  # whoever makes an object may run each of its methods


def _mentioned(node: ast.AST) -> tuple[frozenset[str], list[str]]:
    identifiers: set[str] = set()
    strings: list[str] = []
    prose = {id(p.value) for p in ast.walk(node) if isinstance(p, ast.Expr)}
    for part in ast.walk(node):
        if id(part) in prose:
            continue
        if isinstance(part, ast.Name):
            identifiers.add(part.id)
        elif isinstance(part, ast.Attribute) and part.attr not in _COMMON:
            identifiers.add(part.attr)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str | bytes):
            strings.append(part.value if isinstance(part.value, str) else part.value.decode("latin-1"))
    return frozenset(identifiers), strings


def _reads(identifiers: frozenset[str], strings: list[str]) -> bool:
    if any(_READING.match(i) or i in words.KNOWN_ATTRIBUTES or words.prefixed(i) for i in identifiers):
        return True
    for string in strings:
        found, strong = words.identity([string])
        if found and (strong or not words.only_common(found)):
            return True
    return False


def _reached(seeds: set[ast.AST], users: dict[ast.AST, list[ast.AST]]) -> frozenset[ast.AST]:
    found = set(seeds)
    waiting = list(seeds)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in found:
                found.add(user)
                waiting.append(user)
    return frozenset(found)
