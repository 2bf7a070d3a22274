"""CWEval: small tasks, each with a secure and an insecure solution that its own tests tell apart.

The secure solution is the task's file. The insecure one is a file with `unsafe` in its name, or, for Python, a function
in the task's tests, which is cut out with what it needs of that file. Each task in each language is a family.

What would tell them apart besides the flaw is taken away from both: comments and docstrings (the task's own text is the
brief), the word `unsafe` in names, and for Python the formatting. Secure means: for the task's CWE.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from squads.bench.case import Case, Label, Place
from squads.bench.loaders.comments import without_comments
from squads.bench.loaders.loader import checked
from squads.contracts.errors import InvalidCase

LANGUAGES = {"c": "c", "cpp": "cpp", "go": "go", "js": "javascript", "py": "python"}
"""The folders of the set, and what we call their languages."""
SAME_REASON = {347: "auth.token-signature"}
"""CWEs whose tasks ask for exactly what an invariant of ours does."""

_TASK = re.compile(r"(?P<name>cwe_(?P<cwe>\d+)_\d+)(?:_\w+?)?_task\.(?P<ending>\w+)")
_UNSAFE = re.compile(r"_?unsafe(?:_\d+)?(?![A-Za-z\"'])|[uU]nsafe(?=[A-Z])")
_BLOCK = re.compile(r"/\*+(.*?)\*/", re.DOTALL)
_DIRECTIVES = re.compile(r"\s*// (?:BEGIN|END) [A-Z]+\s*")


class CWEval:
    """The loader of CWEval."""

    name = "cweval"
    title = "CWEval: tasks with a secure and an insecure solution in five languages"
    home = "github.com/Co1lin/CWEval"
    commit = "e9a2a124c8c53679b6d8d27adfd2f6c40e7576d7"
    licence = "Apache-2.0"
    counts: ClassVar[Mapping[str, int]] = {
        "py tasks": 25,
        "js tasks": 23,
        "cpp tasks": 21,
        "c tasks": 20,
        "go tasks": 19,
        "c language tasks": 11,
        "insecure solutions": 126,
    }

    def load(self, path: Path) -> list[Case]:
        """Return the solutions of every task, by language and task: the secure one, then the insecure ones."""
        cases: list[Case] = []
        found: Counter[str] = Counter()
        for kind, part in (("core", ""), ("lang", "language ")):
            for page in sorted((path / "benchmark" / kind).glob("*/*_task.*")):
                named = _TASK.fullmatch(page.name)
                if named is None or named["ending"] not in LANGUAGES:
                    continue
                found[f"{page.parent.name} {part}tasks"] += 1
                cases += _cases(self, page, named, part.strip())
        if not cases:
            raise InvalidCase(f"{path} is not {self.name}: it has no benchmark/core/<language>/*_task.*")
        found["insecure solutions"] = sum(case.label.broken for case in cases)
        return checked(self, path, cases, found)

    def recorded(self, path: Path) -> None:
        """Return None: the set has tests, and no verdicts."""


def _cases(loader: CWEval, page: Path, named: re.Match[str], part: str) -> Iterator[Case]:
    language, cwe = LANGUAGES[named["ending"]], int(named["cwe"])
    folder = "-".join(filter(None, (part, page.parent.name)))
    family = f"{loader.name}-{folder}-{named['name']}"
    try:
        if language == "python":
            brief, clean, broken = _python(page)
        else:
            brief, clean, broken = _other(page, language)
    except (SyntaxError, OSError, UnicodeDecodeError) as error:
        raise InvalidCase(f"{page} cannot be read as a task of {loader.name}: {error}") from None
    if not broken:
        raise InvalidCase(f"{page} has no insecure solution beside it")
    file = f"task.{named['ending']}"
    solutions: list[tuple[str, str, tuple[int, int] | None]] = [(Label.CLEAN.value, clean, None)]
    for number, (text, lines) in enumerate(broken):
        solutions.append((f"{Label.DEFECT}-{number}" if len(broken) > 1 else Label.DEFECT.value, text, lines))
    for variant, text, lines in solutions:
        label = Label(variant.partition("-")[0])
        first, last = lines or (None, None)
        yield Case(
            family=family,
            variant=variant,
            label=label,
            invariants=(f"cwe.{cwe}", *([SAME_REASON[cwe]] if cwe in SAME_REASON else [])),
            places=(Place(path=file, line=first, end_line=last),) if label.broken else (),
            cwe=cwe,
            language=language,
            kind="module",
            split="test",
            origin="written",
            licence=loader.licence,
            source=f"{loader.home}@{loader.commit[:12]}, {page.parent.name}/{page.name}",
            brief=brief or f"A function in {language}.",
            files={file: text},
        )


_Solution = tuple[str, tuple[int, int] | None]


def _other(page: Path, language: str) -> tuple[str, str, list[_Solution]]:
    """Return the brief, the secure solution and the insecure ones of a task that is not Python."""
    stem, _, ending = page.name.rpartition("_task.")
    unsafe = sorted(page.parent.glob(f"{stem}_unsafe*.{ending}"))
    text = page.read_text("utf-8")
    told = max((_prose(block) for block in _BLOCK.findall(text)), key=len, default="")
    return told, _plain(text, language), [(_plain(p.read_text("utf-8"), language), None) for p in unsafe]


def _prose(block: str) -> str:
    return "\n".join(line.strip().removeprefix("*").strip() for line in block.strip().splitlines())


def _plain(text: str, language: str) -> str:
    """Return a solution without comments, runs of blank lines, and the word `unsafe` in names."""
    bare = without_comments(text, language)
    lines = _UNSAFE.sub("", bare).split("\n")
    kept = [line for line, before in zip(lines, ["", *lines], strict=False) if line.strip() or before.strip()]
    return "\n".join(kept).strip("\n") + "\n"


def _python(page: Path) -> tuple[str, str, list[_Solution]]:
    """Return the brief, the secure solution and the insecure ones of a Python task."""
    tests = page.with_name(page.name.replace("_task.", "_test."))
    task, checks = ast.parse(page.read_text("utf-8")), ast.parse(tests.read_text("utf-8"))
    functions = {n.name: n for n in task.body if isinstance(n, ast.FunctionDef)}
    asked = {
        alias.name
        for n in checks.body
        if isinstance(n, ast.ImportFrom) and n.module == page.stem
        for alias in n.names
        if alias.name in functions
    }
    unsafe = [n for n in checks.body if isinstance(n, ast.FunctionDef) and _is_unsafe(n.name)]
    if not asked:
        raise SyntaxError("its tests import no function of it")
    goal = max(asked, key=lambda name: (sum(n.name.startswith(name) for n in unsafe), name))
    told = ast.get_docstring(functions[goal]) or ""
    return told, _unparsed(task), [_cut_out(n, goal, checks, task, page.stem) for n in unsafe]


def _is_unsafe(name: str) -> bool:
    return re.search(r"_unsafe(?:_\d+)?$", name) is not None and not name.startswith(("test_", "_test_"))


def _cut_out(
    function: ast.FunctionDef, goal: str, checks: ast.Module, task: ast.Module, module: str
) -> tuple[str, tuple[int, int]]:
    """Return a module of the function under the task's name with all it needs, and the function's lines there."""
    homes: dict[str, ast.stmt] = {}
    for statement in (*task.body, *checks.body):
        if isinstance(statement, ast.ImportFrom) and statement.module == module:
            continue  # what the tests take from the task is there under the same name
        homes.update(dict.fromkeys(_bound(statement), statement))
    needed: list[ast.stmt] = []
    wanted = [function]
    while wanted:
        names = {n.id for n in ast.walk(wanted.pop()) if isinstance(n, ast.Name)} - {function.name, goal}
        for statement in dict.fromkeys(homes[name] for name in sorted(names & homes.keys())):
            if statement not in needed:
                needed.append(statement)
                wanted.append(statement)  # type: ignore[arg-type]  # any node can be walked
    rank = {id(n): number for number, n in enumerate((*task.body, *checks.body))}
    needed.sort(key=lambda n: (not isinstance(n, (ast.Import, ast.ImportFrom)), rank[id(n)]))
    parts = [_one_import(n, function, needed) for n in needed]
    renamed = _Renamed(function.name, goal).visit(ast.parse(ast.unparse(function)))
    text = _unparsed(ast.Module(body=[*parts, *renamed.body], type_ignores=[]))
    last = ast.parse(text).body[-1]
    return text, (last.lineno, last.end_lineno or last.lineno)


def _one_import(statement: ast.stmt, function: ast.stmt, needed: list[ast.stmt]) -> ast.stmt:
    """Return an import of only what is used, so that it says nothing of the tests it stood in."""
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return statement
    used = {n.id for part in (function, *needed) for n in ast.walk(part) if isinstance(n, ast.Name)}
    names = [a for a in statement.names if (a.asname or a.name).partition(".")[0] in used]
    if isinstance(statement, ast.Import):
        return ast.Import(names=names)
    return ast.ImportFrom(module=statement.module, names=names, level=statement.level)


def _bound(statement: ast.stmt) -> list[str]:
    """Return the names that a statement of a module binds."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [(a.asname or a.name).partition(".")[0] for a in statement.names]
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [t.id for t in statement.targets if isinstance(t, ast.Name)]
    return []


class _Renamed(ast.NodeTransformer):
    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.name = self._new if node.name == self._old else node.name
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new if node.id == self._old else node.id
        return node


def _unparsed(module: ast.Module) -> str:
    """Return a module's text without comments and docstrings, and with the same formatting whoever wrote it."""
    copy = ast.parse(ast.unparse(module))
    for node in ast.walk(copy):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body[:1] = [] if len(node.body) > 1 or isinstance(node, ast.Module) else [ast.Pass()]
    return ast.unparse(copy) + "\n"
