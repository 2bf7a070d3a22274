"""A secret is followed as a sample: what a helper leaves of it decides, and not what the helper is called."""

from __future__ import annotations

import tracemalloc

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.checks.secret_exposed import secret_exposed
from squads.gates.python import read_program
from squads.gates.secrets import functions, pure
from squads.gates.secrets.texts import Texts

LOG = "import logging, re, base64, hashlib\nlog = logging.getLogger()\n"


def refused(text: str, path: str = "app/module.py") -> bool:
    return any(f.severity >= Severity.MAJOR for f in secret_exposed(Artifact.of({path: text})))


@pytest.mark.parametrize(
    ("made", "left"),
    [
        ("s[:4] + '...'", False),
        ("s[:-4] + '****'", True),
        ("'*' * (len(s) - 4) + s[-4:]", False),
        ("s.ljust(40, '*')", True),
        ("base64.b64encode(s.encode()).decode()", True),
        ("hashlib.sha256(s.encode()).hexdigest()", False),
        ("re.sub(r'.', '*', s)", False),
        ("re.sub(r'password=\\S+', '***', s)", True),
        ("'-'.join(s)", True),
        ("s[::-1]", True),
        ("''.join('*' if c.isalnum() else c for c in s)", False),
    ],
)
def test_what_a_helper_leaves_decides(made: str, left: bool) -> None:
    """Its name promises nothing."""
    assert left is refused(
        f"{LOG}\ndef masked(s):\n    return {made}\n\ndef f(api_key):\n    log.info(masked(api_key))\n"
    )


@pytest.mark.parametrize(
    ("use", "kept"),
    [
        ("http.get('/x', headers={'Authorization': 'Bearer ' + k})", True),
        ("http.get('/x', auth=('me', k))", True),
        ("hmac.new(k.encode(), b'', 'sha256')", True),
        ("http.get('/x', params={'q': k})", False),
        ("names.append(k)", False),
    ],
)
def test_what_is_used_like_a_secret_is_one(use: str, kept: bool) -> None:
    """Whatever it is called."""
    assert kept is refused(f"{LOG}import hmac\ndef f(http, names, k):\n    log.info('with %s', k)\n    return {use}\n")


@pytest.mark.parametrize("key", ["password", "db_password", "Api-Key"])
def test_a_mask_by_key_is_gone_through_key_by_key(key: str) -> None:
    """A list of keys hides what is on it."""
    text = LOG + (
        "def hidden(d):\n    out = {{}}\n    for k, v in d.items():\n"
        "        if k.lower() in {0!r}:\n            continue\n"
        "        out[k] = v\n    return out\n\ndef f(secret_key):\n    log.info('%s', hidden({{{1!r}: secret_key}}))\n"
    )

    assert not refused(text.format((key.lower(),), key))
    assert refused(text.format(("other",), key))


@pytest.mark.parametrize(
    "text",
    [
        "T = {'1': 'hel', '2': 'lo'}\ndef f(o):\n    return ''.join(T[n] for n in o.split('-'))\nX = f('1-2')",
        "X = bytes(b ^ 7 for b in bytes([111, 98, 107, 107, 104])).decode()",
        "def f():\n    r = ''\n    for c in 'ifmmp':\n        r += chr(ord(c) - 1)\n    return r\nX = f()",
        "import os\nX = os.environ.get('X', '') or 'hello'",
        "X = ''.join(a + b for a, b in zip('hlo', ('e', 'l', '')))",
        "X = '{a}{b}'.format(**{'a': 'he', 'b': 'llo'})",
    ],
)
def test_a_text_is_put_together_as_python_does(text: str) -> None:
    """Through helpers, loops, tables and defaults."""
    program = read_program(Artifact.of({"m.py": text}))
    bound = program.files.module("m.py").scopes.module.bindings["X"][0]
    assert bound.value is not None

    assert Texts(program).text(bound.value) == "hello"


def test_nothing_of_the_artifact_can_take_long() -> None:
    """Patterns that go wrong are not run, and loops end."""
    assert not functions.quick(r"(a+)+$")
    assert not functions.quick(r"(\w*)*@")
    assert functions.quick(r"://([^:]+):[^@]+@")
    assert len(str(pure.operated("Mult", "x" * 150, 10**9))) <= pure.CHARS_MAX
    assert not refused(LOG + "def f(password):\n    while True:\n        f(password)\n")


LONG = "t = 'a' * 150\n    t = t * 130\n    "


@pytest.mark.parametrize(
    "made",
    [
        "out = '{:{}}'.format(1, '90000000')",
        "out = '{0[0]:>90000000}'.format('ab')",
        LONG + "out = t.expandtabs(20000)",
        LONG + "out = t.replace('a', t)",
        LONG + "out = t.join(t)",
        "out = [api_key] * 60\n    " + "out = [out] * 60\n    " * 6,
        "a = []\n    a.append(a)\n    out = f'{a}' if a in [1] else a",
        "out = re.sub('a*a*a*a*a*b', '', 'a' * 190)",
    ],
)
def test_no_value_grows_beyond_its_bounds(made: str) -> None:
    """Each of these took seconds, or hundreds of megabytes."""
    tracemalloc.start()
    try:
        refused(f"{LOG}\ndef f(api_key):\n    {made}\n    log.info(out)\n")
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


def test_the_parts_of_a_set_have_one_order() -> None:
    """In every process the same, whatever the hashes are."""
    assert pure.method("", "join", [set("kcbaz")], {}) == "abckz"
    assert pure.written(set("kcbaz")) == "[a, b, c, k, z]"
