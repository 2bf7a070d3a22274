"""Replies on disk: recorded once from real models, and replayed without a key, a network or a cost.

A request is matched by the digest of everything that the model is told. Whoever changed a prior, a brief, a tool or a
file gets a miss that says what differs from the nearest recording, never an answer to another question. One file holds
the replies to one request, in the order in which they came: the same question asked twice may have two answers.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model as WireModel
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from squads.adapters.file_lock import FileLock
from squads.adapters.pydantic_ai.asked import asked, digest_of_asked
from squads.contracts.errors import RecordingMissed, StorageUnavailable

FORMAT = "squads.recording/v1"


class Recorder(WrapperModel):
    """Writes every reply of a paid model to a folder: once it is in the journal, so that a full disk loses none."""

    def __init__(self, wrapped: WireModel, name: str, folder: Path) -> None:
        super().__init__(wrapped)
        self._name = name
        self._folder = folder

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the model's reply once it is on disk. Raises `StorageUnavailable`."""
        told = asked(self._name, messages, model_settings, model_request_parameters)
        response = await self.wrapped.request(messages, model_settings, model_request_parameters)
        write(self._folder, told, response)
        return response


class RecordedModel(WireModel):
    """Answers what was recorded, and nothing else; `used` counts which replies were given."""

    def __init__(self, name: str, folder: Path, *, used: Counter[str]) -> None:
        super().__init__()
        self._name = name
        self._folder = folder
        self._used = used

    @property
    def model_name(self) -> str:
        """The model string."""
        return self._name

    @property
    def system(self) -> str:
        """What stands for the provider."""
        return "recorded"

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """Return the recorded reply. Raises `RecordingMissed` with what differs."""
        told = asked(self._name, messages, model_settings, model_request_parameters)
        digest = digest_of_asked(told)
        replies = replies_in(self._folder, digest)
        place = self._used[digest]
        if place >= len(replies):
            raise RecordingMissed(
                f"{self._name} is asked {place + 1} times what was recorded {len(replies)} times in {self._folder}; "
                "record again"
                if replies
                else f"{self._name} has no recorded reply to this: {_difference(self._folder, json.loads(told))}"
            )
        self._used[digest] += 1
        return replies[place]


def write(folder: Path, told: bytes, response: ModelResponse) -> None:
    """Add a reply to its request's file, as a whole or not at all; one that stands there already is not added.

    A reply out of the journal comes by again when its request is resumed.
    """
    path = folder / f"{digest_of_asked(told)}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        try:
            with lock.held():
                _add(path, told, response)
        finally:
            lock.close()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageUnavailable(
            f"the reply cannot be recorded in {path}: {error}; free the place, or mend the file"
        ) from error


def _add(path: Path, told: bytes, response: ModelResponse) -> None:
    kept = json.loads(path.read_bytes())["replies"] if path.exists() else []
    # An address may hold a password, and no replay needs it.
    (reply,) = json.loads(ModelMessagesTypeAdapter.dump_json([replace(response, provider_url=None)]))
    if reply in kept:
        return
    # ASCII: what a model is told may hold halves of characters, which have no UTF-8.
    content = {"format": FORMAT, "asked": json.loads(told), "replies": [*kept, reply]}
    fresh = path.with_suffix(f".{os.getpid()}.new")
    fresh.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="ascii")
    fresh.replace(path)


def replies_in(folder: Path, digest: str) -> list[ModelResponse]:
    """Return the recorded replies to one request, in order; none where none was recorded."""
    path = folder / f"{digest}.json"
    try:
        kept = json.loads(path.read_bytes())
        if kept.get("format") != FORMAT:
            raise RecordingMissed(f"{path} is no recording of this version ({FORMAT}); record again")
        return [r for r in ModelMessagesTypeAdapter.validate_python(kept["replies"]) if isinstance(r, ModelResponse)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise RecordingMissed(f"{path} cannot be read as a recording: {error}; record again") from error


def _difference(folder: Path, told: Mapping[str, Any]) -> str:
    """Say what differs from the recording that is most like this request."""
    best: tuple[int, list[str]] = (-1, [])
    for path in sorted(folder.glob("*.json")):
        try:
            differs = _parts_that_differ(told, json.loads(path.read_bytes())["asked"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # it is no recording, or a damaged one
            continue
        alike = len(_PARTS) - len(differs)
        if alike > best[0]:
            best = (alike, differs)
    if best[0] < 0:
        return f"{folder} holds no recordings; record some with --record"
    return f"{', '.join(best[1]) or 'the order of what was asked'} differs from the nearest recording; record again"


_PARTS = (
    "the model",
    "the instructions (prior or charter)",
    "the work (brief, files or facts)",
    "the tools",
    "the settings",
)


def _parts_that_differ(told: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    def instructions(said: Mapping[str, Any]) -> Any:
        return [message.get("instructions") for message in said["messages"]]

    def parts(said: Mapping[str, Any]) -> Any:
        return [message.get("parts") for message in said["messages"]]

    pairs = (
        (told["model"], other["model"]),
        (instructions(told)[:1], instructions(other)[:1]),
        (parts(told), parts(other)),
        ([told["tools"], told["forms"]], [other["tools"], other["forms"]]),
        (told["settings"], other["settings"]),
    )
    differs = [name for name, (a, b) in zip(_PARTS, pairs, strict=True) if a != b]
    named = sorted(set(_fences(parts(told))) ^ set(_fences(parts(other))))
    sources = list(dict.fromkeys(source for source, _ in named))[:3]
    return [f"{name}: {', '.join(sources)}" if name == _PARTS[2] and sources else name for name in differs]


def _fences(parts: Any) -> list[tuple[str, str]]:
    """Return where each piece of material in a conversation comes from, with its mark."""
    told = json.dumps(parts)
    return [(source, mark) for mark, source in re.findall(r'<data ([0-9a-f]{16}) from \\"(.*?)\\">\\n', told)]
