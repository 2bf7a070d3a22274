"""A first look at the texts of an artifact: which files cannot hold a float of money, whatever a parse would say.

A file that stands alone (it imports nothing of the artifact, and nothing of the artifact imports it) makes its floats
itself: with a literal, a division, the word `float`, a module that answers floats, or a number out of JSON that is
computed with. Without any of these it need not be parsed.
"""

from __future__ import annotations

import re

from squads.gates.money.words import may_be_money

_LITERALS = re.compile(
    rb"(?s)(?P<shown>\b[fF][rR]?|\b[rR][fF])?(?P<text>'''(?:\\.|[^\\])*?'''"
    rb'|"""(?:\\.|[^\\])*?"""'
    rb"|'(?:\\.|[^\\'\n])*'"
    rb'|"(?:\\.|[^\\"\n])*")|#[^\n]*'
)
_FLOATS = re.compile(
    rb"/|\d\.|\.\d|\d[eE]|\bround\b|to_numeric|total_seconds|timestamp|astype|import_module|__import__"
)
_MODULES = frozenset(("math", "time", "random", "statistics", "pandas", "numpy", "locale"))
# A subscript on one side of an operator: `row["amount"] * 3`, `3 * row["amount"]`.
_READ = re.compile(rb"\][\s)\\]*[-+*](?!>)|[\w)\]}'\"][\s\\]*[-+*](?!>)[\s\\]*[^\n]*\[")
_IMPORT = re.compile(rb"(?m)(?:^|[;:])[ \t]*(?:from[ \t]+([.\w]+)|import[ \t]+([^\n#;]+))")
# Something is computed: `cents * FACTOR`.
_RECKONS = re.compile(rb"[\w)\]]\s*(?:\*(?!\*)|\+=|-=|\*=)\s*[\w(]")
_LENDERS_MAX = 40
"""Of how many files a change may be for one of them to be read because another is about money."""
_FOLDED = re.compile(rb"\b(?:from|import)[ \t]*\\")


class Glance:
    """What the texts of one artifact say before anything is parsed."""

    def __init__(self, texts: list[tuple[str, bytes]]) -> None:
        self._imports: dict[str, set[str]] = {}
        self._homes = {part for path, _ in texts for part in _parts(path)}
        self._asked: set[str] = set()
        self._unclear = False
        self._texts = texts
        self._lenders: frozenset[str] | None = None
        for path, content in texts:
            found = self._imports[path] = _imported(content)
            self._asked |= found
        # A relative import may mean any file near it, and one that is folded anything.
        self._unclear = "" in self._asked

    def reckons(self, path: str, content: bytes) -> bool:
        """Return whether a file computes with what another file of the artifact may have made."""
        return bool(self._imports[path] & self._homes) and _RECKONS.search(content) is not None

    def lends(self, path: str) -> bool:
        """Return whether a file that may be about money imports this one."""
        if len(self._texts) > _LENDERS_MAX:
            return False
        if self._lenders is None:
            about = (self._imports[p] for p, content in self._texts if may_be_money(content))
            self._lenders = frozenset[str]().union(*about) & self._homes
        return bool(self._lenders & {path.rsplit("/", 1)[-1].partition(".")[0], path.partition("/")[0]})

    def needs_parse(self, path: str, content: bytes) -> bool:
        """Return whether a file may make a float, or get one from another file."""
        imports = self._imports[path]
        if self._unclear or imports & self._homes or imports & _MODULES or self._asked & _parts(path):
            return True
        if b"float" in content.lower():
            return True
        code = _code(content)
        return code is None or bool(_FLOATS.search(code)) or (b"json" in code and bool(_READ.search(code)))


def _parts(path: str) -> set[str]:
    """Return the words by which a file may be imported: its folders' and its own."""
    return {part.partition(".")[0] for part in path.split("/")}


def _imported(content: bytes) -> set[str]:
    """Return the first words of what a file imports; an empty one where that is not plain to see."""
    found = {""} if _FOLDED.search(content) else set()
    for one, several in _IMPORT.findall(content):
        for name in [one] if one else several.split(b","):
            found.add(name.strip().partition(b" ")[0].partition(b".")[0].decode("ascii", "replace"))
    return found


def _code(content: bytes) -> bytes | None:
    """Return a file without comments and texts, those with code in them kept; None where they do not come apart."""
    plain = True

    def taken(match: re.Match[bytes]) -> bytes:
        nonlocal plain
        if match["text"] is None:
            return b""
        if match["shown"] is None:
            return b'""'
        plain = plain and match["text"].count(b"{") == match["text"].count(b"}")
        return match[0]

    code = _LITERALS.sub(taken, content)
    return code if plain else None
