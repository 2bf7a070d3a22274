"""Takes comments out of source text of several languages: what a set's authors wrote beside a flaw tells where it is.

Strings stay as they are, and every line stays where it was.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable

_STRINGS = r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
_SLASHES = r"(?P<comment>//[^\n]*|/\*.*?\*/)"
_PATTERNS = {
    "sql": r"'(?:[^']|'')*'|\"[^\"]*\"|(?P<tag>\$\w*\$).*?(?P=tag)|(?P<comment>--[^\n]*|/\*.*?\*/)",
    "c": rf"{_STRINGS}|{_SLASHES}",
    "cpp": rf"R\"(?P<raw>\w*)\(.*?\)(?P=raw)\"|{_STRINGS}|{_SLASHES}",
    "go": rf"`[^`]*`|{_STRINGS}|{_SLASHES}",
    # A slash after one of these signs begins a regular expression, whose quotes begin no string.
    "javascript": rf"`(?:\\.|[^`\\])*`|{_STRINGS}|{_SLASHES}"
    r"|[(=,:!&|?{};]\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/",
}


def without_comments(text: str, language: str, *, telling: re.Pattern[str] | None = None) -> str:
    """Return `text` without its comments, or without those that `telling` finds something in.

    `language` is `python`, `sql`, `c`, `cpp`, `go` or `javascript`; text in another one, and Python that cannot be
    read, is returned as it is.
    """

    def goes(comment: str) -> bool:
        return telling is None or telling.search(comment) is not None

    if language == "python":
        return _python(text, goes)
    if language not in _PATTERNS:
        return text

    def cut(match: re.Match[str]) -> str:
        comment = match["comment"]
        return match[0] if comment is None or not goes(comment) else "\n" * comment.count("\n")

    shorter = re.sub(_PATTERNS[language], cut, text, flags=re.DOTALL)
    return _trimmed(text, shorter)


def _python(text: str, goes: Callable[[str], bool]) -> str:
    lines = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.ERRORTOKEN and not token.string.isspace():
                return text  # a string that does not end: what follows it is no comment
            if token.type == tokenize.COMMENT and goes(token.string):
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):
        return text
    return _trimmed(text, "\n".join(lines))


def _trimmed(before: str, after: str) -> str:
    """Return `after` without the space that stood before what was cut from a line."""
    pairs = zip(before.split("\n"), after.split("\n"), strict=True)
    return "\n".join(new if new == old else new.rstrip() for old, new in pairs)
