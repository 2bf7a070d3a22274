"""The Lua scripts that carry the bus's guarantees: each a file of its own, with its contract on top.

A script runs as one: nothing else happens on the server in between. Each may be repeated when its answer was lost, and
touches no key that it was not given, so all keys of a call stand in one slot of a cluster.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

Script = Literal[
    "send",
    "commit",
    "acknowledge",
    "give_back",
    "bury",
    "leave",
    "reclaim",
    "open",
    "depth",
    "keys",
    "replay",
    "roster",
]
SCRIPTS: Final[tuple[Script, ...]] = get_args(Script)
_FOLDER: Final = Path(__file__).with_name("scripts")
_WITHOUT_COMMON: Final = frozenset({"open", "depth", "keys", "roster"})


@cache
def source(name: str) -> str:
    """Return a script's text as the server gets it."""
    if name not in SCRIPTS:
        raise ValueError(f"there is no script {name!r}; there are {', '.join(SCRIPTS)}")
    text = (_FOLDER / f"{name}.lua").read_text("utf-8")
    return text if name in _WITHOUT_COMMON else (_FOLDER / "common.lua").read_text("utf-8") + text
