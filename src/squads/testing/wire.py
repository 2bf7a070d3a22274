"""respx in front of the SDKs: routes that really see what the openai and anthropic SDKs send.

    with Wire() as wire:
        wire.post(path="/v1/responses").respond(json={...})
        provider = OpenAIProvider(api_key="none", http_client=wire.client())

respx patches httpx, and the SDKs speak through httpx2, so an ordinary `respx.mock` sees nothing and the call goes out.
Here respx only decides: a transport of httpx2 hands every request to its router, and its response back. No call that
goes through such a client can reach the network.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import httpx
    import httpx2
    import respx


def routed_client(router: respx.MockRouter, **options: Any) -> httpx2.AsyncClient:
    """Return an `httpx2.AsyncClient` whose requests are answered by the routes of `router`.

    Args:
        router: Best made with `respx.MockRouter(using=None)`, which patches nothing.
        options: What `httpx2.AsyncClient` takes.
    """
    return Wire(router).client(**options)


class Wire:
    """A respx router and clients that it answers for.

    Leaving the block raises what respx raises, an `AssertionError` for a route that nobody called, and also for a
    request that no route answered: a SDK may turn that one into an error of its own, so it could pass unseen. It also
    forgets the calls, as respx does: look at `wire.calls` before.

    Args:
        router: A router of yours; one with the options when None.
        options: What `respx.MockRouter` takes: `base_url`, `assert_all_called`, `assert_all_mocked`.
    """

    def __init__(self, router: respx.MockRouter | None = None, **options: Any) -> None:
        import respx

        self.router = respx.MockRouter(using=None, **options) if router is None else router
        self.strays: list[str] = []
        """Requests that no route answered."""

    def __enter__(self) -> Self:
        self.router.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        strays = "; ".join(dict.fromkeys(self.strays))
        # What went wrong in the block says more than a route that was not reached because of it.
        self.router.stop(quiet=error is not None or bool(strays))
        if strays:
            raise AssertionError(f"no route answers {strays}; add one with wire.post(...), or find out why it was sent")

    def __getattr__(self, name: str) -> Any:
        """Give everything else that a router has: `get`, `post`, `route`, `calls` …"""
        return getattr(self.router, name)

    def client(self, **options: Any) -> httpx2.AsyncClient:
        """Return an asynchronous client for a provider or an SDK: `http_client=wire.client()`."""
        import httpx2

        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._handle_async), **options)

    def sync_client(self, **options: Any) -> httpx2.Client:
        """Return a client for the SDKs' synchronous side."""
        import httpx2

        return httpx2.Client(transport=httpx2.MockTransport(self._handle), **options)

    async def _handle_async(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await self.router.async_handler(_asked(request))
            return await _answered(response)
        except Exception as error:
            raise self._raised(error, request) from error

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        import httpx2

        try:
            response = self.router.handler(_asked(request))
            content = b"".join(response.stream)  # type: ignore[arg-type]  # respx gives synchronous streams here
            return httpx2.Response(response.status_code, headers=response.headers.multi_items(), content=content)
        except Exception as error:
            raise self._raised(error, request) from error

    def _raised(self, error: Exception, request: httpx2.Request) -> Exception:
        """Return the error that a client of httpx2 would have met."""
        import httpx
        import httpx2
        from respx.models import AllMockedAssertionError, PassThrough

        if isinstance(error, (AllMockedAssertionError, PassThrough)):
            self.strays.append(f"{request.method} {request.url}")
            return AssertionError(f"no route answers {request.method} {request.url}")
        if isinstance(error, httpx.TransportError):
            same: type[httpx2.TransportError] = getattr(httpx2, type(error).__name__)
            return same(str(error), request=request)
        return error


def _asked(request: httpx2.Request) -> httpx.Request:
    import httpx

    return httpx.Request(
        request.method, str(request.url), headers=request.headers.multi_items(), content=request.content
    )


async def _answered(response: httpx.Response) -> httpx2.Response:
    import httpx
    import httpx2

    content: Any
    if isinstance(response.stream, httpx.AsyncByteStream) and not isinstance(response.stream, httpx.ByteStream):
        content = _streamed(response.stream)
    else:
        content = b"".join(response.stream)
    # The raw bytes go on, so headers about their length and encoding stay true.
    return httpx2.Response(response.status_code, headers=response.headers.multi_items(), content=content)


async def _streamed(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield chunk
