"""Words and numbers as a person reads them, and text of others made safe to look at.

Nothing that comes from an artifact, a role or a person may move a cursor, turn the direction of a line, or hide:
control and formatting characters are shown escaped. Escaping for HTML, Markdown or XML comes on top, in the writers.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from squads.contracts.finding import FindingCounts, Usage

ESCAPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
DIGEST_CHARS = 16
"""How much of a digest a sentence shows; tables of receipts show the same."""

UNANCHORED = "evidence not found there"
"""Said beside a finding whose evidence is not in the artifact at its place."""


def visible(text: str) -> str:
    r"""Return text with control and formatting characters escaped, such as `\x1b`; tabs and newlines stay."""
    text = text.replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in ESCAPED else c for c in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if character in "\t\n":
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: str) -> str:
    """Return visible text on one line, its runs of white space made single spaces."""
    return " ".join(visible(text).split())


def said_of(findings: FindingCounts) -> str:
    """Return how many findings there are, and how many of them nobody finds the evidence of."""
    without = f", {findings.unanchored} without an anchor" if findings.unanchored else ""
    return f"{counted(findings.total, 'finding')}{without}"


def shortened(text: str, chars_max: int) -> str:
    """Return text of at most `chars_max` characters; what was cut is marked with an ellipsis."""
    return text if len(text) <= chars_max else f"{text[: chars_max - 1].rstrip()}…"


def counted(count: int, noun: str) -> str:
    """Return `1 file`, `2 files`, `1,200 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def short(digest: str) -> str:
    """Return the beginning of a digest, as tables show it."""
    return digest[:DIGEST_CHARS]


def moment(time_ms: int) -> str:
    """Return a point in time in UTC, to the millisecond; a time that no calendar has is shown as its number."""
    try:
        when = datetime.fromtimestamp(time_ms // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return f"{time_ms:,} ms since 1970"
    return f"{when:%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03d} UTC"


def duration(ms: int) -> str:
    """Return a length of time in the two units that say most of it."""
    if ms < 1_000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    seconds = ms // 1000
    for size, large, small_size, small in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size} {large} {seconds % size // small_size} {small}"
    raise AssertionError("every length of time has a unit")


def usage_of(usage: Usage) -> str:
    """Return what something cost: tokens, money where there was any, and how long models took."""
    money = f", ${usage.cost_microusd / 1_000_000:,.4f}" if usage.cost_microusd else ""
    return f"{counted(usage.tokens, 'token')}{money}, {usage.wait_ms / 1000:,.1f} s"


def listed(words: list[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "nobody"


def decoded(content: bytes) -> str | None:
    """Return bytes as text, or None where they are not UTF-8 or hold a zero byte: then nobody could read them."""
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
