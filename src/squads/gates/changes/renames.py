"""Which functions, classes and modules a change gives another name, and a tree of tests read under the new names."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from squads.contracts.artifact import File
from squads.contracts.errors import NotText

_ALIKE = 0.72
_TEXT_MAX = 1_500
_DEFINED = re.compile(r"(?m)^[ \t]*(?:async )?(?:def|class) (\w+)")
_SAYS = r"(?i)renam|\bcalled\b|\bnamed?\b|\bbecomes?\b|\bname\b|->|→|\binstead of\b|\breplaces?\b"


def renamed(old: Mapping[str, File], new: Mapping[str, File], brief: str) -> dict[str, str]:
    """Return old name to new name, for what stands on under another name."""
    was, now = _changed(old, new), _changed(new, old)
    defined = {n for f in now for n in _names(f)}
    gone = {n: f for f in was for n in _names(f) if n not in defined}
    there = {n for f in was for n in _names(f)}
    added = {n: f for f in now for n in _names(f) if n not in there}
    texts = _definitions(gone), _definitions(added)
    found: dict[str, str] = {}
    sentences = [s for s in re.split(r"(?<=[.;])\s+|\n\n", brief) if re.search(_SAYS, s)]
    for name in gone:
        told = [n for n in added if any(_word(name, s) and _word(n, s) for s in sentences)]
        if len(told) == 1:
            found[name] = told[0]
            continue
        near = next((n for n, text in texts[1].items() if name in texts[0] and alike(texts[0][name], text)), None)
        if near is not None:
            found[name] = near
    for path in old:
        stem, text = _stem(path), _text(old[path])
        if path.endswith(".py") and not _tests(path) and path not in new and text:
            for other in new:
                if other.endswith(".py") and other not in old and not _tests(other) and _stem(other) != stem:
                    fresh = re.sub("|".join(map(re.escape, found)) or r"(?!)", lambda m: found[m[0]], text)
                    if len(text) < 20_000 and alike(fresh, _text(new[other])):
                        found.setdefault(stem, _stem(other))
    return found


def under(tree: ast.Module, renames: Mapping[str, str]) -> ast.Module:
    """Return a tree with other names for what was renamed; its lines stay."""
    if not renames:
        return tree
    own = copy.deepcopy(tree)
    dotted = re.compile(r"(?<=[.\w])\.(" + "|".join(map(re.escape, renames)) + r")(?=\.|$)")
    for node in ast.walk(own):
        match node:
            case ast.Name():
                node.id = renames.get(node.id, node.id)
            case ast.Attribute():
                node.attr = renames.get(node.attr, node.attr)
            case ast.alias():
                node.name = ".".join(renames.get(p, p) for p in node.name.split("."))
            case ast.ImportFrom() if node.module:
                node.module = ".".join(renames.get(p, p) for p in node.module.split("."))
            case ast.Constant() if isinstance(node.value, str) and re.fullmatch(r"[\w.]{3,200}", node.value):
                node.value = dotted.sub(lambda m: f".{renames[m[1]]}", node.value)
    return own


def _tests(path: str) -> bool:
    return re.search(r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$", path) is not None


def _stem(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").rsplit("/", 1)[-1]


def _text(file: File) -> str:
    try:
        return file.text
    except NotText:
        return ""


def _word(name: str, sentence: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sentence) is not None


def alike(one: str, other: str) -> bool:
    """Return whether two texts are nearly the same; what cannot be is told cheaply."""
    if 2 * min(len(one), len(other)) < _ALIKE * (len(one) + len(other)):
        return False
    matcher = SequenceMatcher(None, one, other)
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _changed(these: Mapping[str, File], those: Mapping[str, File]) -> list[File]:
    return [f for p, f in these.items()
            if p.endswith(".py") and not _tests(p) and (p not in those or those[p].content != f.content)]  # fmt: skip


def _names(file: File) -> list[str]:
    return _DEFINED.findall(_text(file))


def _definitions(wanted: Mapping[str, File]) -> dict[str, str]:
    """Return definitions: name to what they do, without their names."""
    found: dict[str, str] = {}
    for file in {f.path: f for f in wanted.values()}.values():
        try:
            tree = ast.parse(_text(file))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name in wanted:
                own = copy.copy(node)
                own.name = "_"
                found[node.name] = re.sub(rf"\b{re.escape(node.name)}\b", "_", ast.unparse(own))[:_TEXT_MAX]
    return found
