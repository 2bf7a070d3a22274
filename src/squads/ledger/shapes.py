"""What stands in which receipt: the fields that a bundle is judged by, and of what form each must be.

A predicate is signed and still anybody's: whoever holds a key may write into a receipt what they like, so nothing is
read from one that was not checked here. Fields that no check reads are not listed, and do no harm. This file must never
say who may sign what; that is `types`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from squads.ledger.errors import Malformed
from squads.ledger.keys import CUSTODIES
from squads.ledger.statement import JSON_INTEGER_MAX

DIGEST, ID, NAME, TEXT, COUNT, FLAG = "digest", "id", "name", "text", "count", "flag"
_PATTERNS: Final = {
    DIGEST: re.compile(r"[0-9a-f]{64}", re.ASCII),
    ID: re.compile(r"[0-9a-f]{32}", re.ASCII),
    NAME: re.compile(r"[a-z][a-z0-9._-]{0,63}", re.ASCII),
    TEXT: re.compile(r"[!-~]{1,255}", re.ASCII),
}
ITEMS_MAX: Final = 4_096


class Maybe:
    """A field that may be null."""

    def __init__(self, shape: Any) -> None:
        """Take what stands there where it is not null."""
        self.shape = shape


class Later:
    """A field that receipts from before it do not have."""

    def __init__(self, shape: Any) -> None:
        """Take what stands there where the field is there."""
        self.shape = shape


LEVELS: Final = ("identity", "prior", "model", "family")
"""How far apart a gate and an author read, weakest first."""
READS: Final = frozenset({"plan", "artifact", "composition"})
CUSTODY_ORDER: Final = ("in-process", "daemon", "kms", "hsm")
"""Where a private key may live, weakest first."""

_ONE_LEVEL: Final = frozenset(LEVELS)
_MODEL: Final = {"called": TEXT, "name": TEXT, "family": Maybe(TEXT)}
_MEMBER: Final = {"name": NAME, "prior": DIGEST, "models": [_MODEL]}
_ROLE: Final = {
    **_MEMBER,
    "kind": frozenset({"coordinator", "builder", "gate"}),
    "reads": [READS],
    "members": [_MEMBER],
    "unsafe": FLAG,
}
_APPROVAL: Final = {"approvers": [NAME], "quorum": COUNT, "person_required": FLAG}
_TASK: Final = {"task": COUNT, "builder": NAME, "after": [COUNT], "gates": [NAME], "brief": DIGEST}
_HELD: Final = {"predicate": NAME, "holds": FLAG}
_PART: Final = {"task": COUNT, "artifact": DIGEST}

_RATE: Final = {"invariant": NAME, "held": FLAG, "defects": COUNT, "caught": COUNT, "clean": COUNT, "refused": COUNT}

_PACKET_SHAPES: Final[dict[str, dict[str, Any]]] = {
    "opened": {
        "nonce": DIGEST,
        "rules": COUNT,
        "content": DIGEST,
        "gates": [NAME],
        "roles": [_ROLE],
        "approval": Maybe(_APPROVAL),
        "independence": _ONE_LEVEL,
        "policy": DIGEST,
        "predicates": [NAME],
        "memory": [{"role": NAME, "content": DIGEST}],
    },
    "plan": {"request": DIGEST, "author": NAME, "content": DIGEST, "tasks": [_TASK], "model": Maybe(TEXT)},
    "objection": {"request": DIGEST, "author": NAME, "content": DIGEST},
    "artifact": {"request": DIGEST, "author": NAME, "artifact": DIGEST, "model": Maybe(TEXT)},
    "verdict": {
        "ticket": DIGEST,
        "author": NAME,
        "decision": frozenset({"approved", "refused", "abstained"}),
        "subject": DIGEST,
        "attempt": COUNT,
        "independence": _ONE_LEVEL,
        "content": DIGEST,
        "looked": COUNT,
        "waivers": [DIGEST],
        "model": Maybe(TEXT),
        "tree_head": Maybe({"size": COUNT, "root": DIGEST}),
    },
    "acceptance": {
        "request": DIGEST,
        "author": NAME,
        "subject": DIGEST,
        "held": [_HELD],
        "reopen": [COUNT],
        "content": DIGEST,
    },
    "answer": {
        "question": DIGEST,
        "subject": DIGEST,
        "author": NAME,
        "decision": frozenset({"approved", "denied"}),
        "channel": NAME,
        "content": Maybe(DIGEST),
    },
    "waiver": {"subject": DIGEST, "author": NAME, "gate": NAME, "expires_ms": COUNT, "content": DIGEST},
    "fault": {"about": DIGEST},
    "deadline": {"about": DIGEST},
    "assignment": {
        "request": DIGEST,
        "work": frozenset({"plan", "build", "accept"}),
        "role": NAME,
        "task": Maybe(COUNT),
        "attempt": COUNT,
        "subject": DIGEST,
    },
    "ticket": {
        "ticket": DIGEST,
        "gate": NAME,
        "reads": READS,
        "task": Maybe(COUNT),
        "attempt": COUNT,
        "ask": COUNT,
        "subject": DIGEST,
        "independence": _ONE_LEVEL,
    },
    "question": {
        "question": DIGEST,
        "subject": DIGEST,
        "approvers": [NAME],
        "quorum": COUNT,
        "expires_ms": COUNT,
    },
    "composition": {"artifact": DIGEST, "attempt": COUNT, "parts": [_PART]},
    "equivocation": {"about": DIGEST, "author": NAME, "first": DIGEST, "second": DIGEST},
    "finish": {
        "outcome": frozenset({"composed", "not-composed"}),
        "reason": NAME,
        "artifact": Maybe(DIGEST),
    },
}
_WORKSPACE_SHAPES: Final[dict[str, dict[str, Any]]] = {
    # The registry of keys reads these two itself, and stricter.
    "log-open": {},
    "key-event": {},
    "grant": {"workspace": ID, "subject": TEXT, "scope": TEXT, "expires_ms": Maybe(COUNT), "revoked": FLAG},
    "policy": {
        "workspace": ID,
        "gate_custody": CUSTODIES,
        "catch_ppm_min": Later(COUNT),
        "false_refusals_ppm_max": Later(COUNT),
    },
    "calibration": {"workspace": ID, "gate": NAME, "prior": DIGEST, "rates": [_RATE]},
    "erasure": {"workspace": ID, "subject": TEXT, "packets": [ID], "author": NAME},
    "stop": {"workspace": ID, "packet": Maybe(ID), "author": NAME, "content": DIGEST},
    "lift": {"workspace": ID, "packet": Maybe(ID), "author": NAME, "content": DIGEST},
}
SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    **{kind: {"workspace": ID, "packet": ID, **fields} for kind, fields in _PACKET_SHAPES.items()},
    **_WORKSPACE_SHAPES,
}
"""The fields of every receipt kind that a check reads, and their forms."""


def check_shape(kind: str, predicate: Mapping[str, Any]) -> None:
    """Raise `Malformed` unless every field that a check reads is there and of its form."""
    _check_value_of(predicate, SHAPES[kind], kind)


def _check_value_of(value: object, shape: Any, where: str) -> None:
    if isinstance(shape, Maybe):
        if value is not None:
            _check_value_of(value, shape.shape, where)
    elif isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            raise Malformed(f"{where} is not an object")
        for field, inner in shape.items():
            if isinstance(inner, Later):
                if field in value:
                    _check_value_of(value[field], inner.shape, f"{where}.{field}")
                continue
            if field not in value:
                raise Malformed(f"{where} has no {field}")
            _check_value_of(value[field], inner, f"{where}.{field}")
    elif isinstance(shape, list):
        if type(value) is not list or len(value) > ITEMS_MAX:
            raise Malformed(f"{where} is not a list of at most {ITEMS_MAX}")
        for item in value:
            _check_value_of(item, shape[0], where)
    elif isinstance(shape, frozenset):
        if type(value) is not str or value not in shape:
            raise Malformed(f"{where} is none of {', '.join(sorted(shape))}")
    elif shape == FLAG:
        if type(value) is not bool:
            raise Malformed(f"{where} is neither true nor false")
    elif shape == COUNT:
        if type(value) is not int or not 0 <= value <= JSON_INTEGER_MAX:
            raise Malformed(f"{where} is no count")
    elif type(value) is not str or _PATTERNS[shape].fullmatch(value) is None:
        raise Malformed(f"{where} is no {shape}")
