"""One Python file as checks read it: its syntax tree, and where each node of it was written.

The text is parsed and never run or imported. What cannot be read is `CannotLook` with the line and what to do: another
encoding, a syntax of another version of Python, nesting without end, a size past the bound.
"""

from __future__ import annotations

import ast
import re
import threading
import warnings
from functools import cached_property
from typing import Protocol

from squads.contracts.artifact import File
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.place import Place

PYTHON_FILES = ("*.py", "*.pyi", "*.pyw", "*.PY")
"""Which files of an artifact are read as Python."""

FILE_BYTES_MAX = 1024 * 1024
"""The largest Python file that is parsed; about two seconds of work."""

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_UTF_8 = frozenset(("utf-8", "utf8", "utf-8-sig", "u8", "ascii", "us-ascii"))
_LINE_END = re.compile(r"\r\n|\r|\n")
_TEXT_MAX = 4_000
_LONG = re.compile(r"0[xXoObB][\da-fA-F_]{3000}")
_BITS_MAX = 14_000
# Warnings about odd escapes would be printed, or raised, by whoever runs the check; the switch is global.
_quiet = threading.Lock()


class Written(Protocol):
    """What `ast` gives a position: expressions, statements, parameters, aliases, handlers."""

    lineno: int
    col_offset: int
    end_lineno: int | None
    end_col_offset: int | None


class Source:
    """A parsed file."""

    def __init__(self, path: str, text: str, tree: ast.Module) -> None:
        self.path = path
        self.text = text
        self.tree = tree

    @cached_property
    def lines(self) -> list[str]:
        """The lines as `ast` counts them: a form feed ends none."""
        return _LINE_END.split(self.text)

    def place(self, node: Written) -> Place:
        """Return where `node` stands, with its text."""
        first, last = node.lineno, node.end_lineno or node.lineno
        lines = self.lines[first - 1 : last] or [""]
        start = len(lines[0].encode()[: node.col_offset].decode(errors="replace"))
        if node.end_col_offset is not None:
            lines[-1] = lines[-1].encode()[: node.end_col_offset].decode(errors="replace")
        lines[0] = lines[0][start:]
        text = "\n".join(lines)[:_TEXT_MAX]
        return Place(path=self.path, line=first, column=start + 1, end_line=last, text=text)


def parse(file: File) -> Source:
    """Return `file` parsed. Raises `CannotLook` where it cannot be read as this Python reads."""
    content = file.content
    if len(content) > FILE_BYTES_MAX:
        raise CannotLook(
            f"{file.path}:1: holds {len(content)} bytes, more than the {FILE_BYTES_MAX} that one Python file may; "
            "move data out of the code"
        )
    for number, line in enumerate(content.split(b"\n", 2)[:2], start=1):
        cookie = _COOKIE.match(line.removeprefix(b"\xef\xbb\xbf"))
        if cookie:
            encoding = cookie[1].decode("ascii", "replace").lower().replace("_", "-")
            if encoding not in _UTF_8:
                raise CannotLook(f"{file.path}:{number}: is written in {encoding}; convert it to UTF-8")
            break
        if line.strip() and not line.lstrip().startswith(b"#"):
            break
    try:
        text = file.text.removeprefix("\ufeff")
    except NotText as error:
        raise CannotLook(str(error)) from error
    return Source(file.path, text, _tree(file.path, text))


def _tree(path: str, text: str) -> ast.Module:
    try:
        with _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise CannotLook(
            f"{path}:{error.lineno or 1}: does not parse as Python ({error.msg}); mend it, or have a gate read it that "
            "runs on the Python it is written for"
        ) from error
    except ValueError as error:
        raise CannotLook(f"{path}:1: does not parse as Python ({error}); take out what is no text") from error
    except (RecursionError, MemoryError) as error:
        raise CannotLook(f"{path}:1: is nested too deeply to be parsed; flatten its expressions") from error
    line = long_number(text, tree)
    if line:
        raise CannotLook(f"{path}:{line}: holds a whole number that is too long to be read; shorten it")
    return tree


def long_number(text: str, tree: ast.Module) -> int:
    """Return the line of a number that Python reads in hexadecimals and cannot write in decimals; 0 where none is."""
    if not _LONG.search(text):
        return 0
    numbers = (n for n in ast.walk(tree) if isinstance(n, ast.Constant))
    return next((n.lineno for n in numbers if isinstance(n.value, int) and n.value.bit_length() > _BITS_MAX), 0)
