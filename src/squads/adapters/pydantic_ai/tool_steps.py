"""How a call of a tool is recognised, and how what it came to is written down.

The journal is keyed by the first and filled with the second, so both are persisted: change neither without a new
version. What differs between two processes that make the same call (run ids, the order of a set) must stay out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from hashlib import sha256

from pydantic import BaseModel
from pydantic_ai.durable_exec import (
    DynamicToolsetCallToolParams,
    ToolsetCallToolId,
    ToolsetCallToolParams,
    ToolsetValidateToolArgumentsId,
)
from pydantic_core import to_jsonable_python

VERSION = "squads.tool/v1"
_SIZE_BYTES = 8
"""Before the result stands its length; after it, what the tool changed."""


def tool_asked(
    identity: ToolsetCallToolId | ToolsetValidateToolArgumentsId,
    params: ToolsetCallToolParams | DynamicToolsetCallToolParams,
) -> bytes:
    """Return what a tool is asked, as canonical JSON. A call that a person approved is another than the one before."""
    return _written(
        {
            "version": VERSION,
            "operation": "call" if isinstance(identity, ToolsetCallToolId) else "validate",
            "toolset": [identity.toolset_kind, identity.toolset_id],
            "tool": params.name,
            "approved": bool(params.ctx.tool_call_approved),
            "arguments": plain(params.tool_args),
        }
    )


def tools_listed(toolset: str, listed: Mapping[str, object]) -> tuple[bytes, dict[str, str]]:
    """Return what asks for a toolset's list, as canonical JSON, and the digest of each tool's definition by name."""
    asked = _written({"version": VERSION, "operation": "list", "toolset": toolset})
    return asked, {name: sha256(_written(plain(tool))).hexdigest() for name, tool in listed.items()}


def changed_tools(before: object, now: Mapping[str, str]) -> str:
    """Return in words how two lists of `tools_listed` differ; nothing where they do not."""
    was = before if isinstance(before, dict) else {}
    sets = {
        "new": now.keys() - was.keys(),
        "gone": was.keys() - now.keys(),
        "changed": {name for name in now.keys() & was.keys() if now[name] != was[name]},
    }
    return "; ".join(f"{word}: {', '.join(sorted(names))}" for word, names in sets.items() if names)


def write_step(result: object, changes: bytes) -> bytes:
    """Return a tool's result, as JSON, and what it changed, as one payload."""
    written = _written(result)
    return len(written).to_bytes(_SIZE_BYTES, "big") + written + changes


def read_step(payload: bytes) -> tuple[object, bytes]:
    """Return the result and the changes in a payload. Raises `ValueError` for anything else."""
    end = _SIZE_BYTES + int.from_bytes(payload[:_SIZE_BYTES], "big")
    if not _SIZE_BYTES < end <= len(payload):
        raise ValueError(f"{len(payload)} bytes hold no result of a tool")
    try:
        return json.loads(payload[_SIZE_BYTES:end]), payload[end:]
    except RecursionError:  # nobody vouches for the database; brackets without end are no result
        raise ValueError("a result that is nested without end") from None


def plain(value: object) -> object:
    """Return `value` as what JSON can hold, the same in every process.

    What nothing is known about is written as its `repr`. Where that names a place in memory the call is not found
    again, and the tool is called once more: never the other way about.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, BaseModel):
        return plain({name: getattr(value, name) for name in type(value).model_fields} | (value.model_extra or {}))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(plain(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, Set):
        return sorted((plain(inner) for inner in value), key=_written)
    return to_jsonable_python(value, bytes_mode="base64", fallback=repr)


def _written(value: object) -> bytes:
    # ASCII: models and tools may write lone surrogates, which have no UTF-8.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
