"""How a paid request is recognised: the digest of everything that a model is told, and nothing else.

What differs between two runs that say the same (time stamps, run ids, names that a provider gave
its reply) is left out.
The journal and recordings are keyed by it, so it is persisted: change it only with a new version in its first line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings

from squads.contracts.finding import Usage

VERSION = "squads.asked/v1"
_VOLATILE = frozenset(
    (
        *("timestamp", "run_id", "conversation_id", "usage", "metadata", "retry"),
        *("provider_name", "provider_url", "provider_details", "provider_response_id"),
        *("model_name", "model_id", "canonical_system", "vendor_details", "vendor_id"),
        *("failed_attempts", "workspace_ref", "history_digest"),
    )
)
"""Fields of messages and of their parts that no model reads."""


def asked(
    model: str,
    messages: Sequence[ModelMessage],
    settings: ModelSettings | None,
    parameters: ModelRequestParameters,
) -> bytes:
    """Return what a model is told, as canonical JSON."""
    told = {
        "version": VERSION,
        "model": model,
        "messages": [_said(said) for said in ModelMessagesTypeAdapter.dump_python(list(messages), mode="json")],
        "settings": {key: value for key, value in sorted((settings or {}).items()) if _plain(value)},
        "tools": [[t.name, t.description, t.parameters_json_schema] for t in parameters.function_tools],
        "forms": [[t.name, t.description, t.parameters_json_schema] for t in parameters.output_tools],
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def digest_of_asked(told: bytes) -> str:
    """Return the SHA-256 of what a model is told."""
    return hashlib.sha256(told).hexdigest()


def written(response: ModelResponse) -> tuple[ModelResponse, bytes]:
    """Return a reply and its JSON. One that JSON cannot hold is returned as `writable` makes it."""
    try:
        return response, ModelMessagesTypeAdapter.dump_json([response])
    except ValueError:
        response = writable(response)
        return response, ModelMessagesTypeAdapter.dump_json([response])


def write_reply(said: bytes, usage: Usage) -> bytes:
    """Return a written reply and what it cost as two lines of JSON, to be kept."""
    return usage.canonical() + b"\n" + said


def read_reply(kept: bytes) -> tuple[ModelResponse, Usage]:
    """Return a reply that was kept, and what it cost. Raises `ValueError` for anything else."""
    usage, _, response = kept.partition(b"\n")
    (message,) = ModelMessagesTypeAdapter.validate_json(response)
    if not isinstance(message, ModelResponse):
        raise ValueError("what was kept is no reply of a model")
    return message, Usage.model_validate_json(usage)


def writable(response: ModelResponse) -> ModelResponse:
    """Return a reply that JSON cannot hold as one that it can.

    Halves of characters, and arguments that are nested without end, are written as text that is no JSON: no form is
    filled in with them, and the model can be told so.
    """
    parts: list[Any] = [
        replace(part, **{f.name: _plainly(f.name, getattr(part, f.name)) for f in fields(part) if f.init})
        for part in response.parts
    ]
    return replace(response, parts=parts, provider_details=None, metadata=None)


def _plainly(name: str, value: Any) -> Any:
    if name in ("provider_details", "metadata"):
        return None
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if name == "args" and value is not None:
        try:
            return json.dumps(value)
        except (ValueError, RecursionError):
            return "(nested without end)"
    return value


def _said(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without what no model reads. What its parts hold stays whole, whatever its keys are called."""
    parts = [_told(part) for part in message["parts"]]
    return {**_told(message), "parts": parts}


def _told(fields_of: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields_of.items() if key not in _VOLATILE and value is not None}


def _plain(value: object) -> bool:
    return isinstance(value, (str, int, float, bool)) or value is None
