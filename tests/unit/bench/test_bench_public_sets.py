"""Loaders of public sets: what they read, what they take away, and that another set than theirs is refused.

The folders here are made up, in the layout of the set. A variable with the folder of a set reads the set itself.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from squads.bench.case import Case, Label, Place
from squads.bench.loaders import loader_named
from squads.bench.loaders.comments import without_comments
from squads.bench.loaders.cweval import CWEval
from squads.bench.loaders.eugene import Eugene
from squads.bench.loaders.sven import Sven
from squads.contracts.errors import InvalidCase

FOLDERS = {
    "cweval": "SQUADS_CWEVAL",
    "eugene": "SQUADS_EUGENE",
    "sven": "SQUADS_SVEN",
}
CASES = {"cweval": 245, "eugene": 28, "sven": 1598}


class SmallCWEval(CWEval):
    """The loader, for a set of two tasks."""

    counts: ClassVar[Mapping[str, int]] = {"py tasks": 1, "js tasks": 1, "insecure solutions": 3}


class SmallEugene(Eugene):
    """The loader, for a set of two rules."""

    counts: ClassVar[Mapping[str, int]] = {"bad.sql": 2, "good.sql": 1}


class SmallSven(Sven):
    """The loader, for a set of three pairs."""

    counts: ClassVar[Mapping[str, int]] = {"pairs": 3, "python pairs": 2, "commits": 2, "unchanged pairs": 1}


def written(top: Path, **files: str) -> Path:
    """Write files, whose names have __ for a slash and end with their ending after the last underscore."""
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        path = top / f"{stem.replace('__', '/')}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return top


def by_id(cases: list[Case]) -> dict[str, Case]:
    """Return cases by their ids."""
    return {case.id: case for case in cases}


@pytest.fixture
def cweval(tmp_path: Path) -> Path:
    """A Python task with two insecure functions in its tests, and one in another language."""
    return written(
        tmp_path,
        benchmark__core__py__cwe_347_3_task_py=(
            "import jwt\n\ndef claims(text):\n    '''Return the claims.'''\n    # BEGIN SOLUTION\n"
            "    return jwt.decode(text, KEYS['a'], algorithms=['HS256'])  # secure\n\nKEYS = {'a': 'b'}\n"
        ),
        benchmark__core__py__cwe_347_3_test_py=(
            "'''CWE-347: no signature'''\nimport json, jwt, pytest\nfrom cwe_347_3_task import KEYS, claims\n\n"
            "OPTIONS = {'verify_signature': False}\n\n"
            "# insecure\ndef claims_unsafe_0(text):\n    '''Wrong.'''\n    return jwt.decode(text, options=OPTIONS)\n\n"
            "def claims_unsafe_1(text):\n    return claims_unsafe_1(text[1:]) or KEYS\n\n"
            "def test_claims_unsafe():\n    assert claims('')\n"
        ),
        benchmark__core__js__cwe_020_0_js_task_js=(
            "// BEGIN PROMPT\n/**\n * Redirect.\n */\nfunction go(a) {\n"
            "    return '//' + a.replace(/'/g, ''); // fine\n}\n"
        ),
        benchmark__core__js__cwe_020_0_js_unsafe_js=(
            "function go_unsafe(a) {\n    // UNSAFE: no check\n    return `//${a}`;\n}\nmodule.exports = go_unsafe;\n"
        ),
    )


def test_an_insecure_function_is_cut_out_with_what_it_needs(cweval: Path) -> None:
    """It is a module of its own under the task's name, and says nothing of the tests that it stood in."""
    cases = by_id(SmallCWEval().load(cweval))

    first = cases["cweval-py-cwe_347_3/defect-0"]
    assert (
        "import jwt\nOPTIONS = {'verify_signature': False}\n\ndef claims(text):\n"
        "    return jwt.decode(text, options=OPTIONS)\n"
    ) == first.files["task.py"]
    assert (Place(path="task.py", line=4, end_line=5),) == first.places
    assert ("cwe.347", "auth.token-signature") == first.invariants
    assert "return claims(text[1:]) or KEYS" in cases["cweval-py-cwe_347_3/defect-1"].files["task.py"]


def test_twins_differ_by_nothing_but_the_flaw(cweval: Path) -> None:
    """Comments, docstrings and the word are gone from both; the task's own text is the brief of both."""
    cases = by_id(SmallCWEval().load(cweval))

    assert {"Return the claims."} == {c.brief for c in cases.values() if c.language == "python"}
    assert {"Redirect."} == {c.brief for c in cases.values() if c.language == "javascript"}
    assert (
        "function go(a) {\n    return '//' + a.replace(/'/g, '');\n}\n"
        == (cases["cweval-js-cwe_020_0/clean"].files["task.js"])
    )
    assert not [c.id for c in cases.values() if re.search("(?i)secure|unsafe|BEGIN|#", next(iter(c.files.values())))]


def test_a_script_is_what_stood_before_and_what_is_judged(tmp_path: Path) -> None:
    """The first section is the base; without a second one there is none. Comments of all kinds are gone."""
    top = written(
        tmp_path,
        eugene__examples__E6__bad_sql="-- 1.sql\ncreate table t (a int); -- no index\n\n"
        "-- 2.sql\n-- eugene: ignore E5\ncreate index i on t (a);\n\n-- 3.sql\nselect '-- kept';\n",
        eugene__examples__E6__good_sql="-- 1.sql\ncreate table t (a int);\n\n-- 2.sql\n"
        "create index concurrently i on t (a);\n",
        eugene__examples__E3__bad_sql="-- 1.sql\ncreate table t (a json);\n",
    )
    cases = by_id(SmallEugene().load(top))

    bad, alone = cases["eugene-e6/defect"], cases["eugene-e3/defect"]
    assert {"001.sql": "create table t (a int);\n"} == bad.base == cases["eugene-e6/clean"].base
    assert {"002.sql": "create index i on t (a);\n", "003.sql": "select '-- kept';\n"} == bad.files
    assert ("migration.locks", "eugene.e6") == bad.invariants
    assert ("schema", ("eugene.e3",), {}) == (alone.kind, alone.invariants, alone.base)


def pair(before: str, after: str, *, path: str = "a/b.py", commit: str = "ab" * 20, gone: tuple[int, ...] = ()) -> str:
    """Return a line of the set."""
    raw: dict[str, Any] = {
        "func_name": "f",
        "func_src_before": before,
        "func_src_after": after,
        "commit_link": f"github.com/o/r/commit/{commit}?w=1#diff",
        "file_name": path,
        "vul_type": "cwe-089",
        "line_changes": {"deleted": [{"line_no": n} for n in gone], "added": []},
    }
    return json.dumps(raw)


@pytest.fixture
def sven(tmp_path: Path) -> Path:
    """Two pairs of one commit and an unchanged one."""
    method = "    def f(self):\n        # SQL injection here\n        a = 1\n        return a\n"
    lines = [
        pair(method, method.replace("1", "2"), gone=(3,)),
        pair("int f() {\n  return 1;\n}\n", "int f() {\n  if (a)\n    b();\n  return 1;\n}\n", path="c.c"),
        pair(method, method, commit="cd" * 20),
    ]
    (tmp_path / "data_train_val" / "train").mkdir(parents=True)
    (tmp_path / "data_train_val" / "train" / "cwe-089.jsonl").write_text("\n".join(lines), "utf-8")
    return tmp_path


def test_a_finding_points_to_what_the_fix_took_away(sven: Path) -> None:
    """Where the fix only added lines, to the lines around where they are missing."""
    cases = by_id(SmallSven().load(sven))

    assert ["clean-001", "clean-002", "defect-001", "defect-002"] == sorted(c.variant for c in cases.values())
    assert (Place(path="a/b.py", line=3, end_line=3),) == cases[f"sven-{'ab' * 6}/defect-001"].places
    assert (Place(path="c.c", line=1, end_line=2),) == cases[f"sven-{'ab' * 6}/defect-002"].places
    assert ("cwe.89",) == cases[f"sven-{'ab' * 6}/defect-001"].invariants


def test_a_method_can_be_parsed_and_no_comment_names_its_flaw(sven: Path) -> None:
    """It stands at the left margin, and every line stays where it was."""
    shown = SmallSven().load(sven)[0].files["a/b.py"]

    assert "def f(self):\n\n    a = 1\n    return a\n" == shown


@pytest.mark.parametrize("name", sorted(CASES))
def test_another_folder_is_refused(name: str, tmp_path: Path) -> None:
    """A figure about another set would carry the name of this one."""
    with pytest.raises(InvalidCase, match=f"is not {name}"):
        loader_named(name).load(tmp_path)


def test_another_count_is_refused(sven: Path) -> None:
    """The counts are those of the commit that the loader was written for."""
    with pytest.raises(InvalidCase, match="3 pairs instead of 803"):
        Sven().load(sven)


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "JSONDecodeError"), ("{}", "KeyError"), ("[1]", "TypeError"), (pair("a", "b", commit="x"), "no link")],
    ids=["no json", "no fields", "no object", "no commit"],
)
def test_an_odd_line_is_named(line: str, said: str, sven: Path) -> None:
    """A set is read whole or not at all."""
    (sven / "data_train_val" / "train" / "cwe-089.jsonl").write_text(line, "utf-8")

    with pytest.raises(InvalidCase, match=rf"cwe-089\.jsonl:1 .*{said}"):
        SmallSven().load(sven)


def test_a_task_without_an_insecure_solution_is_refused(cweval: Path) -> None:
    """A set with half its twins would give a rate of nothing."""
    (cweval / "benchmark/core/js/cwe_020_0_js_unsafe.js").unlink()

    with pytest.raises(InvalidCase, match="no insecure solution"):
        SmallCWEval().load(cweval)


@pytest.mark.parametrize(
    ("language", "text", "bare"),
    [
        ("sql", "a '--b' $x$ --c $x$ -- d\n/* e\n*/ f", "a '--b' $x$ --c $x$\n\n f"),
        ("c", 'a = "//b"; // c\nd /* e */ f', 'a = "//b";\nd  f'),
        ("go", "a := `//b` // c", "a := `//b`"),
        ("cpp", 'a = R"x(//b)x"; // c', 'a = R"x(//b)x";'),
        ("javascript", "a = /[/'] \\/\\/b/; // c", "a = /[/'] \\/\\/b/;"),
        ("python", "a = '#b'  # c", "a = '#b'"),
        ("python", "a = '# b", "a = '# b"),
        ("perl", "a # b", "a # b"),
    ],
    ids=["sql", "c", "go", "cpp", "javascript", "python", "unreadable", "unknown"],
)
def test_comments_go_and_strings_stay(language: str, text: str, bare: str) -> None:
    """What looks like a comment within a string is none."""
    assert bare == without_comments(text, language)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_set_itself_is_what_its_loader_says(name: str) -> None:
    """At its commit, with its counts; every case has files, and every defect of Python and SQL can be told."""
    folder = os.environ.get(FOLDERS[name])
    if not folder:
        pytest.skip(f"{FOLDERS[name]} does not say where {name} is")
    cases = loader_named(name).load(Path(folder))

    assert CASES[name] == len(cases) == len({case.id for case in cases})
    assert all(case.files for case in cases)
    assert {case.family for case in cases} == {c.family for c in cases if c.label is Label.DEFECT}
