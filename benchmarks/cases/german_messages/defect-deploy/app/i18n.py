"""Says things in the language of the reader."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

LANGUAGES = ("de", "en", "fr")
FALLBACK = "en"
_FOLDER = Path(__file__).parent.parent / "locales"


@lru_cache
def _messages(language: str) -> dict[str, str]:
    return json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))


def say(key: str, language: str) -> str:
    known = language if language in LANGUAGES else FALLBACK
    return _messages(known)[key]
