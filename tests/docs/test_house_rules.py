"""The rules of the house that no linter knows: sizes, leftovers, places, docstrings, links."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
LINES_MAX = 400
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def tracked() -> list[Path]:
    """Return every file that is, or will be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git work tree, so nothing is tracked here")
    return [p for name in listed.stdout.decode().split("\0") if name and (p := ROOT / name).is_file()]


def pages() -> list[Path]:
    """Return every page that a reader may open."""
    return sorted(
        [*ROOT.glob("*.md"), *(p for d in ("docs", "memory", "roles", "gates") for p in ROOT.glob(f"{d}/**/*.md"))]
    )


def test_no_file_is_longer_than_one_noun() -> None:
    """Past 400 lines there is a second noun in the file."""
    sizes = {str(p.relative_to(ROOT)): len(p.read_text("utf-8").splitlines()) for p in SOURCES}

    assert {name: lines for name, lines in sizes.items() if lines > LINES_MAX} == {}


def test_nothing_is_left_for_later() -> None:
    """No stub, no reminder; a conformance suite's hooks are for its user to write."""
    words = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "Not" + "Implemented")))
    found = [
        f"{p.relative_to(ROOT)}:{number}: {line.strip()}"
        for p in SOURCES
        for number, line in enumerate(p.read_text("utf-8").splitlines(), 1)
        if words.search(line)
        and not (p.name.startswith("conformance_") and "raise NotImplementedError" in line)
        and "except NotImplementedError" not in line  # somebody else's: a model that cannot stream says so with it
    ]

    assert found == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    """Paths of one machine and hosts of package registries are nobody else's business, and go out of date."""
    # Taken apart, so that this file does not find itself; `somebody` has no home.
    machine = "|".join(("ro" + "ot", "wo" + "rk", "ho" + r"me/(?!somebody)\w+", "Us" + r"ers/(?!somebody)\w+"))
    hosts = "|".join(
        ("py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "npm" + r"js\.com", "arti" + "factory")
    )
    words = re.compile(rf"(?<![\w.$~}}*-])/(?:{machine})/|{hosts}")
    found = []
    for path in tracked():
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{n}: {line.strip()[:100]}"
            for n, line in enumerate(lines, 1)
            if words.search(line)
        ]

    assert found == []


def test_everything_public_has_a_docstring() -> None:
    """Modules, classes and functions without an underscore, also inside of classes."""
    assert [f"{p.relative_to(ROOT)}: {name}" for p in SOURCES for name in undocumented(p)] == []


def undocumented(path: Path) -> Iterator[str]:
    """Yield what is public in a file and has no docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    if tree.body and not ast.get_docstring(tree):
        yield "the file"
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, parent = waiting.pop()
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith(
                "_"
            ):
                typed_again = any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)
                if not typed_again and not ast.get_docstring(node):
                    yield f"{prefix}{node.name}"
                if isinstance(node, ast.ClassDef):
                    waiting.append((f"{prefix}{node.name}.", node))


def test_every_relative_link_leads_somewhere() -> None:
    """To a file or folder that is there, and to a heading that is in it."""
    broken = []
    for page in pages():
        for target in LINK.findall(prose(page)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            if not path.exists() or (anchor and anchor not in anchors(path)):
                broken.append(f"{page.relative_to(ROOT)} -> {target}")

    assert broken == []


def test_every_page_is_reachable_from_the_readme() -> None:
    """A page that no page leads to is read by nobody."""
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        waiting += [(page.parent / t.partition("#")[0]).resolve() for t in LINK.findall(prose(page)) if ":" not in t]

    assert [str(p.relative_to(ROOT)) for p in pages() if p not in reached] == []


def test_a_line_of_prose_holds_one_sentence() -> None:
    """So that a change of one sentence is a change of one line. Lists and tables may hold two."""
    found = []
    for page in pages():
        for number, line in enumerate(prose(page).split("\n"), 1):
            if re.match(r"[A-Z`\[*]", line) and re.search(r"[a-z0-9)`*][.!?] [A-Z`]", line):
                found.append(f"{page.relative_to(ROOT)}:{number}: {line[:100]}")

    assert [f for f in found if "public-names.md" not in f and "receipts.md" not in f and "checks.md" not in f] == []


def test_decisions_say_all_four_things() -> None:
    """Context, choice, what we gave up, what would reopen it; numbered without a gap."""
    decisions = sorted((ROOT / "memory" / "decisions").glob("[0-9]*.md"))

    assert [f"{n:04}" for n in range(1, len(decisions) + 1)] == [p.name[:4] for p in decisions]
    for page in decisions:
        titles = re.findall(r"^## (.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert titles == ["Context", "Choice", "What we gave up", "What would reopen it"], page.name


def test_every_test_that_a_page_names_is_there() -> None:
    """The threat model points at the test that shows it; the test must exist."""
    missing = []
    for page in pages():
        for file, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", page.read_text("utf-8")):
            path = ROOT / file
            if not path.is_file() or (name and f"def {name}(" not in path.read_text("utf-8")):
                missing.append(f"{page.relative_to(ROOT)}: {file}::{name}")

    assert missing == []


def prose(page: Path) -> str:
    """Return a page without its fenced blocks; the numbers of its lines stay."""
    return re.sub(
        r"^( *)```.*?^\1```$",
        lambda m: "\n" * m[0].count("\n"),
        page.read_text("utf-8"),
        flags=re.DOTALL | re.MULTILINE,
    )


def anchors(page: Path) -> set[str]:
    """Return what a link may name in a page: its headings, as they are turned into anchors."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles}
