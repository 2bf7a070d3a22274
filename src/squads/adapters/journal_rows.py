"""What every journal adapter does with steps and keys, whatever its medium.

It must never know a medium: a key that one journal finds, another finds too.
"""

from __future__ import annotations

import json

from squads.contracts.errors import InvalidInput
from squads.contracts.thinking import Step
from squads.kernel.model_ports import STEP_BYTES_MAX

ABOUT_CHARS_MAX = 128
TURN_MAX = 2**53 - 1

Key = tuple[str, str, str, int]
"""A step's request, kind, input and turn."""


def where_of(key: Key) -> bytes:
    """Return a step's place as bytes: no two steps have the same."""
    return json.dumps(key).encode()


def is_name(about: str) -> bool:
    """Say whether a request can be called this."""
    return 1 <= len(about) <= ABOUT_CHARS_MAX and about.isprintable()


def key_of(about: str, step: Step) -> Key:
    """Return where a step is kept. Raises `InvalidInput` for a request without a name, or a step that is too large."""
    if not is_name(about) or step.turn > TURN_MAX:
        raise InvalidInput(
            f"no step can be kept for turn {step.turn} of {about[:80]!r}: a request is named by 1 to {ABOUT_CHARS_MAX} "
            f"printable characters, and turns count from 1 to {TURN_MAX}"
        )
    if len(step.payload) > STEP_BYTES_MAX:
        raise InvalidInput(
            f"a step of {len(step.payload)} bytes is over the journal's bound of {STEP_BYTES_MAX}; let the tool return "
            f"less, or change fewer files in one call"
        )
    return about, step.kind, step.input, step.turn
