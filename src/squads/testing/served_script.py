"""The strict script of the model server: which model answers what, in which order, also as a JSON file.

    {"models": {"gpt-x": [{"call": {"name": "plan_form", "arguments": {"tasks": []}}},
                          {"fault": "rate_limited", "retry_after": 1},
                          {"text": "Done.", "wait_ms": 50}],
                "*": []},
     "forms": {"verdict_form": {"kind": "approved"}}}

`models` gives the replies of each model in order; `*` stands for every model without a list of its own. `forms` are
answered as often as they are offered, by models without a list. What neither foresees is unexpected.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from squads.testing.served import Call, Fault, Reply, ServerReply, ServerRequest, Tokens, injected

FAULTS = {
    "rate_limited", "failed", "unauthorized", "unknown_model", "context_length_exceeded", "truncated", "reset",
    "silent", "wrong_schema",
}  # fmt: skip
"""The class methods of `Fault` that a JSON file may name."""
_REPLY_KEYS = {"call", "calls", "text", "text_after", "tokens", "cut_off", "wait_ms", "chunk_wait_ms", "inject"}


class UnexpectedRequest(AssertionError):
    """The model server was asked for more than it has replies for, or its function failed."""


class ServerScript:
    """The replies that are left, by model; and the forms that are always answered."""

    def __init__(self, models: Mapping[str, Sequence[Reply]], forms: Mapping[str, Any]) -> None:
        self._given = {model: len(replies) for model, replies in models.items()}
        self._left = {model: deque(replies) for model, replies in models.items()}
        self._forms = forms

    def covers(self, model: str) -> bool:
        """Say whether the script has a word on this model."""
        return model in self._given or "*" in self._given

    def reply(self, request: ServerRequest) -> Reply:
        """Return the next reply. Raises `UnexpectedRequest` when there is none."""
        name = request.model if request.model in self._left else "*"
        if self._left.get(name):
            return self._left[name].popleft()
        if name not in self._left and self._forms:
            for tool in request.tools:
                if tool.name in self._forms:
                    return Call(tool.name, self._forms[tool.name])
        offered = ", ".join(t.name for t in request.tools) or "nothing"
        if name in self._given:
            why = f"its script of {self._given[name]} {'reply' if self._given[name] == 1 else 'replies'} has none left"
        else:
            known = ", ".join(sorted([*self._given, *self._forms])) or "nothing"
            why = f"no script names it; scripted: {known}"
        raise UnexpectedRequest(
            f"the model server was asked for a reply of model {request.model!r} (request {request.number}, "
            f"{request.protocol}, offering {offered}), and {why}; add a reply, or find out why it was asked"
        )

    def left(self) -> dict[str, int]:
        """Return how many replies are left, for each model that has any."""
        return {model: len(replies) for model, replies in self._left.items() if replies}


def script_from_json(data: Any) -> ServerScript:
    """Return the script that a JSON file holds. Raises `ValueError` that names the place of what cannot be read."""
    if not isinstance(data, dict) or set(data) - {"models", "forms"}:
        raise ValueError('a script is an object with "models" and "forms", and nothing else')
    models = {
        model: [reply_from_json(reply, f"models.{model}[{index}]") for index, reply in enumerate(replies)]
        for model, replies in data.get("models", {}).items()
    }
    return ServerScript(models, data.get("forms", {}))


def reply_from_json(data: Any, place: str = "reply") -> Reply:
    """Return one reply of a JSON file. Raises `ValueError` that names the place."""
    if not isinstance(data, dict):
        raise ValueError(f"{place}: a reply is an object, not {data!r}")
    if "fault" in data:
        return fault_from_json(data, place)
    if unknown := set(data) - _REPLY_KEYS:
        raise ValueError(f"{place}: unknown key {min(unknown)!r}; known: {', '.join(sorted(_REPLY_KEYS))}")
    rest = {key: value for key, value in data.items() if key not in ("call", "calls", "tokens", "inject")}
    try:
        calls = [Call(**call) for call in (*([data["call"]] if "call" in data else []), *data.get("calls", ()))]
        tokens = Tokens(**data["tokens"]) if "tokens" in data else None
        reply = ServerReply(calls=tuple(calls), tokens=tokens, **rest)
        return injected(reply, **data["inject"]) if "inject" in data else reply
    except (TypeError, KeyError) as error:
        raise ValueError(f"{place}: {error}") from None


def fault_from_json(data: Mapping[str, Any], place: str = "fault") -> Fault:
    """Return the fault that `{"fault": name, ...}` stands for. Raises `ValueError` that names the place."""
    name, arguments = data["fault"], {key: value for key, value in data.items() if key != "fault"}
    if name not in FAULTS:
        raise ValueError(f"{place}: unknown fault {name!r}; known: {', '.join(sorted(FAULTS))}")
    if "reply" in arguments:
        arguments["reply"] = reply_from_json(arguments["reply"], f"{place}.reply")
    try:
        fault: Fault = getattr(Fault, name)(**arguments)
    except TypeError as error:
        raise ValueError(f"{place}: {error}") from None
    return fault
