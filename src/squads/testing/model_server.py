"""A model server on this machine: Anthropic Messages, OpenAI Chat Completions and Responses over real HTTP, no key.

    async with ModelServer({"gpt-x": [Call("plan_form", {...}), Fault.rate_limited(retry_after=1)]}) as server:
        client = AsyncOpenAI(base_url=server.openai_url, api_key="none")

The SDKs speak to it as they speak to their vendors, plain and streamed, so that retries, time-outs and broken answers
are met as they come. It is strict: a request that it has no reply for answers 500 and fails the test at the end, and so
does a reply that nobody asked for. It listens on loopback only and checks no key.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from inspect import isawaitable
from types import TracebackType
from typing import Any, Self

from squads.testing.served import (
    Call,
    Fault,
    Reply,
    ReplyFunction,
    ServerReply,
    ServerRequest,
    Tokens,
    as_reply,
    compact,
    misfit,
)  # fmt: skip
from squads.testing.served_chat import CHAT
from squads.testing.served_dialect import Answer, Dialect
from squads.testing.served_http import Connection, Outgoing
from squads.testing.served_messages import MESSAGES
from squads.testing.served_responses import RESPONSES
from squads.testing.served_script import ServerScript, UnexpectedRequest, fault_from_json

_ROUTES = {"/v1/messages": MESSAGES, "/v1/chat/completions": CHAT, "/v1/responses": RESPONSES}
_COUNTING = {"/v1/messages/count_tokens", "/v1/responses/input_tokens"}
_CUT = ServerReply(text="This reply never arrives as a whole.")


class ModelServer:
    """A model server that answers what it is told to.

    Args:
        script: The replies of each model, in order; `"*"` is for every model without a list of its own.
        reply: What models without a list are answered with: a function, also an async one, from the request to a reply.
        forms: Arguments by form. A model without a list fills in the first of them that it is offered, every time.
        strict: False makes `done` and leaving the block raise nothing. Unexpected requests answer 500 all the same.
        latency_ms: How long every answer waits.
        chunk_wait_ms: How long every stream rests between two events.
        tokens: What every reply without a number of its own says that it used; a function of request and reply, or None
            for a quarter of the characters.
        port: 0 takes a free one.
        requests_kept: How many of the last requests `requests` holds.
    """

    def __init__(
        self,
        script: Mapping[str, Sequence[Reply]] | ServerScript | None = None,
        *,
        reply: ReplyFunction | None = None,
        forms: Mapping[str, Any] | None = None,
        strict: bool = True,
        latency_ms: int = 0,
        chunk_wait_ms: int = 0,
        tokens: Tokens | Callable[[ServerRequest, ServerReply], Tokens] | None = None,
        port: int = 0,
        requests_kept: int = 1_000,
    ) -> None:
        self.script = script if isinstance(script, ServerScript) else ServerScript(script or {}, forms or {})
        self.latency_ms = latency_ms
        self.chunk_wait_ms = chunk_wait_ms
        self.fault: Fault | None = None
        """While it is set, this is what every request gets."""
        self.requests: deque[ServerRequest] = deque(maxlen=requests_kept)
        self.asked: Counter[str] = Counter()
        """Requests by model."""
        self.answered: Counter[str] = Counter()
        """Whole replies by model: what a vendor would have billed. Errors and broken replies do not count."""
        self.failures: list[str] = []
        """What was unexpected, in sentences."""
        self._reply = reply
        self._strict = strict
        self._tokens = tokens
        self._port = port
        self._next_faults: deque[Fault] = deque()
        self._paid: Counter[int] = Counter()
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    # Where it is ------------------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it was opened, if none was chosen."""
        return self._port

    @property
    def url(self) -> str:
        """Its address without a path: the base URL of the anthropic SDK."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def openai_url(self) -> str:
        """The base URL of the openai SDK."""
        return f"{self.url}/v1"

    # What it did ------------------------------------------------------------------------------------------------------

    @property
    def repeated(self) -> int:
        """How many replies were given, whole, to a body that had been answered before: what was paid twice."""
        return sum(count - 1 for count in self._paid.values())

    def done(self) -> None:
        """Raise `UnexpectedRequest` or `UnusedReplies` unless it was asked for exactly what was written down."""
        if not self._strict:
            return
        if self.failures:
            raise UnexpectedRequest("\n".join(self.failures))
        if left := self.script.left():
            from squads.testing.scripted import UnusedReplies

            raise UnusedReplies(
                f"the model server has replies left: {', '.join(f'{n} of {model!r}' for model, n in left.items())}; "
                f"it was asked: {', '.join(f'{n} of {model!r}' for model, n in self.asked.items()) or 'nothing'}"
            )

    def fail(self, *faults: Fault) -> None:
        """Let the next requests, of whatever model, get these faults in order; the script waits for its turn."""
        self._next_faults.extend(faults)

    # Opening and closing ----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Listen. Raises `OSError` where the chosen port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._respond, self._connections), "127.0.0.1", self._port, backlog=2048
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening, cut off who still waits, and raise what `done` raises."""
        await self._shut()
        self.done()

    async def _shut(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            await connection.abort()
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._shut()
        if error is None:  # what went wrong in the block says more than what it left unasked
            self.done()

    @contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Serve from a thread with a loop of its own, for tests that have none, or that block theirs."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="squads-model-server", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.open(), loop).result()
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._shut(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
        self.done()

    # Answering --------------------------------------------------------------------------------------------------------

    def _respond(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Outgoing | Awaitable[Outgoing]:
        if path.startswith("/_server/"):
            return self._control(method, path.removeprefix("/_server/"), body)
        dialect = _ROUTES.get(path)
        if method != "POST" or (dialect is None and path not in _COUNTING):
            return self._unexpected(
                CHAT, f"the model server was asked for {method} {path}; it answers POST {', '.join(_ROUTES)}", 404
            )
        if dialect is None:
            return Outgoing(body=compact({"input_tokens": _quarter(body)}).encode())
        try:
            asked = json.loads(body)
            request = ServerRequest(
                protocol=dialect.name, body=asked, headers=headers, number=self.asked.total() + 1, read=dialect.read
            )
        except (ValueError, AttributeError):
            return self._unexpected(dialect, f"the model server was sent a body to {path} that is no JSON object", 400)
        self.asked[request.model] += 1
        self.requests.append(request)
        try:
            reply = self._choose(request)
            if isawaitable(reply):
                return self._respond_later(dialect, request, body, reply)
            return self._outgoing(dialect, request, body, reply)
        except Exception as error:
            return self._failed(dialect, request, error)

    async def _respond_later(
        self, dialect: Dialect, request: ServerRequest, body: bytes, reply: Awaitable[Reply]
    ) -> Outgoing:
        try:
            return self._outgoing(dialect, request, body, await reply)
        except Exception as error:
            return self._failed(dialect, request, error)

    def _choose(self, request: ServerRequest) -> Reply | Awaitable[Reply]:
        if self.fault is not None:
            return self.fault
        if self._next_faults:
            return self._next_faults.popleft()
        if self._reply is not None and not self.script.covers(request.model):
            return self._reply(request)
        return self.script.reply(request)

    def _failed(self, dialect: Dialect, request: ServerRequest, error: Exception) -> Outgoing:
        if isinstance(error, UnexpectedRequest):
            return self._unexpected(dialect, str(error), 500)
        return self._unexpected(dialect, f"the model server could not answer {request!r}: {error!r}", 500)

    def _unexpected(self, dialect: Dialect, sentence: str, status: int) -> Outgoing:
        self.failures.append(sentence)
        body = dialect.problem(Fault.failed(status, message=sentence), "")
        # The SDKs heed this header: what is unexpected stays so, however often it is tried.
        return Outgoing(status, {"x-should-retry": "false"}, compact(body).encode())

    def _outgoing(self, dialect: Dialect, request: ServerRequest, body: bytes, reply: Reply) -> Outgoing:
        headers = {dialect.request_id_header: f"req_{request.number}"}
        fault = reply if isinstance(reply, Fault) else None
        if fault is not None and fault.status:
            if fault.retry_after is not None:
                headers["retry-after"] = f"{fault.retry_after:g}"
            problem = compact(dialect.problem(fault, request.model)).encode()
            return Outgoing(fault.status, headers, problem, wait_ms=self.latency_ms)
        full = _of_fault(fault, request) if fault is not None else as_reply(reply)
        answer = Answer(request.number, request.model, full, self._used(request, full, body), request.body)
        outgoing = Outgoing(
            headers=headers,
            wait_ms=self.latency_ms + full.wait_ms,
            chunk_wait_ms=self.chunk_wait_ms + full.chunk_wait_ms if request.stream else 0,
        )
        if request.stream:
            outgoing.events = list(dialect.events(answer))
        else:
            outgoing.body = compact(dialect.plain(answer)).encode()
        if fault is not None and fault.kind in (
            "truncated", "reset-before-headers", "reset-after-headers", "silent"
        ):  # fmt: skip
            outgoing.ending = fault.kind
            return outgoing

        def sent() -> None:
            self.answered[request.model] += 1
            self._paid[hash(body)] += 1

        outgoing.sent = sent
        return outgoing

    def _used(self, request: ServerRequest, reply: ServerReply, body: bytes) -> Tokens:
        if reply.tokens is not None:
            return reply.tokens
        if self._tokens is not None:
            return self._tokens if isinstance(self._tokens, Tokens) else self._tokens(request, reply)
        said = len(reply.text) + len(reply.text_after) + sum(len(c.name) + len(c.json()) for c in reply.calls)
        return Tokens(input=_quarter(body), output=max(1, said // 4))

    # Asking it from another process -----------------------------------------------------------------------------------

    def report(self) -> dict[str, Any]:
        """Return what happened so far, as `GET /_server/requests` answers it."""
        return {
            "asked": dict(self.asked),
            "answered": dict(self.answered),
            "repeated": self.repeated,
            "failures": self.failures,
            "left": self.script.left(),
            "bodies": [request.body for request in self.requests],
        }

    def _control(self, method: str, what: str, body: bytes) -> Outgoing:
        if (method, what) == ("GET", "requests"):
            return Outgoing(body=compact(self.report()).encode())
        if (method, what) == ("GET", "count"):
            return Outgoing(body=compact(self.report() | {"bodies": []}).encode())
        try:
            if (method, what) != ("POST", "switch"):
                raise ValueError("it knows GET /_server/requests, GET /_server/count and POST /_server/switch")
            self._switch(json.loads(body))
        except (ValueError, TypeError) as error:
            return Outgoing(400, body=compact({"error": {"message": f"the model server: {error}"}}).encode())
        return Outgoing(body=b"{}")

    def _switch(self, data: dict[str, Any]) -> None:
        if unknown := set(data) - {"latency_ms", "chunk_wait_ms", "fault", "next"}:
            raise ValueError(f"unknown switch {min(unknown)!r}; known: latency_ms, chunk_wait_ms, fault, next")
        if "fault" in data:
            self.fault = fault_from_json(data["fault"]) if data["fault"] else None
        self.fail(*(fault_from_json(fault) for fault in data.get("next", ())))
        self.latency_ms = int(data.get("latency_ms", self.latency_ms))
        self.chunk_wait_ms = int(data.get("chunk_wait_ms", self.chunk_wait_ms))


def _of_fault(fault: Fault, request: ServerRequest) -> ServerReply:
    """Return the reply that a fault spoils."""
    if fault.kind != "wrong-schema":
        return fault.reply or _CUT
    offered = next((t for t in request.tools if fault.form in ("", t.name)), None)
    if offered is None:
        raise UnexpectedRequest(
            f"the model server should call {fault.form or 'a tool'!r} with a wrong schema, and request "
            f"{request.number} of model {request.model!r} does not offer it"
        )
    return ServerReply(calls=(Call(offered.name, misfit(offered.schema)),))


def _quarter(body: bytes) -> int:
    return max(1, len(body) // 4)


if __name__ == "__main__":
    from squads.testing.served_process import main

    main()
