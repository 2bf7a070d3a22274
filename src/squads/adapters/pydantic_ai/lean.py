"""Doing once what would be done for every request: schemas in a provider's dialect, and bodies that are plain already.

Two things cost more than all the rest of a small request. pydantic-ai rewrites every offered form's schema into the
provider's dialect each time, though a role's forms never change; and the openai SDK walks the whole body for what is
not plain JSON, though pydantic-ai hands it nothing else. What goes over the wire is the same without either.
"""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from pydantic_ai.models import Model as WireModel
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.tools import ToolDefinition


class OfferedForms(list[ToolDefinition]):
    """The forms of a turn without tools: made once for each set of forms, never changed, and never the agent's.

    Whoever makes one asks with it under one set of parameters only, apart from the instructions.
    """

    def __init__(self, forms: list[ToolDefinition]) -> None:
        super().__init__(forms)
        self.known: weakref.WeakKeyDictionary[type, dict[object, ModelRequestParameters]] = weakref.WeakKeyDictionary()
        """What became of them, by the class that rewrites schemas and by the class of the model."""


class Remembering:
    """A base to put before a provider's model: what it made of `OfferedForms` once, it does not make again."""

    def customize_request_parameters(self, model_request_parameters: ModelRequestParameters) -> ModelRequestParameters:
        """Return the parameters with schemas as this provider wants them."""
        customize = super().customize_request_parameters  # type: ignore[misc]
        offered = model_request_parameters.output_tools
        rewrites = self.profile.get("json_schema_transformer")  # type: ignore[attr-defined]
        if not isinstance(offered, OfferedForms) or not isinstance(rewrites, type):
            return customize(model_request_parameters)  # type: ignore[no-any-return]
        known = offered.known.setdefault(rewrites, {})
        found = known.get(type(self))
        if found is None:
            found = known[type(self)] = customize(model_request_parameters)
        return replace(found, instruction_parts=model_request_parameters.instruction_parts)


def remembering(model: type[WireModel]) -> Any:
    """Return a provider's model class that remembers its forms."""
    if model not in _CLASSES:
        _CLASSES[model] = type(model.__name__, (Remembering, model), {"__module__": __name__})
    return _CLASSES[model]


_CLASSES: dict[type, type] = {}


def post_as_it_is(client: Any, resource: Any, path: str, answer: type) -> None:
    """Let `resource.create` of an openai client post bodies that are plain JSON already as they are.

    By the client's own `post`, so its headers, time-outs and errors stay. A streamed request, and any argument that is
    not plain, goes the SDK's way.
    """
    from openai import NotGiven, Omit

    create: Callable[..., Awaitable[Any]] = resource.create

    async def created(**given: Any) -> Any:
        said = {name: value for name, value in given.items() if not isinstance(value, (NotGiven, Omit))}
        body = {name: value for name, value in said.items() if name not in _OPTIONS}
        plain = all(value is None or isinstance(value, _PLAIN) for value in body.values())
        if said.get("stream") or said.get("extra_query") or not plain:
            return await create(**given)
        options = {name: said[option] for option, name in _OPTIONS.items() if name and said.get(option) is not None}
        return await client.post(path, cast_to=answer, body={**body, **(said.get("extra_body") or {})}, options=options)

    resource.create = created


_OPTIONS = {"extra_headers": "headers", "timeout": "timeout", "extra_body": "", "extra_query": ""}
"""Arguments that are no part of the body, and what the client calls those that it takes."""
_PLAIN = (str, int, float, list, dict)
