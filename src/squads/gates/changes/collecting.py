"""Settings and hooks that decide which tests run, before and after a change."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping

from squads.contracts.artifact import File
from squads.gates.changes.suite import Suite
from squads.gates.changes.suites import Weaker

SETTINGS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini", ".coveragerc")
_LISTS = ("testpaths", "python_files", "python_classes", "python_functions")
_LEAVES = re.compile(
    r"--deselect|--ignore|(?:^|\s)-k[\s=]|(?:^|\s)-m[\s=]|--collect-only|--co\b|--exitfirst|--lf\b|--maxfail"
)
_HOOKS = re.compile(
    r"skip|deselect|xfail|exitstatus|outcome|items\[:\]|items\.clear|items\.remove|del items|return True"
)


def found(old: Mapping[str, File], new: Mapping[str, File], suites: tuple[Suite, Suite]) -> Iterator[Weaker]:
    """Yield what keeps tests from being collected or counted since the change."""
    for path, file in new.items():
        name = path.rsplit("/", 1)[-1]
        before = old.get(path)
        if before is not None and before.content == file.content:
            continue
        if name in SETTINGS:
            yield from _settings(path, options(before) if before else {}, options(file), file)
        elif name == "conftest.py":
            yield from _hooks(path, suites, file)


def options(file: File | None) -> dict[str, str]:
    """Return pytest's and coverage's options in a file of settings, as texts; empty where it has none."""
    if file is None:
        return {}
    try:
        if file.path.endswith(".toml"):
            tools = tomllib.loads(file.text).get("tool", {})
            given = dict(tools.get("pytest", {}).get("ini_options", {}))
            given |= {f"coverage.{k}": v for k, v in tools.get("coverage", {}).get("report", {}).items()}
        else:
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            parser.read_string(file.text)
            given = {}
            for section in ("pytest", "tool:pytest"):
                given |= dict(parser[section]) if parser.has_section(section) else {}
            for section in ("report", "coverage:report"):
                if parser.has_section(section):
                    given |= {f"coverage.{k}": v for k, v in parser[section].items()}
    except (tomllib.TOMLDecodeError, configparser.Error):
        return {}
    return {k: " ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in given.items()}


def patterns(given: Mapping[str, File]) -> list[str]:
    """Return which files pytest collects in a tree."""
    for path, file in sorted(given.items(), key=lambda pair: pair[0].count("/")):
        if path.rsplit("/", 1)[-1] in SETTINGS:
            told = options(file).get("python_files")
            if told:
                return told.split()
    return ["test_*.py", "*_test.py", "tests.py"]


def _settings(path: str, old: Mapping[str, str], new: Mapping[str, str], file: File) -> Iterator[Weaker]:
    def at(word: str, key: str, what: str) -> Weaker:
        lines = file.text.split("\n")
        line = next((n for n, text in enumerate(lines, 1) if word and word in text), None)
        line = line or next((n for n, text in enumerate(lines, 1) if key.rsplit(".", 1)[-1] in text), 1)
        return Weaker(path, line, line, what, lines[line - 1])

    before, now = old.get("addopts", ""), new.get("addopts", "")
    added = [w for w in _options(now) if w not in _options(before)]
    for word in added:
        if _LEAVES.search(f" {word}"):
            yield at(word.split("=")[0].split()[0], "addopts", f"`{word}` leaves tests out")
            break
    for key in _LISTS:
        told, tells = set(old.get(key, "").split()), set(new.get(key, "").split())
        if (key in new and told and told - tells) or (key in new and key not in old and key != "testpaths" and old):
            yield at("", key, f"`{key}` collects less than before")
    added_folders = set(new.get("norecursedirs", "").split()) - set(old.get("norecursedirs", "").split())
    if added_folders & {"tests", "test"} or any("test" in w for w in added_folders):
        yield at("norecursedirs", "norecursedirs", "`norecursedirs` leaves folders of tests out")
    if old.get("xfail_strict", "").lower() == "true" and new.get("xfail_strict", "").lower() != "true":
        yield at("xfail_strict", "xfail_strict", "a test that passes against its mark no longer fails")
    if "error" in old.get("filterwarnings", "").split() and "error" not in new.get("filterwarnings", "").split():
        yield at("filterwarnings", "filterwarnings", "warnings no longer fail")
    for key in ("coverage.fail_under",):
        if _number(old.get(key)) > _number(new.get(key)):
            yield at("fail_under", key, "less has to be covered than before")


def _options(text: str) -> list[str]:
    """Return options with their values: `-m "not slow"` is one."""
    return [" ".join(w.split()) for w in re.findall(r"-{1,2}[\w-]+(?:[= ](?:\"[^\"]*\"|'[^']*'|(?!-)\S+))?", text)]


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _hooks(path: str, suites: tuple[Suite, Suite], file: File) -> Iterator[Weaker]:
    old, new = suites[0].trees.get(path), suites[1].trees.get(path)
    known = {ast.unparse(n) for n in (old.body if old else ())}
    for node in new.body if new else ():
        text = ast.unparse(node)
        if text in known:
            continue
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and re.match(r"collect_ignore", text):
            yield Weaker(path, node.lineno, node.end_lineno, f"`{text[:60]}` leaves tests out", text[:200])
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("pytest_") and _HOOKS.search(text):
            head = next(
                (
                    n
                    for n in ast.walk(node)
                    if isinstance(n, ast.Call | ast.Assign | ast.Return) and _HOOKS.search(ast.unparse(n))
                ),
                node,
            )
            if not re.search(r"getoption|config\.option", text):
                yield Weaker(
                    path,
                    node.lineno,
                    max(node.lineno, getattr(head, "lineno", node.lineno)),
                    f"`{node.name}` keeps tests from running, or from failing",
                    text[:200],
                )
