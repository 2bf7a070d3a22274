"""Settings and hooks that decide which tests run, before and after a change."""

from __future__ import annotations

import ast
import configparser
import fnmatch
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from squads.contracts.artifact import File
from squads.gates.changes.suite import Suite
from squads.gates.changes.suites import Weaker

SETTINGS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini", ".coveragerc")
_LISTS = ("testpaths", "python_files", "python_classes", "python_functions")
_LEAVES = re.compile(
    r"--deselect|--ignore|(?:^|\s)-k[\s=]|(?:^|\s)-m[\s=]|--collect-only|--co\b|--exitfirst|--lf\b|--maxfail"
)
# A finding on the head of a hook points at what it does, where that is near.
_NEAR = 3
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
            if _leaves_out(path, node, suites[1]):
                yield Weaker(path, node.lineno, node.end_lineno, f"`{text[:60]}` leaves tests out", text[:200])
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("pytest_"):
            head = next(_acts(node.body), None)
            if head is not None:
                what = f"`{node.name}` keeps tests from running, or from failing"
                near = head.lineno - node.lineno < _NEAR
                yield Weaker(path, node.lineno if near else head.lineno, head.end_lineno, what, text[:200])


def _leaves_out(path: str, node: ast.stmt, suite: Suite) -> bool:
    """Return whether a test is among what is not collected; yes where that is computed."""
    value = getattr(node, "value", None)
    told = (
        [e.value for e in ast.walk(value) if isinstance(e, ast.Constant) and isinstance(e.value, str)] if value else []
    )
    folder = path.removesuffix("conftest.py")
    for one in told:
        whole = f"{folder}{one}"
        for other, _, _ in suite.tests:
            if fnmatch.fnmatchcase(other, whole) or other.startswith(f"{whole.rstrip('/')}/"):
                return True
    return not told


def _acts(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a hook that keep tests from running, or from failing, when nobody asks for anything."""
    for node in body:
        if isinstance(node, ast.If):
            chosen = _unasked(node.test)
            if chosen is not False:
                yield from _acts(node.body)
                if chosen and any(isinstance(s, ast.Return | ast.Continue) for s in node.body):
                    return
            if chosen is not True:
                yield from _acts(node.orelse)
        elif isinstance(node, ast.For | ast.With | ast.Try):
            yield from _acts(node.body)
        elif _HOOKS.search(ast.unparse(node)):
            yield node


def _unasked(test: ast.expr) -> bool | None:
    """Return what a condition is where no option is given and no variable is set; None where it asks something else."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _unasked(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        parts = [_unasked(v) for v in test.values]
        if isinstance(test.op, ast.And):
            return False if False in parts else True if all(parts) else None
        return True if True in parts else False if not any(p is None for p in parts) else None
    text = ast.unparse(test)
    if re.fullmatch(r"(?:\w+\.)*(?:getoption|getini|option\.\w+|getenv|environ\.get)\b.*|(?:\w+\.)*option\.\w+", text):
        return False if not re.search(r"['\"]CI['\"]|[!=<>]=| in ", text) else None
    return None
