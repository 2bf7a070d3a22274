"""The numbers of a text: digits, words, and what they are in other units."""

from __future__ import annotations

import re

_SAID = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_WORDS = _SAID.split()
_NAMED = {w: float(n) for n, w in enumerate(_WORDS)} | {
    "once": 1.0, "twice": 2.0, "thrice": 3.0, "half": 0.5, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0,
    "ninety": 90.0, "hundred": 100.0, "thousand": 1000.0, "dozen": 12.0, "quarter": 0.25,
}  # fmt: skip
_UNITS = (1.0, 100.0, 1000.0, 60.0, 3600.0, 86400.0, 24.0, 1024.0, 1048576.0)
_NUMBER = re.compile(r"(?<![\w.])\d[\d_,]*(?:\.\d+)?(?!\w*\.\w)|(?<![\w.])\d+(?=%|[a-z]{1,3}\b)")


def numbers(text: str) -> set[float]:
    """Return the numbers that a text speaks of. One stands for so much else that it is none."""
    found = {_NAMED[w] for w in re.findall(r"[a-z]+", text.lower()) if w in _NAMED and w not in ("one", "once")}
    for match in _NUMBER.finditer(text):
        plain = match[0].rstrip(",").replace("_", "")
        for said in {plain.replace(",", ""), plain.replace(",", ".")}:
            try:
                found.add(float(said))
            except ValueError:
                continue
    return found


def spoken_number(value: str, said: set[float]) -> bool:
    """Return whether a value is one of these numbers, also in another unit."""
    shares = {1 + s / 100 for s in said} | {1 - s / 100 for s in said}  # 19 percent are 1.19
    for part in re.findall(r"\d[\d_]*(?:\.\d+)?", value):
        number = float(part.replace("_", ""))
        if any(abs(number - s) < 1e-9 for s in shares):
            return True
        if any(abs(number - s * u) < 1e-9 or abs(number * u - s) < 1e-9 for s in said for u in _UNITS):
            return True
    return False
