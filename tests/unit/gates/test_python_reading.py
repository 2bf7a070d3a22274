"""Python as checks read it: names, values, flows and order of events, and files that nobody can read."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import ast

import pytest

from squads.contracts.artifact import Artifact
from squads.gates.check import CannotLook
from squads.gates.python import FILE_BYTES_MAX, UNKNOWN, Done, Fact, Module, Program, holds, read_program
from squads.gates.python import files as python_files
from squads.gates.python import flow as python_flow
from squads.gates.python import program as python_program


def program(files: str | dict[str, str | bytes]) -> Program:
    return read_program(Artifact.of({"app/a.py": files} if isinstance(files, str) else files))


def call(program: Program, text: str, path: str = "app/a.py") -> ast.Call:
    """Return the call whose source begins with `text`."""
    return next(c for c in program.files.module(path).calls if ast.unparse(c).startswith(text))


NAMED: dict[str, tuple[str | dict[str, str | bytes], str]] = {
    "import": ("import jwt\njwt.decode()", "jwt.decode"),
    "import as": ("import jwt as j\nj.decode()", "jwt.decode"),
    "import of a part": ("import xml.etree.ElementTree\nxml.etree.ElementTree.parse()", "xml.etree.ElementTree.parse"),
    "from import as": ("from jwt import decode as d\nd()", "jwt.decode"),
    "bound to a name": ("import jwt\nread = jwt.decode\nread()", "jwt.decode"),
    "bound twice over": ("import jwt\na = jwt\nb = a.decode\ndef f():\n    b()", "jwt.decode"),
    "partial": ("import functools, jwt\nd = functools.partial(jwt.decode, key=1)\nd()", "jwt.decode"),
    "partial of partial": (
        "from functools import partial as p\nimport jwt\nd = p(p(jwt.decode), key=1)\nd()",
        "jwt.decode",
    ),
    "getattr": ("import jwt\ngetattr(jwt, 'decode')()", "jwt.decode"),
    "imported by name": ("import importlib\nimportlib.import_module('jwt').decode()", "jwt.decode"),
    "one of two": ("import jwt, jose\n(jwt if x else jose).decode()", "jwt.decode"),
    "an object": ("import jwt\nc = jwt.PyJWKClient(u)\nc.get()", "jwt.PyJWKClient().get"),
    "an annotated parameter": ("import jwt\ndef f(c: 'x', d: jwt.PyJWT | None):\n    d.decode()", "jwt.PyJWT().decode"),
    "of self": (
        "import jwt\nclass A:\n    def __init__(self):\n        self.c = jwt.PyJWT()\n    def f(self):\n        self.c.decode()",
        "jwt.PyJWT().decode",
    ),
    "of a class": ("import jwt\nclass A:\n    d = jwt.decode\n    def f(self):\n        self.d()", "jwt.decode"),
    "of a base": (
        "import jwt\nclass B:\n    d = jwt.decode\nclass A(B):\n    def f(self):\n        self.d()",
        "jwt.decode",
    ),
    "of a base of elsewhere": ("import x\nclass A(x.B):\n    def f(self):\n        self.d()", "x.B().d"),
    "a context manager": ("import x\nwith x.open() as f:\n    f.read()", "x.open().read"),
    "of a dict": ("import jwt\nD = {'jwt': jwt.decode}\nD['jwt']()", "jwt.decode"),
    "a default": ("import jwt\ndef f(d=jwt.decode):\n    d()", "jwt.decode"),
    "returned": ("import jwt\ndef get():\n    return jwt.decode\nget()()", "jwt.decode"),
    "a walrus": ("import jwt\n(d := jwt.decode)\nd()", "jwt.decode"),
    "a built-in": ("print()", "print"),
    "imported in a function": ("def f():\n    from jwt import decode\n    decode()", "jwt.decode"),
    "a star": ("from jwt import *\ndecode()", "jwt.decode"),
    "re-exported": (
        {"app/a.py": "from .b import decode\ndecode()", "app/b.py": "from jwt import decode as decode"},
        "jwt.decode",
    ),
    "a module of the artifact": (
        {"app/a.py": "from app import b\nb.decode()", "app/b.py": "import jwt\ndecode = jwt.decode"},
        "jwt.decode",
    ),
    "a package's init": (
        {"app/a.py": "from .p import d\nd()", "app/p/__init__.py": "from .q import d", "app/p/q.py": "import jwt\nd = jwt.decode"},
        "jwt.decode",
    ),
    "a star of the artifact": (
        {"app/a.py": "from .b import *\nd()", "app/b.py": "import jwt\nd = jwt.decode"},
        "jwt.decode",
    ),
    "a namesake in a package": (
        {"app/a.py": "import jwt\njwt.decode()", "app/jwt.py": "x = 1", "app/__init__.py": ""},
        "jwt.decode",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "name"), NAMED.values(), ids=NAMED)
def test_a_name_is_what_it_was_bound_to(files, name):
    """However it was imported, renamed, bound or wrapped."""
    read = program(files)
    last = max(read.files.module("app/a.py").calls, key=lambda c: (c.lineno, c.end_col_offset or 0))

    assert name in read.names.names(last.func)


VALUES: dict[str, tuple[str, set[object]]] = {
    "a constant": ("f(False)", {False}),
    "a name": ("OFF = False\nf(OFF)", {False}),
    "not": ("f(not True)", {False}),
    "one of two": ("f(1 if x else 2)", {1, 2}),
    "the last one": ("def g():\n    x = 1\n    x = 2\n    f(x)", {2}),
    "either branch": ("def g():\n    if y:\n        x = 1\n    else:\n        x = 2\n    f(x)", {1, 2}),
    "a branch that leaves": ("def g():\n    x = 1\n    if y:\n        x = 2\n        return\n    f(x)", {1}),
    "around a loop": ("def g():\n    x = 1\n    for y in z:\n        f(x)\n        x = 2", {1, 2}),
    "a handler": ("def g():\n    x = 1\n    try:\n        x = 2\n    except E:\n        f(x)", {1, 2}),
    "a dict's item": ("D = {'a': 1, 'b': 2}\nf(D['a'])", {1}),
    "a tuple's item": ("a, b = 1, 2\nf(b)", {2}),
    "a class's": ("class A:\n    X = 1\nf(A.X)", {1}),
    "self's": ("class A:\n    def __init__(self):\n        self.x = 1\n    def g(self):\n        f(self.x)", {1}),
    "returned": ("def one():\n    return 1\nf(one())", {1}),
    "a default": ("def g(x=1):\n    f(x)", {1}),
    "a caller's": ("def g(x):\n    f(x)\ng(1)", {1}),
    "a parameter that nobody fills": ("def g(x):\n    f(x)", {UNKNOWN}),
    "the environment": ("import os\nf(os.environ.get('X', 'y'))", {UNKNOWN}),
    "joined": ("A = 'a'\nf(A + 'b')", {"ab"}),
    "itself": ("def g():\n    x = x\n    f(x)", {UNKNOWN}),
    "in a circle": ("def a():\n    return b()\ndef b():\n    return a()\nf(a())", {UNKNOWN}),
}


@pytest.mark.parametrize(("text", "values"), VALUES.values(), ids=VALUES)
def test_a_value_is_what_the_artifact_fixes(text, values):
    """And UNKNOWN, where it does not."""
    read = program(text)

    assert values == read.values.constants(call(read, "f(").args[0])


OPTIONS = {
    "a display": "f({'a': 1})",
    "a name": "D = {'a': 1}\nf(D)",
    "a call": "f(dict(a=1))",
    "spread": "D = dict(a=1)\nf({**D, 'b': 2})",
    "joined": "f({'b': 2} | {'a': 1})",
    "stored": "D = {}\nD['a'] = 1\nf(D)",
    "updated": "D = {}\nD.update(a=1)\nf(D)",
    "updated by a dict": "def g():\n    d = {}\n    d.update({'a': 1})\n    f(d)",
    "copied": "D = {'a': 1}\nf(D.copy())",
    "a key by name": "K = 'a'\nf({K: 1})",
    "of self": "class A:\n    D = {'a': 1}\n    def g(self):\n        f(self.D)",
}


@pytest.mark.parametrize("text", OPTIONS.values(), ids=OPTIONS)
def test_a_dict_holds_what_was_put_into_it(text):
    read = program(text)
    entries = read.values.entries(call(read, "f(").args[0])

    assert [{1}] == [read.values.constants(v) for v in entries.known["a"]]


def test_arguments_are_unfolded_from_spreads_and_partials():
    """A check sees the arguments as the function will."""
    read = program("import functools as t\nK = {'c': 3}\np = t.partial(f, 1)\np(2, *(8, 9), **K)")
    found = read.calls.arguments(call(read, "p("))

    assert ["1", "2", "8", "9"] == [ast.unparse(a) for a in found.positional]
    assert {"c": "3"} == {k: ast.unparse(v) for k, v in found.keywords.items()}


FLOWS = {
    "a name": "y = src()\nsink(y)",
    "unpacked": "a, b = 1, src()\nsink(b)",
    "a dict": "d = {'k': src()}\nsink(d['k'])",
    "stored in a dict": "d = {}\nd['k'] = src()\nsink(d['k'])",
    "appended": "l = []\nl.append(src())\nfor x in l:\n    sink(x)",
    "a comprehension": "sink([x for x in src()])",
    "a walrus": "if (y := src()):\n    sink(y)",
    "a text": "sink(f'{src()}!')",
    "with": "with src() as y:\n    sink(y)",
    "a parameter": "def g(x):\n    sink(x)\ng(src())",
    "a keyword": "def g(*, x):\n    sink(x)\ng(x=src())",
    "many keywords": "def g(**k):\n    sink(k['x'])\ng(x=src())",
    "returned": "def g():\n    return src()\nsink(g())",
    "through and back": "def same(x):\n    return x\nsink(same(src()))",
    "self": "class A:\n    def __init__(self):\n        self.x = src()\n    def g(self):\n        sink(self.x)",
    "matched": "match src():\n    case {'k': v}:\n        sink(v)",
    "added": "y = ''\ny += src()\nsink(y)",
    "awaited": "async def g():\n    sink(await src())",
}


@pytest.mark.parametrize("text", FLOWS.values(), ids=FLOWS)
def test_a_value_is_followed_to_where_it_goes(text):
    read = program(text)
    steps = read.flow.follow(call(read, "src("), lambda _call, _step: False)

    assert "sink" in {read.calls.method(s.node) for s in steps if isinstance(s.node, ast.Call)}


@pytest.mark.parametrize("text", [t for n, t in FLOWS.items() if n != "with"], ids=[n for n in FLOWS if n != "with"])
def test_a_value_is_traced_to_where_it_comes_from(text):
    read = program(text)
    steps = read.flow.trace(call(read, "sink(").args[0], lambda _call, _step: False)

    assert "src" in {read.calls.method(n) for s in steps for n in ast.walk(s.node) if isinstance(n, ast.Call)}


def test_a_call_is_left_to_where_it_was_called_from():
    """Two callers of one function do not mix their values."""
    read = program("def same(x):\n    return x\ngood(same(src()))\nbad(same(1))")
    steps = list(read.flow.follow(call(read, "src("), lambda _call, _step: False))
    told = {read.calls.method(s.node) for s in steps if s.kind == "argument" and isinstance(s.node, ast.Call)}

    assert {"good"} == told


def test_another_key_is_another_part():
    read = program("d = {'a': src(), 'b': 1}\ngood(d['a'])\nbad(d['b'])")
    steps = list(read.flow.follow(call(read, "src("), lambda _call, _step: False))

    assert {"good"} == {read.calls.method(s.node) for s in steps if isinstance(s.node, ast.Call)}


BEFORE = {
    "a statement": "def g():\n    check()\n    use()",
    "a condition that leaves": "def g():\n    if not check():\n        return\n    use()",
    "a condition around": "def g():\n    if check():\n        use()",
    "an assertion": "def g():\n    assert check()\n    use()",
    "a flag": "def g():\n    ok = False\n    if check():\n        ok = True\n    if ok:\n        use()",
    "a result": "def g():\n    ok = check()\n    if not ok:\n        raise E\n    use()",
    "compared with None": "def g():\n    r = check()\n    if r is None:\n        raise E\n    use()",
    "and": "def g():\n    return check() and use()",
    "or": "def g():\n    return not check() or use()",
    "a choice": "def g():\n    return use() if check() else None",
    "a handler that leaves": "def g():\n    try:\n        check()\n    except E:\n        return\n    use()",
    "else of a try": "def g():\n    try:\n        check()\n    except E:\n        pass\n    else:\n        use()",
    "either way": "def g():\n    if x:\n        check()\n    elif y:\n        check()\n    else:\n        raise E\n    use()",
    "a process that ends": "import sys\ndef g():\n    if not check():\n        sys.exit(1)\n    use()",
    "a helper that raises": "def no():\n    raise E\ndef g():\n    if not check():\n        no()\n    use()",
    "a loop that must find": "def g():\n    for k in ks:\n        if check():\n            break\n    else:\n        raise E\n    use()",
    "a walrus": "def g():\n    if not (r := check()):\n        return\n    use()",
}

NOT_BEFORE = {
    "after": "def g():\n    use()\n    check()",
    "a condition": "def g():\n    if x:\n        check()\n    use()",
    "the other branch": "def g():\n    if check():\n        pass\n    else:\n        use()",
    "a handler that goes on": "def g():\n    try:\n        check()\n    except E:\n        log()\n    use()",
    "in the handler": "def g():\n    try:\n        check()\n    except E:\n        use()",
    "suppressed": "import contextlib\ndef g():\n    with contextlib.suppress(E):\n        check()\n    use()",
    "a loop that may not run": "def g():\n    for k in ks:\n        check()\n    use()",
    "an inner function": "def g():\n    def h():\n        check()\n    use()",
    "one of two": "def g():\n    x or check()\n    use()",
    "another function": "def h():\n    check()\ndef g():\n    use()",
    "a text": "def g():\n    'check()'\n    use()",
}


def checked(text: str, *, truth: bool) -> bool:
    read = program(text)
    events = read.control.before(call(read, "use("))

    def seen(event: Done | Fact) -> bool:
        node = event.node.value if isinstance(event.node, ast.Await) else event.node
        named = isinstance(node, ast.Call) and read.calls.method(node) == "check"
        return named and (isinstance(event, Done) if not truth else isinstance(event, Fact) and event.truth)

    return holds(events, seen)


@pytest.mark.parametrize("text", BEFORE.values(), ids=BEFORE)
def test_what_happens_on_every_way_has_happened(text):
    assert checked(text, truth=False)


@pytest.mark.parametrize("text", NOT_BEFORE.values(), ids=NOT_BEFORE)
def test_what_happens_on_some_ways_has_not_happened(text):
    assert not (checked(text, truth=True) if "other branch" in text or "else" in text else checked(text, truth=False))


@pytest.mark.parametrize("name", ["a condition that leaves", "a result", "and", "or", "a flag", "a walrus"])
def test_a_condition_that_let_through_is_known_to_be_true(name):
    assert checked(BEFORE[name], truth=True)


def test_a_place_is_counted_in_characters_from_one():
    """`ast` counts bytes from 0; people count characters from 1."""
    read = program("é = 'ß'; f('ü',\n  1)\n")
    place = read.place(call(read, "f("))

    assert "app/a.py:1:10" == str(place)
    assert 2 == place.end_line
    assert "f('ü',\n  1)" == place.text


ODD: dict[str, bytes] = {
    "empty": b"",
    "a mark of byte order": b"\xef\xbb\xbfimport jwt\n",
    "other line ends": b"import jwt\r\njwt.decode(\r\n  1)\r\n",
    "old line ends": b"import jwt\rjwt.decode()\r",
    "form feeds": b"import jwt\n\x0c\ndef f():\n    jwt.decode()\n",
    "tabs": b"def f():\n\timport jwt\n\tjwt.decode()\n",
    "an odd escape": b"import jwt\nx = '\\d'\n",
    "a cookie for UTF-8": b"#!/usr/bin/python\n# -*- coding: utf-8 -*-\nimport jwt\n",
    "a long chain": b"import jwt\nx = a" + b".b" * 900 + b"\n",
    "a long sum": b"import jwt\nx = " + b" + ".join([b"'a'"] * 900) + b"\n",
    "many branches": b"import jwt\nif a:\n  pass\n" + b"elif a:\n  pass\n" * 100,
    "calls in calls": b"import jwt\nx = " + b"f(" * 90 + b")" * 90 + b"\n",
}

UNREADABLE: dict[str, tuple[bytes, str]] = {
    "Python 2": (b"import jwt\nprint 'x'\n", r"app/a\.py:2: does not parse"),
    "a later Python": (b"import jwt\nclass A[T]: pass\n", r"app/a\.py:2: does not parse"),
    "nulls": (b"import jwt\n\0\0", r"app/a\.py:\d+: does not parse"),
    "binary": (b"\x7fELF jwt \xff\xfe\x00", r"app/a\.py is not UTF-8"),
    "Latin": (b"# \xe9 jwt\n", r"app/a\.py is not UTF-8"),
    "a cookie for Latin": (b"# vim: set fileencoding=latin-1 :\n# jwt \xe9", r"app/a\.py:1: is written in latin-1"),
    "brackets without end": (b"import jwt\nx = " + b"(" * 10_000 + b")" * 10_000, r"app/a\.py:\d+: "),
    "a chain without end": (b"import jwt\nx = a" + b".b()" * 20_000, r"app/a\.py:\d+: is nested too deeply"),
    "negations without end": (b"import jwt\nx = " + b"not " * 20_000 + b"a", r"app/a\.py:\d+: is nested too deeply"),
    "one byte too many": (b"#jwt" + b"x" * (FILE_BYTES_MAX - 3), rf"app/a\.py:1: holds {FILE_BYTES_MAX + 1} bytes"),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_files_are_read(content):
    """With all their names."""
    module = program({"app/a.py": content}).files.module("app/a.py")

    assert isinstance(module, Module)


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_told_with_its_place(content, reason):
    """And a second question gets the same answer."""
    read = program({"app/a.py": content})

    for _ in range(2):
        with pytest.raises(CannotLook, match=reason):
            read.files.mentioning("jwt", "ELF")


def test_a_file_at_the_bound_is_read():
    assert program({"app/a.py": b"#" + b"x" * (FILE_BYTES_MAX - 1)}).files.module("app/a.py")


def test_files_that_do_not_matter_are_not_parsed():
    """A broken file that mentions nothing of interest holds nobody up."""
    read = program({"app/a.py": "import jwt\n", "app/old.py": "print 'x'\n"})

    assert ["app/a.py"] == [m.path for m in read.files.mentioning("jwt")]


def test_all_files_together_are_bounded(monkeypatch):
    monkeypatch.setattr(python_files, "READ_BYTES_MAX", 20)
    read = program({"app/a.py": "#jwt 4567890", "app/b.py": "#jwt 4567890"})

    with pytest.raises(CannotLook, match="more than 20 bytes of Python"):
        read.files.mentioning("jwt")


@pytest.mark.parametrize("steps_max", [2, 1])
def test_a_walk_is_bounded(monkeypatch, steps_max):
    """At the bound it goes on, past it nobody pretends to have seen everything."""
    monkeypatch.setattr(python_flow, "STEPS_MAX", steps_max)
    read = program("y = src()\nsink(y)\n")
    steps = read.flow.follow(call(read, "src("), lambda _call, _step: False)

    if steps_max == 2:
        assert ["same", "argument"] == [s.kind for s in steps]
    else:
        with pytest.raises(CannotLook, match=r"app/a\.py:1:5: this value goes through more than 1 places"):
            list(steps)


def test_checks_share_a_program_until_others_come():
    """One parse serves all checks of an artifact; old artifacts are let go."""
    one = Artifact.of({"a.py": "x = 1"})
    kept = read_program(one)

    assert kept is read_program(Artifact.of({"a.py": "x = 1"}))
    for number in range(python_program.PROGRAMS_MAX):
        read_program(Artifact.of({"a.py": f"y = {number}"}))
    assert kept is not read_program(one)


def test_recursion_ends():
    """Functions that call each other, names bound to each other, classes that inherit in a circle."""
    read = program(
        "def a(x):\n    return b(x)\ndef b(x):\n    return a(x)\nclass A(B): pass\nclass B(A): pass\n"
        "p = q\nq = p\nsink(a(src()), A().x, p)"
    )
    source, sink = call(read, "src("), call(read, "sink(")

    assert list(read.flow.follow(source, lambda _call, _step: True))
    assert [UNKNOWN] == [v for a in sink.args[2:] for v in read.values.constants(a)]


DOUBLED = {
    "sums": "x{n} = x{m} + x{m}",
    "choices": "x{n} = x{m} or x{m}",
    "lists": "x{n} = [*x{m}, *x{m}]",
    "dicts": "x{n} = {{**x{m}, **x{m}}}",
    "functions": "def x{n}(): return x{m}() or x{m}()",
    "circles": "x{n} = x{m} + x{n}",
}


@pytest.mark.parametrize("line", DOUBLED.values(), ids=DOUBLED)
def test_what_doubles_at_every_step_ends_soon(line):
    """Forty steps of doubling would be a million million; the answer may be UNKNOWN, but it comes."""
    steps = "\n".join(line.format(n=n, m=n - 1) for n in range(1, 40))
    read = program(f"x0 = src\n{steps}\nsink(x39, **x39)\nsink(x39())")
    value = call(read, "sink(").args[0]

    assert {UNKNOWN} == read.values.constants(value) or read.names.things(value)
    assert read.values.elements(value) is not None
    assert read.values.entries(value) is not None
    assert list(read.flow.trace(value, lambda _call, _step: True)) is not None
