"""Renames a set of cases, so that nobody can have read it before: a held-out split that is made when it is needed.

Names that the family itself makes are replaced everywhere alike: tables, columns, functions, classes, variables and
modules, in every variant, in base, tests, attack, oracle and brief. The words come from a list by a seed. Words that
say what a thing is for stay, such as `balance`, `tenant` or `token`: without them nobody could say what is wrong. No
line moves, so that places stay.

Nothing is believed of a renamed family until its labels are proved anew: where one is not, the family is left out. The
manifest holds only digests, so that it can be published before anybody has seen a result, or a case.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import io
import json
import keyword
import logging
import re
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from squads.bench.case import Case
from squads.bench.families import FAMILY, cases, cases_of, family_at, set_digest
from squads.bench.oracles.proof import Proof, proved
from squads.bench.planting.sql_text import elements, statements, table_of
from squads.bench.planting.write import fresh, write_files
from squads.bench.renaming_words import KEPT, NEVER, WORDS
from squads.contracts.errors import InvalidCase

MANIFEST = "manifest.json"
"""What is published: the digest of the set and of each family."""
REPORT = "renaming.json"
"""What is not: which family became which, with which words, and what was left out."""

ProveFamily = Callable[[Path], Awaitable[list[tuple[Case, Proof]]]]
"""What proves every label of a family: `squads.bench.oracles.prove_family` with its sandbox and scratch server."""
_TOKEN = re.compile(r"[\w./-]*\w\.(?:sql|toml|ini|cfg|ya?ml|json|md|txt)\b|[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|_+")
_MADE = frozenset({"TABLE", "VIEW", "FUNCTION", "PROCEDURE", "INDEX", "POLICY", "SCHEMA", "TYPE", "TRIGGER", "DOMAIN"})
_NO_COLUMN = frozenset({"CONSTRAINT", "PRIMARY", "FOREIGN", "UNIQUE", "CHECK", "EXCLUDE", "LIKE"})


@dataclass(frozen=True)
class Renaming:
    """The names and words of one family, and what they become."""

    names: Mapping[str, str]
    words: Mapping[str, str]

    def code(self, text: str) -> str:
        """Return code, or a path, with its names replaced; SQL's names whatever their case."""
        return _TOKEN.sub(lambda m: self.names.get(m[0]) or self.names.get(m[0].lower(), m[0]), text)

    def prose(self, text: str) -> str:
        """Return prose with names and words replaced."""
        return _TOKEN.sub(lambda m: self.names.get(m[0]) or _renamed(m[0], self.words), text)

    def deep(self, value: Any) -> Any:
        """Return what a page of YAML holds, with names replaced in every text."""
        if isinstance(value, str):
            return self.code(value)
        if isinstance(value, list):
            return [self.deep(one) for one in value]
        if isinstance(value, dict):  # the settings of a session are the one mapping whose keys a family makes
            settings = {self.code(key): self.deep(one) for key, one in (value.get("set") or {}).items()}
            return {key: settings if key == "set" else self.deep(one) for key, one in value.items()}
        return value


@dataclass(frozen=True)
class RenamedFamily:
    """What became of one family."""

    of: str
    name: str
    words: Mapping[str, str]
    why_not: str = ""
    """Why it was left out; empty where it was kept."""


def renaming_of(
    given: Sequence[Case], seed: int, beside: Mapping[str, str] | None = None, *, careful: bool = False
) -> Renaming:
    """Return what the names of a family become; the same seed gives the same words.

    `beside` are its attack and its tests: what they take from elsewhere keeps its name too. The `careful` renaming
    leaves all Python names alone that are also attributes, keywords or texts, for these may be anybody's.
    """
    texts = [f for case in given for files in (case.files, case.base) for f in files.items()]
    made = {name for path, text in dict.fromkeys(texts) for name in _made(path, text)}
    every = dict.fromkeys([*texts, *(beside or {}).items()])
    used = {word.lower() for _, text in every for word in _PART.findall(text)}
    outside = {name for path, text in every for name in _outside(path, text, made)}
    outside |= {name for path, text in every for name in _anybodys(path, text)} if careful else set()
    free = sorted(made - outside - NEVER - _of_python() - _of_sql())
    parts = {_stem(part) for name in free for part in _PART.findall(name) if _may_change(part)}
    draw = Random(f"{seed} {given[0].family}")  # noqa: S311  # a draw, no secret
    fresh_words = [word for word in WORDS if word not in used]
    draw.shuffle(fresh_words)
    pairs = (first + second for first in fresh_words for second in reversed(fresh_words) if first != second)
    chosen = iter([*fresh_words])
    words = {part: next(chosen, None) or next(pairs) for part in sorted(parts)}
    names = {name: after for name in free if (after := _renamed(name, words)) != name}
    return Renaming(names, words)


async def rename_families(
    homes: Mapping[str, Path], out: Path, seed: int, *, prove: ProveFamily
) -> tuple[str, list[RenamedFamily]]:
    """Write the renamed families into `out`, and return the digest of the set and what became of each family.

    Args:
        homes: The folder of every family by its name.
        out: A folder that is not there yet, or is empty. Raises `InvalidInput` otherwise.
        seed: Chooses the words.
        prove: Proves a family's labels; those of a family that are not all proved leave it out.
    """
    fresh(out)
    done = [await _one(home, out, number, seed, prove) for number, (_, home) in enumerate(sorted(homes.items()), 1)]
    kept = [one for one in done if not one.why_not]
    found = cases(out) if kept else []
    by_family = {one.name: set_digest(c for c in found if c.family == one.name) for one in kept}
    digest = set_digest(found)
    _write_json(out / MANIFEST, {"set": digest, "cases": len(found), "families": by_family})
    _write_json(out / REPORT, {"seed": seed, "families": [vars(one) | {"words": dict(one.words)} for one in done]})
    return digest, done


async def _one(home: Path, out: Path, number: int, seed: int, prove: ProveFamily) -> RenamedFamily:
    given = cases_of(home)
    own = [home / "attack.py", *sorted(p for p in (home / "tests").rglob("*") if "__pycache__" not in p.parts)]
    beside = {p.relative_to(home).as_posix(): p.read_text("utf-8") for p in own if p.is_file()}
    name = f"renamed_{number:03}"
    why_not = ""
    for careful in (False, True):  # what is freely renamed is harder to know again, where it works
        renaming = renaming_of(given, seed, beside, careful=careful)
        why_not = await _tried(home, out / name, given, beside, renaming, seed, prove)
        if not why_not:
            break
        shutil.rmtree(out / name)
    return RenamedFamily(home.name, name, renaming.words, why_not)


async def _tried(
    home: Path,
    folder: Path,
    given: Sequence[Case],
    beside: Mapping[str, str],
    renaming: Renaming,
    seed: int,
    prove: ProveFamily,
) -> str:
    """Write one renaming of a family, and return why it cannot stay; empty where it can."""
    _write(home, folder, given, beside, renaming, seed)
    if not renaming.names:
        return "it makes no name that could be another"
    try:
        odd = [(case, proof) for case, proof in await prove(folder) if proved(case.label, proof) != "proved"]
    except InvalidCase as error:
        return str(error)
    return f"{odd[0][0].variant} is {odd[0][1].answer}: {odd[0][1].said}" if odd else ""


def _write(
    home: Path, folder: Path, given: Sequence[Case], beside: Mapping[str, str], renaming: Renaming, seed: int
) -> None:
    page = family_at(home)
    raw = page.model_dump(mode="json", exclude_defaults=True)
    for key in ("title", "why", "brief"):
        raw[key] = renaming.prose(raw[key])
    raw["source"] = f"renamed@{seed}"
    raw["oracle"] = renaming.deep(page.oracle)
    for name, variant in page.variants.items():
        line = variant.model_dump(mode="json", exclude_defaults=True)
        for place in line.get("places", ()):
            place["path"] = renaming.code(place["path"])
        if variant.removals:
            line["removals"] = [renaming.code(path) for path in variant.removals]
        if variant.note:
            line["note"] = renaming.prose(variant.note)
        raw["variants"][name] = line
    folder.mkdir()
    (folder / FAMILY).write_text(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=120), "utf-8")
    for case in given:
        write_files(folder / case.variant, _coded(case.files, renaming))
    write_files(folder / "base", _coded(given[0].base, renaming))
    write_files(folder, _coded(beside, renaming))


def _coded(files: Mapping[str, str], renaming: Renaming) -> dict[str, str]:
    return {renaming.code(path): renaming.code(text) for path, text in files.items()}


def _renamed(name: str, words: Mapping[str, str]) -> str:
    """Return a name whose words are replaced, each in the case and number that it had."""

    def one(match: re.Match[str]) -> str:
        part = match[0]
        new = words.get(_stem(part))
        if new is None or not _may_change(part):
            return part
        new += "s" if _stem(part) != part.lower() else ""
        return new.upper() if part.isupper() and len(part) > 1 else new.title() if part[0].isupper() else new

    return _PART.sub(one, name)


def _stem(part: str) -> str:
    low = part.lower()
    return low[:-1] if len(low) > 4 and low.endswith("s") and not low.endswith(("ss", "us", "is")) else low


def _may_change(part: str) -> bool:
    low = part.lower()
    return len(low) > 3 and low.isascii() and low.isalpha() and not {low, _stem(low)} & (KEPT | NEVER)


def _made(path: str, text: str) -> Iterator[str]:
    """Yield the names that a file makes."""
    if path.endswith(".sql"):
        yield from _made_in_sql(path, text)
    if not path.endswith(".py"):
        return
    yield from (part.removesuffix(".py") for part in path.split("/"))
    for node in _nodes(text):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def _made_in_sql(path: str, text: str) -> Iterator[str]:
    for statement in statements({path: text}):
        words = statement.words
        at = next((n for n, w in enumerate(words[:5]) if w.text in _MADE), None)
        if statement.starts("CREATE") and at is not None:
            skip = at + 1
            while skip < len(words) and words[skip].text in {"IF", "NOT", "EXISTS", "CONCURRENTLY"}:
                skip += 1
            yield statement.name_at(skip)[0]
        opening = statement.find("(")
        if opening is not None and (table_of(statement) or statement.find("FUNCTION|PROCEDURE") in (1, 3)):
            for first, _ in elements(statement, opening):
                if words[first].text not in _NO_COLUMN:
                    yield words[first].text.lower()
        for before in ("CONSTRAINT", "COLUMN"):
            found = statement.find(before)
            while found is not None and found + 1 < len(words):
                yield words[found + 1].text.lower()
                found = statement.find(before, after=found + 1)


def _outside(path: str, text: str, made: Iterable[str]) -> Iterator[str]:
    """Yield the names that a file takes from elsewhere: imports, what they hold, and keywords of calls of such."""
    local, foreign = set(made), set()
    for node in _nodes(text) if path.endswith(".py") else ():
        if isinstance(node, ast.Import):
            names = [alias for alias in node.names if alias.name.partition(".")[0] not in local]
            foreign |= {(alias.asname or alias.name).partition(".")[0] for alias in names}
            yield from (part for alias in names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] not in local and not node.level:
            yield from (node.module or "").split(".")
            yield from (alias.name for alias in node.names)
            foreign |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield from (k.arg for k in node.keywords if k.arg and called not in local)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in foreign:
            yield node.attr
        elif isinstance(node, ast.ClassDef) and node.bases:  # what a class of elsewhere asks for keeps its name
            roots = {n.id for base in node.bases for n in ast.walk(base) if isinstance(n, ast.Name)}
            if roots & foreign:
                yield from (n.name for n in node.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _anybodys(path: str, text: str) -> Iterator[str]:
    """Yield the names in a Python file that may be made elsewhere as well: by a test's double, or by its data."""
    for node in _nodes(text) if path.endswith(".py") else ():
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword):
            yield node.arg or ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _TOKEN.findall(node.value)


def _nodes(text: str) -> Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(text))
    except SyntaxError:
        return


@cache
def _of_python() -> frozenset[str]:
    """Return the names that mean something to Python, and to what its values and common libraries can do."""
    kinds = (str, bytes, list, dict, set, int, float, tuple, BaseException, type, re.Pattern, re.Match, Path, Decimal)
    more = (sqlite3.Connection, sqlite3.Cursor, logging.Logger, datetime, timedelta, asyncio.Queue, asyncio.Task)
    named = (n for kind in (*kinds, *more, asyncio.Lock, io.StringIO) for n in dir(kind))
    return frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *sys.stdlib_module_names, *named})


@cache
def _of_sql() -> frozenset[str]:
    """Return the words that mean something to PostgreSQL, types among them."""
    from sqlglot.dialects.postgres import Postgres

    return frozenset(word.lower() for key in Postgres.tokenizer_class.KEYWORDS for word in key.split())


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", "utf-8")
