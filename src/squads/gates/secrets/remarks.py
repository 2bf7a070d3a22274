"""Secrets that somebody wrote into a comment, for the next one who needs them."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

from squads.gates.secrets.live import issued, live

_SAID = re.compile(
    r"(?i)\b[\w-]*(?P<kind>password|passwort|kennwort|pwd|passphrase|secret|token|api[_ -]?key)\b[\"']?"
    r"\s*(?:is|was|:|=)\s*[\"'`]?(?P<word>[^\s\"'`,;)]{8,})"
)
_TOLD = re.compile(r"(?i)revoked|rotated|e\.g\.|such as|example|sample|dummy|fake|expired|placeholder|not real|format")


def in_remarks(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, the remark, what) for the comments of a Python file that hold a live secret."""
    if "#" not in text or not any(_SAID.search(line) or issued(line) for line in text.splitlines() if "#" in line):
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type != tokenize.COMMENT or _TOLD.search(token.string):
                continue
            said = _SAID.search(token.string)
            what = issued(token.string)
            if said and not what:
                kind = "password" if said["kind"].lower()[0] == "p" or said["kind"].lower() == "kennwort" else "token"
                word = said["word"].rstrip(".")
                strict = kind == "token" or len(word) < 10
                what = "a secret in a comment" if live(word, "token" if strict else "password") else ""
            if what:
                yield token.start[0], token.string, what
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return
