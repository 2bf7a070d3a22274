"""Models through the litellm SDK, in this process: one more provider behind pydantic-ai's `Model`.

Messages, tools and replies have the shape of OpenAI's Chat Completions on both sides, so pydantic-ai's model for it
does the mapping, and what stands here is only a client of that shape which hands each request to `litellm.acompletion`.
litellm is imported by the first request or price, takes seconds to import, and is kept from everything that it would
do on its own: downloading prices, reading `.env`, retrying, printing, calling back.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from functools import cache
from types import SimpleNamespace, TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from openai import AsyncOpenAI, NotGiven, Omit
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.litellm import LiteLLMProvider

from squads.adapters.pydantic_ai.failures import Kind, headers_of, kind_of
from squads.adapters.pydantic_ai.names import litellm_keyless

if TYPE_CHECKING:
    from aiohttp import ClientSession

_QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else importing it downloads prices
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",  # else asking Anthropic's models downloads a list of headers
    "LITELLM_MODE": "PRODUCTION",  # else importing it reads a `.env` of the working folder into the environment
}

_LATE = ("litellm.llms.github_copilot.per_user_auth",)
"""What litellm would import in the middle of the first request, with warnings that concern nobody who asks a model."""

_ITS_OWN = r"litellm\b"

_OFF: dict[str, object] = {"max_retries": 0, "num_retries": 0, "drop_params": True, "no-log": True}
"""Said with every request: no retries, no callbacks, and no complaint about a setting that a provider does not have."""

_CATEGORIES: dict[Kind, Any] = {
    "rate": ModelRateLimitError,
    "overloaded": ModelOverloadedError,
    "server": ModelServerError,
    "quota": ModelQuotaExceededError,
    "key": ModelAuthenticationError,
    "unknown-model": ModelNotFoundError,
    "too-long": ModelContextWindowExceededError,
    "refused": ModelRequestRejectedError,
    "filtered": ModelRequestRejectedError,
    "setting": ModelRequestRejectedError,
}


@cache
def load_litellm() -> Any:
    """Import litellm and return it, quiet. Raises `ImportError` where it is not installed."""
    os.environ.update(_QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm

        litellm.suppress_debug_info = True
        for late in _LATE:
            with contextlib.suppress(ImportError):
                importlib.import_module(late)
        asked: dict[str, Any] = {"model": "openai/none", "messages": [{"role": "user", "content": "hello"}], **_OFF}
        with contextlib.suppress(Exception):  # asks nobody: it makes litellm build what it would build while asking
            litellm.completion(**asked, mock_response="hello")
            for _ in litellm.completion(**asked, mock_response="hello", stream=True):
                pass
    litellm.telemetry = False
    litellm.disable_streaming_logging = True
    return litellm


def _hush() -> None:
    """Let litellm's own code warn nobody: its warnings are about its insides, some with every chunk of a stream.

    Only what is raised in litellm's modules is silenced. Looked up with each request, since a program or a test may
    have set its filters anew.
    """
    if not any(rule[0] == "ignore" and getattr(rule[3], "pattern", "") == _ITS_OWN for rule in warnings.filters):
        warnings.filterwarnings("ignore", module=_ITS_OWN)


class LiteLLMModel(OpenAIChatModel):
    """A model that litellm asks.

    Args:
        model_name: litellm's own name with its provider, as in `openai/gpt-6-luna`.
        session: Returns the aiohttp session of the running event loop, which all models share; None leaves sessions
            to litellm.
        timeout_seconds: The longest wait for an answer.
    """

    def __init__(
        self, model_name: str, *, session: Callable[[], ClientSession] | None = None, timeout_seconds: float = 600.0
    ) -> None:
        client = _Client(model_name, session, timeout_seconds)
        # Only the part of the SDK's client that the chat model uses is there; an attribute that a later version of
        # pydantic-ai reads fails loudly in the tests over HTTP.
        super().__init__(model_name, provider=LiteLLMProvider(openai_client=cast("AsyncOpenAI", client)))


class _Client:
    """The part of `AsyncOpenAI` that a chat model uses."""

    base_url = "litellm:"

    def __init__(self, model: str, session: Callable[[], ClientSession] | None, timeout_seconds: float) -> None:
        self._model = model
        self._session = session
        self._timeout_seconds = timeout_seconds
        self._client = None
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def with_options(self, **_: object) -> Self:
        """Return this client: retries are off whatever a request's settings say."""
        return self

    async def _create(self, **asked: Any) -> ChatCompletion | _Stream:
        # Importing takes seconds: off the event loop, where leases and heartbeats of other work must go on.
        litellm = load_litellm() if "litellm.main" in sys.modules else await asyncio.to_thread(load_litellm)
        _hush()
        left_out = (Omit, NotGiven, type(None))
        given = {key: value for key, value in asked.items() if not isinstance(value, left_out)}
        given.setdefault("timeout", self._timeout_seconds)
        if self._session is not None:
            given["shared_session"] = self._session()
        if litellm_keyless(self._model):
            given.setdefault("api_key", "none-needed")
        try:
            reply = await litellm.acompletion(**given, **_OFF)
        except Exception as error:
            raise api_error(error, self._model) from error
        return _Stream(reply, self._model) if given.get("stream") else ChatCompletion.construct(**reply.model_dump())


class _Stream:
    """What `AsyncStream` is to a chat model: chunks, and a way to let go of the connection."""

    def __init__(self, chunks: Any, model: str) -> None:
        self._chunks = chunks
        self._model = model

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        return self._read()

    async def _read(self) -> AsyncIterator[ChatCompletionChunk]:
        try:
            async for chunk in self._chunks:
                yield ChatCompletionChunk.construct(**chunk.model_dump())
        except Exception as error:
            raise api_error(error, self._model, in_stream=True) from error
        # litellm makes up a reason to stop where the provider gave none, because its stream broke off.
        if getattr(self._chunks, "received_finish_reason", "") is None:
            raise ModelConnectionError(self._model, "the stream ended before the reply did", in_stream=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connection. Closing twice is no error."""
        close = getattr(self._chunks, "aclose", None)
        if close is not None:
            await close()


def api_error(error: Exception, model: str, *, in_stream: bool = False) -> Exception:
    """Return an exception out of litellm as pydantic-ai's error of the same kind; what is no failure, as it is."""
    kind = kind_of(error)
    if kind is None or isinstance(error, ModelAPIError):
        return error
    headers = headers_of(error)
    status = getattr(error, "status_code", None)
    message = f"{type(error).__name__} from litellm"
    if kind == "timeout":
        return ModelTimeoutError(model, message, in_stream=in_stream)
    if kind == "connection":
        return ModelConnectionError(model, message, in_stream=in_stream)
    category = _CATEGORIES.get(kind)
    if status == 503:
        category = ModelUnavailableError
    if isinstance(status, int) and category is not None:
        return ModelHTTPError.for_category(
            category, status_code=status, model_name=model, body=None, headers=headers, in_stream=in_stream
        )
    return (category or ModelAPIError)(model, message, in_stream=in_stream)
