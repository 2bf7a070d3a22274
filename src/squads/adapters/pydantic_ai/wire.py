"""From a model string to a model that can be asked: the vendors' clients, on connections of ours.

One client serves all models of a provider on one event loop, with room for a thousand calls at once, explicit
time-outs and no retries of its own: retries are counted, paid for and told of one floor up. Each client is closed by
`close`, and at the latest when its event loop shuts its generators down, as `asyncio.run` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from squads.adapters.pydantic_ai.names import NO_PLUGINS, Plugins, keyless, split_name
from squads.contracts.errors import InvalidModel, SquadsError

if TYPE_CHECKING:
    import httpx2
    from aiohttp import ClientSession
    from pydantic_ai.models import Model

CONNECTIONS_MAX = 1_024
"""How many calls of one provider may be under way at once in one event loop; more wait for a free connection."""

NO_KEY = "none-needed"
"""What is sent as a key to a server on this machine when no key is set: the SDKs insist on one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOuts:
    """How long a connection may take, in seconds."""

    connect: float = 30.0
    """Generous, since a busy event loop counts too: a thousand calls that begin at once queue for it."""
    read: float = 600.0
    """The longest silence of a provider: without streaming, the longest time to think."""
    write: float = 60.0


@dataclass(slots=True)
class _Lane:
    """What belongs to one event loop."""

    models: dict[str, Model] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)
    open: AsyncGenerator[None, None] | None = None
    """Runs to its end when the loop ends or `close` is called, and closes what was opened."""
    closers: list[Callable[[], Any]] = field(default_factory=list)


class Wires:
    """Makes and keeps provider models. One object serves every event loop of the process.

    Args:
        plugins: Providers of installed packages.
        time_outs: How long a connection may take.
        connections_max: Calls under way at once, by provider and event loop.
    """

    def __init__(
        self,
        *,
        plugins: Plugins = NO_PLUGINS,
        time_outs: TimeOuts = TimeOuts(),
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._plugins = plugins
        self._time_outs = time_outs
        self._connections_max = connections_max
        self._lanes: dict[asyncio.AbstractEventLoop, _Lane] = {}

    def wire_model(self, name: str) -> Model:
        """Return the model of a model string; the same object for the same string on the same event loop.

        Must be called while an event loop runs. Asks nobody. Raises `InvalidModel` where the vendor's own client
        cannot be made; call `names.check_name` first for sentences that say what to do.
        """
        lane = self._lane()
        if name not in lane.models:
            lane.models[name] = self._made(name, lane)
        return lane.models[name]

    async def close(self) -> None:
        """Let go of every connection of every event loop that still runs. Closing twice is no error."""
        here = asyncio.get_running_loop()
        for loop, lane in list(self._lanes.items()):
            self._lanes.pop(loop, None)
            if lane.open is None or loop.is_closed():
                continue
            if loop is here:
                await lane.open.aclose()
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(_closed(lane.open), loop)
                await asyncio.wrap_future(closing)

    def _lane(self) -> _Lane:
        loop = asyncio.get_running_loop()
        for other in [each for each in self._lanes if each.is_closed()]:
            del self._lanes[other]  # its clients were closed when it shut its generators down
        lane = self._lanes.get(loop)
        if lane is None:
            lane = self._lanes[loop] = _Lane()
            lane.open = _until_closed(lane.closers)
            # A generator's first step does not wait, so it can be taken without awaiting; from then on the loop knows
            # the generator and runs it to its end before the loop closes, whether or not anybody calls `close`.
            with contextlib.suppress(StopIteration):
                lane.open.asend(None).send(None)
        return lane

    def _made(self, name: str, lane: _Lane) -> Model:
        import pydantic_ai

        pydantic_ai.BANNER_ENABLED = False
        provider, model = split_name(name, plugins=self._plugins)
        try:
            if provider in self._plugins.names:
                return self._plugin(provider, model)
            if provider == "anthropic":
                return self._anthropic(model, lane)
            if provider in ("openai", "openai-responses", "openai-chat"):
                return self._openai(provider, model, lane)
            if provider == "litellm":
                return self._litellm(model, lane)
            return self._other(name, lane)
        except SquadsError:
            raise
        except Exception as error:  # whatever a vendor's constructor says to a key or an address that it does not like
            raise InvalidModel(f"{name!r} cannot be asked here: {_first_line(error)}") from error

    def _anthropic(self, model: str, lane: _Lane) -> Model:
        from anthropic import AsyncAnthropic, DefaultAioHttpClient, DefaultAsyncHttpxClient
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        from squads.adapters.pydantic_ai.lean import remembering

        if "anthropic" not in lane.clients:
            lane.clients["anthropic"] = AsyncAnthropic(
                api_key=NO_KEY if keyless("anthropic") else None,
                max_retries=0,
                timeout=self._timeout(),
                http_client=self._http(DefaultAioHttpClient, DefaultAsyncHttpxClient, lane),
            )
        provider = AnthropicProvider(anthropic_client=lane.clients["anthropic"])
        made: Model = remembering(AnthropicModel)(model, provider=provider)
        return made

    def _openai(self, provider: str, model: str, lane: _Lane) -> Model:
        from openai import AsyncOpenAI, DefaultAioHttpClient, DefaultAsyncHttpxClient
        from openai.types.chat import ChatCompletion
        from openai.types.responses import Response
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.profiles.openai import OpenAIModelProfile
        from pydantic_ai.providers.openai import OpenAIProvider

        from squads.adapters.pydantic_ai.lean import post_as_it_is, remembering

        if "openai" not in lane.clients:
            client = lane.clients["openai"] = AsyncOpenAI(
                api_key=NO_KEY if keyless("openai") else None,
                max_retries=0,
                timeout=self._timeout(),
                http_client=self._http(DefaultAioHttpClient, DefaultAsyncHttpxClient, lane),
            )
            post_as_it_is(client, client.chat.completions, "/chat/completions", ChatCompletion)
            post_as_it_is(client, client.responses, "/responses", Response)
        kind = remembering(OpenAIChatModel if provider == "openai-chat" else OpenAIResponsesModel)
        made: Model = kind(
            model,
            provider=OpenAIProvider(openai_client=lane.clients["openai"]),
            # A stream that breaks off is an error: half of an approval reads like a whole one.
            profile=OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True),
        )
        return made

    def _litellm(self, model: str, lane: _Lane) -> Model:
        from squads.adapters.pydantic_ai.litellm_model import LiteLLMModel

        return LiteLLMModel(model, session=self._session, timeout_seconds=self._time_outs.read)

    def _session(self) -> ClientSession:
        """Return the aiohttp session that litellm's providers share on the running event loop."""
        from aiohttp import ClientSession, DummyCookieJar, TCPConnector

        lane = self._lane()
        session = lane.clients.get("litellm")
        if session is None or session.closed:
            session = lane.clients["litellm"] = ClientSession(
                connector=TCPConnector(limit=self._connections_max), cookie_jar=DummyCookieJar(), trust_env=True
            )
            lane.closers.append(session.close)
        made: ClientSession = session
        return made

    def _plugin(self, provider: str, model: str) -> Model:
        from pydantic_ai.models import Model

        made = self._plugins.load(provider)(model) if self._plugins.load else None
        if not isinstance(made, Model):
            raise InvalidModel(
                f"the plugin {provider!r} made {type(made).__name__!r} for {model!r}, no model of pydantic-ai; "
                "its entry point must take a model's name and return one"
            )
        return made

    def _other(self, name: str, lane: _Lane) -> Model:
        from openai import DefaultAioHttpClient, DefaultAsyncHttpxClient
        from pydantic_ai.models import infer_model
        from pydantic_ai.providers import infer_provider, infer_provider_class

        def made(provider: str) -> Any:
            # What speaks OpenAI's protocol is given a client of ours; the others keep their SDK's own transport.
            if not provider.startswith("gateway/"):
                known: Any = infer_provider_class(provider)
                if {"openai_client", "http_client"} <= inspect.signature(known.__init__).parameters.keys():
                    if provider not in lane.clients:
                        lane.clients[provider] = self._http(DefaultAioHttpClient, DefaultAsyncHttpxClient, lane)
                    return known(http_client=lane.clients[provider])
            return infer_provider(provider)

        model = infer_model(name, made)
        client = getattr(getattr(model, "provider", None), "client", None)
        if isinstance(getattr(client, "max_retries", None), int):
            client.max_retries = 0  # type: ignore[union-attr]
        return model

    def _http(self, aio: Any, plain: Any, lane: _Lane) -> httpx2.AsyncClient:
        """Return an HTTP client of the vendor's making: on aiohttp where it is installed, since it costs half."""
        import httpx2

        options: dict[str, Any] = {
            "timeout": self._timeout(),
            "limits": httpx2.Limits(
                max_connections=self._connections_max,
                max_keepalive_connections=self._connections_max,
                keepalive_expiry=15.0,
            ),
        }
        try:
            client = aio(**options)
        except RuntimeError:  # the SDK's way to say that aiohttp is not installed
            client = plain(**options)
        lane.closers.append(client.aclose)
        made: httpx2.AsyncClient = client
        return made

    def _timeout(self) -> httpx2.Timeout:
        import httpx2

        # A call that waits for a free connection waits as long as one that waits for its answer.
        waits = self._time_outs
        return httpx2.Timeout(connect=waits.connect, read=waits.read, write=waits.write, pool=waits.read)


async def _until_closed(closers: list[Callable[[], Any]]) -> AsyncGenerator[None, None]:
    """Wait to be closed, then close everything, the youngest first; one that fails keeps none of the others open."""
    try:
        yield
    finally:
        while closers:
            with contextlib.suppress(Exception):
                await closers.pop()()


async def _closed(generator: AsyncGenerator[None, None]) -> None:
    await generator.aclose()


def _first_line(error: Exception) -> str:
    """Return the sentence of a vendor's complaint, without its advice about its own test models."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].partition(" To try Pydantic AI")[0]
