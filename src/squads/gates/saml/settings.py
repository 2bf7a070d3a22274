"""Settings that tell a SAML toolkit not to check: `strict` off, no signature wanted, keys taken from the message.

python3-saml (and what is built on it) reads camel case, pysaml2 and djangosaml2 read snake case; both are dictionaries
in Python, and python3-saml also reads JSON files.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from squads.contracts.artifact import File
from squads.gates.check import CannotLook
from squads.gates.python.module import Module
from squads.gates.saml.paths import Paths
from squads.gates.saml.values import Const, Setting, State

SETTINGS_MENTIONED = re.compile(
    rb"want_?(response|assertions?|messages)_?(or_response_)?signed|only_use_keys_in_metadata|do_not_verify",
    re.IGNORECASE,
)
"""A file with one of these holds settings of a SAML toolkit."""

_NESTED_MAX = 40


@dataclass(frozen=True, slots=True)
class Switch:
    """One verification that is switched off."""

    path: str
    line: int
    column: int
    text: str
    name: str
    """The setting's key as it is written."""
    what: str
    """What the toolkit does without it."""
    instead: str
    """What to write."""


_NOT_STRICT = (
    "lets python3-saml accept responses that break the rules it knows, among them signatures",
    '"strict": True',
)
_UNSIGNED = ("lets the toolkit accept a response in which neither message nor assertion need be signed", "")
_ANY_KEY = ("lets pysaml2 verify with the key that came along in the message", '"only_use_keys_in_metadata": True')


def _judged(known: dict[str, bool | None], saml: bool) -> list[tuple[str, str, str]]:
    """Return which keys of one dictionary switch off what, and what to write instead."""
    found = []
    by_word = {key.lower() if "_" in key else key: key for key in known}
    value = {word: known[key] for word, key in by_word.items()}
    if value.get("strict") is False and (saml or {"sp", "idp", "security"} & set(known)):
        found.append((by_word["strict"], *_NOT_STRICT))
    if value.get("wantAssertionsSigned") is False and value.get("wantMessagesSigned") is False:
        found.append((by_word["wantAssertionsSigned"], _UNSIGNED[0], '"wantAssertionsSigned": True'))
    snake = [
        value.get(k) for k in ("want_response_signed", "want_assertions_signed", "want_assertions_or_response_signed")
    ]
    if snake[0] is False and not any(v is not False for k, v in value.items() if k in _OTHERS):
        found.append((by_word["want_response_signed"], _UNSIGNED[0], f'"{_like(by_word)}": True'))
    if value.get("only_use_keys_in_metadata") is False:
        found.append((by_word["only_use_keys_in_metadata"], *_ANY_KEY))
    return found


_OTHERS = frozenset(("want_assertions_signed", "want_assertions_or_response_signed"))


def _like(by_word: dict[str, str]) -> str:
    """Return the key for signed assertions in the case that the others are written in."""
    upper = by_word["want_response_signed"].isupper()
    return "WANT_ASSERTIONS_SIGNED" if upper else "want_assertions_signed"


def switched_off(module: Module, paths: Paths) -> Iterator[Switch]:
    """Yield what a Python file switches off."""
    saml = "onelogin" in module.source.text.lower()
    for keys, values in _groups(module):
        known: dict[str, bool | None] = {}
        nodes: dict[str, ast.expr] = {}
        for key, value in zip(keys, values, strict=True):
            if key != "strict" and not SETTINGS_MENTIONED.search(key.encode()):
                known.setdefault(key, None)
                continue
            known[key] = _truth(value, module, paths)
            nodes[key] = value
        for name, what, instead in _judged(known, saml):
            place = module.place(nodes[name])
            line = module.source.lines[place.line - 1].strip()
            yield Switch(place.path, place.line, place.column, line, name, what, instead)
    for call in module.calls:
        for word in call.keywords:
            if word.arg == "do_not_verify" and _truth(word.value, module, paths) is True:
                place = module.place(word.value)
                line = module.source.lines[place.line - 1].strip()
                yield Switch(
                    place.path, place.line, place.column, line, word.arg, "tells pysaml2 not to verify", "False"
                )


def _groups(module: Module) -> Iterator[tuple[list[str], list[ast.expr]]]:
    """Yield keys and values that belong together: of a display, of `dict(...)`, of assignments to one object."""
    assigned: dict[str, list[tuple[str, ast.expr]]] = {}
    for node in module.parents:
        if isinstance(node, ast.Dict):
            pairs = [(k.value, v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)]
            yield [str(k) for k, _ in pairs], [v for _, v in pairs]
        elif isinstance(node, ast.Call) and node.keywords:
            words = {k.arg: k.value for k in node.keywords if k.arg}
            if not _holds_settings(node.func):
                words.pop("strict", None)  # `zip(a, b, strict=False)` and many others have nothing to do with it
            yield list(words), list(words.values())
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                    box = ast.unparse(target.value)[:200]
                    assigned.setdefault(box, []).append((str(target.slice.value), node.value))
    for given in assigned.values():
        yield [k for k, _ in given], [v for _, v in given]


def _holds_settings(called: ast.expr) -> bool:
    """Return whether a call makes or changes settings, by its last name: `dict`, `update`, or one that says so."""
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    return name in ("dict", "update") or "saml" in name.lower() or "settings" in name.lower()


def _truth(node: ast.expr, module: Module, paths: Paths) -> bool | None:
    """Return what a setting is, by default where it can be set from outside; None where that is not known."""
    paths.module = module
    found = paths.eval(node, State())
    value = found[0][1] if len(found) == 1 else None
    if isinstance(value, Const):
        return value.value not in (False, None, 0, "", "0", "false", "False")
    if isinstance(value, Setting) and isinstance(value.default, bool | int):
        return bool(value.default)
    return None


def switched_off_in_json(file: File) -> Iterator[Switch]:
    """Yield what a JSON settings file switches off. Raises `CannotLook` where it is none."""
    try:
        text = file.text
        waiting: list[tuple[Any, int]] = [(json.loads(text), 0)]
    except (ValueError, RecursionError) as error:
        raise CannotLook(
            f"{file.path}:1: holds settings of a SAML toolkit and is no JSON ({error}); mend it"
        ) from error
    lines = text.splitlines()
    while waiting:
        node, depth = waiting.pop()
        if depth > _NESTED_MAX or not isinstance(node, dict):
            continue
        waiting += [(v, depth + 1) for v in node.values()]
        for name, what, instead in _judged(
            {k: v if isinstance(v, bool) else None for k, v in node.items()}, saml=False
        ):
            number = next((n for n, line in enumerate(lines, 1) if f'"{name}"' in line), 1)
            yield Switch(file.path, number, 1, lines[number - 1].strip(), name, what, instead.replace("True", "true"))
