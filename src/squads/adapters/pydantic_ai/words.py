"""What is said to models and tools and by them, for a trace: numbers always, words only where a trace asks for content.

The words have the form of OpenTelemetry's conventions, which pydantic-ai writes for its own instrumentation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_ai.messages import ModelMessage, ModelResponse

from squads.contracts.finding import Usage
from squads.kernel.model_ports import Exchange


def exchange_of(response: ModelResponse, spent: Usage) -> Exchange:
    """Return the numbers and names of a reply."""
    return Exchange(
        model=response.model_name or "",
        reply=response.provider_response_id or "",
        ended=response.finish_reason or "",
        tokens_in=response.usage.input_tokens,
        tokens_out=response.usage.output_tokens,
        cost_microusd=spent.cost_microusd,
    )


def words_asked(messages: Sequence[ModelMessage]) -> Mapping[str, str]:
    """Return what a model is told."""
    told = next((m.instructions for m in messages if not isinstance(m, ModelResponse) and m.instructions), "")
    parts = [{"type": "text", "content": told}]
    return {"instructions": _written(parts), "input": _written(_settings().messages_to_otel_messages(list(messages)))}


def words_replied(response: ModelResponse) -> Mapping[str, str]:
    """Return what a model replied."""
    return {"output": _written(_settings().messages_to_otel_messages([response]))}


def words_given(asked: bytes) -> Mapping[str, str]:
    """Return what a tool is given, from what `tool_asked` wrote."""
    return {"arguments": _written(json.loads(asked)["arguments"])}


def words_returned(result: object) -> Mapping[str, str]:
    """Return what a tool returned."""
    return {"result": _written(result)}


@cache
def _settings() -> Any:
    from opentelemetry.metrics import NoOpMeterProvider
    from opentelemetry.trace import NoOpTracerProvider
    from pydantic_ai.models.instrumented import InstrumentationSettings

    # It only writes messages here; with providers that do nothing it registers no instruments of its own.
    return InstrumentationSettings(tracer_provider=NoOpTracerProvider(), meter_provider=NoOpMeterProvider())


def _written(said: object) -> str:
    return json.dumps(said, ensure_ascii=False, default=str)
