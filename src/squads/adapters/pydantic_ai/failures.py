"""Vendors' exceptions in our words: may the same request be sent again, and when.

Every class of error of pydantic-ai and of litellm has a line in the tables below or an ancestor that has one, and a
test walks both modules to see that none is missed. Messages name the model, the kind of failure and what to do; what
a provider wrote, what was asked and the key are never in them, since providers repeat parts of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from squads.contracts.errors import (
    AllowanceSpent,
    InvalidReply,
    ModelError,
    ModelRejected,
    ModelUnreachable,
)

RETRY_AFTER_SECONDS_MAX = 7 * 24 * 3600.0
"""No provider's word for "come back" is taken for longer than this."""

_CAUSES_MAX = 8

Kind = Literal[
    "rate",
    "overloaded",
    "server",
    "connection",
    "timeout",
    "garbled",
    "quota",
    "key",
    "unknown-model",
    "too-long",
    "refused",
    "filtered",
    "cut",
    "limit",
    "setting",
    "deadline",
]

_SENTENCES: dict[Kind, tuple[type[ModelError], bool, str]] = {
    # kind: what it becomes, whether the same request may be sent again, what happened and what to do
    "rate": (
        ModelUnreachable,
        True,
        "is asked too often; lower its concurrency, or name a second one to fall back on",
    ),
    "overloaded": (ModelUnreachable, True, "is overloaded; try again later, or name a second model to fall back on"),
    "server": (ModelUnreachable, True, "failed on its side; try again later, or name a second model to fall back on"),
    "connection": (ModelUnreachable, True, "could not be reached; check the network and the provider's base URL"),
    "timeout": (ModelUnreachable, True, "did not answer in time; ask for less, or give it more time"),
    "garbled": (ModelUnreachable, True, "sent a body that cannot be read; check that its base URL speaks its protocol"),
    "deadline": (ModelUnreachable, False, "was not done when its time was up; ask for less, or give it more time"),
    "quota": (ModelRejected, False, "has no quota left; raise the account's limit or credit, or name another model"),
    "key": (ModelRejected, False, "refused the key; check the provider's variable and what the key may use"),
    "unknown-model": (ModelRejected, False, "is not known to its provider; check the name and the base URL"),
    "too-long": (ModelRejected, False, "takes no prompt of this length; cut the work smaller, or name a larger model"),
    "refused": (ModelRejected, False, "refused the request as it stands; check the settings that the model allows"),
    "filtered": (ModelRejected, False, "was held back by its provider's content filter; reword the brief"),
    "setting": (ModelRejected, False, "cannot be asked with these settings; check the model string and the settings"),
    "cut": (InvalidReply, False, "ran into the limit of one reply; raise `output_tokens_max`, or ask for less"),
    "limit": (AllowanceSpent, False, "ran into a limit of the request; raise it, or ask for less"),
}

_SAYS_IT: dict[str, Kind] = {
    "ModelRateLimitError": "rate",
    "ModelQuotaExceededError": "quota",
    "ModelOverloadedError": "overloaded",
    "ModelUnavailableError": "overloaded",
    "ModelServerError": "server",
    "ModelTimeoutError": "timeout",
    "ModelRequestTimeout": "deadline",
    "ModelConnectionError": "connection",
    "ModelContextWindowExceededError": "too-long",
    "ModelAuthenticationError": "key",
    "ModelNotFoundError": "unknown-model",
    "ModelRequestRejectedError": "refused",
    "ContentFilterError": "filtered",
    "OutputTokenLimitExceeded": "cut",
    "UnexpectedModelBehavior": "garbled",
    "UsageLimitExceeded": "limit",
    "ConcurrencyLimitExceeded": "rate",
    "SuspendedResponseExpired": "server",
    "RunTimedOut": "deadline",
    "UserError": "setting",
    "ContextWindowExceededError": "too-long",
    "ContentPolicyViolationError": "filtered",
    "GuardrailRaisedException": "filtered",
    "BlockedPiiEntityError": "filtered",
    "ModifyResponseException": "filtered",
    "SensitiveDataRouteException": "filtered",
    "PaymentRequiredError": "quota",
    "BudgetExceededError": "quota",
    "ModelNotMappedError": "unknown-model",
    "LiteLLMUnknownProvider": "unknown-model",
    "UnsupportedParamsError": "setting",
    "Timeout": "timeout",
    "APITimeoutError": "timeout",
    "TimeoutException": "timeout",
    "APIResponseValidationError": "garbled",
    "APIConnectionError": "connection",
    "TransportError": "connection",
    "DecodingError": "garbled",
    "JSONDecodeError": "garbled",
    "UnicodeDecodeError": "garbled",
    "IncompleteReadError": "connection",
    "ConnectionError": "connection",
    "TimeoutError": "timeout",
}

"""Classes whose name says more than a status does; the class itself or its nearest ancestor decides."""

_GENERAL: dict[str, Kind] = {
    "ModelAPIError": "garbled",
    "AgentRunError": "garbled",
    "APIError": "garbled",
    "HTTPError": "connection",
    "ClientError": "connection",
    "OpenAIError": "setting",
    "AnthropicError": "setting",
}
"""Ancestors that say only whose error it is: asked last, when neither a nearer class nor a status says anything."""

_BY_STATUS: dict[int, Kind] = {
    401: "key",
    402: "quota",
    403: "key",
    404: "unknown-model",
    408: "timeout",
    409: "server",
    413: "too-long",
    425: "server",
    429: "rate",
    503: "overloaded",
    529: "overloaded",
}

_QUOTA_WORDS = ("insufficient_quota", "billing", "credit balance", "exceeded your current quota")
_LENGTH_WORDS = ("context_length_exceeded", "maximum context length", "prompt is too long", "context window")
"""How providers word it where they give no code for it."""

PASSED_ON = frozenset(
    {
        "ApprovalRequired",
        "CallDeferred",
        "ModelRetry",
        "RetryModelRequest",
        "RunCancelled",
        "SkipModelRequest",
        "SkipToolExecution",
        "SkipToolValidation",
        "ToolFailed",
        "ToolFailedError",
        "ToolRetryError",
        "UndrainedPendingMessagesError",
    }
)
"""Names of pydantic-ai's exceptions that steer a run rather than tell of a failure: they are nobody's to translate."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception understood."""

    error: ModelError
    """What is raised when nobody tries again."""
    retry: bool
    """Whether the same request may be sent again."""
    retry_after_seconds: float | None = None
    """How long the provider asked to be left alone, if it said."""


def translated(error: BaseException, *, model: str) -> ModelError | None:
    """Return a vendor's exception as one of ours, or None for what is no vendor's failure and must go on as it is."""
    if isinstance(error, ModelError):
        return error
    failure = understood(error, model=model)
    return None if failure is None else failure.error


def understood(
    error: BaseException, *, model: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Failure | None:
    """Return what a vendor's exception means for the model string `model`; None for what is no vendor's failure."""
    if isinstance(error, BaseExceptionGroup):
        return _of_group(error, model, now)
    kind = kind_of(error)
    if kind is None:
        return None
    becomes, retry, sentence = _SENTENCES[kind]
    headers = headers_of(error)
    wait = retry_after_seconds(headers, now=now)
    if wait is None:
        wait = _bounded(getattr(error, "retry_after", None))
    if retry and headers.get("x-should-retry", "").strip().lower() == "false":
        retry = False
    status = _status(error)
    code = _code(error)
    told = f" (HTTP {status}{', ' if code else ''}{code})" if status else f" ({code})" if code else ""
    return Failure(becomes(f"{model!r} {sentence}{told}"), retry, wait if retry else None)


def kind_of(error: BaseException) -> Kind | None:
    """Return what kind of failure an exception is; None for what is no failure of a model.

    1. What steers a run and what cancels is passed on.
    2. A class that says it decides, but for one that only says "rejected" while its status says why.
    3. A status decides; behind a 429 or a 400 may stand an empty account, or a prompt that is too long.
    4. The vendor's most general error is asked again: it stands for what nobody put a name to.
    """
    if not isinstance(error, Exception) or type(error).__name__ in PASSED_ON:  # 1
        return None
    said = _named(error, _SAYS_IT)
    status = _status(error)
    if said is not None and not (said == "refused" and status in _BY_STATUS):  # 2
        return said
    if status is not None:  # 3
        if status in (400, 429) and _says(error, _QUOTA_WORDS):
            return "quota"
        return "too-long" if status == 400 and _says(error, _LENGTH_WORDS) else _of_status(status)
    return said or _named(error, _GENERAL)  # 4


def retry_after_seconds(
    headers: Mapping[str, str], *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float | None:
    """Return how long a provider asked to wait, from `retry-after-ms` or `retry-after`; None where it did not say.

    `retry-after` is a number of seconds or an HTTP date. What is negative, endless or unreadable says nothing.
    """
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        raw = headers.get(name, "").strip()
        try:
            seconds = _bounded(float(raw) * scale)
        except ValueError:
            continue
        if seconds is not None:
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _bounded(max(0.0, (moment - now()).total_seconds()))


def headers_of(error: BaseException) -> dict[str, str]:
    """Return the headers that came with an error or what it was raised from, names in lower case; empty for none.

    litellm raises an error of its own from the SDK's, and not every one of its own keeps the headers.
    """
    seen: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if seen is None:
            break
        for headers in (getattr(seen, "headers", None), getattr(_response(seen), "headers", None)):
            if isinstance(headers, Mapping) and headers:
                return {str(name).lower(): str(value) for name, value in headers.items()}
        seen = seen.__cause__ or seen.__context__
    return {}


def _of_group(group: BaseExceptionGroup[BaseException], model: str, now: Callable[[], datetime]) -> Failure | None:
    """A fallback chain fails with everything that failed in it: it may be tried again if any part of it may."""
    failures = [understood(each, model=model, now=now) for each in group.exceptions]
    known = [each for each in failures if each is not None]
    if len(known) != len(failures) or not known:
        return None
    return next((each for each in known if each.retry), known[-1])


def _named(error: Exception, table: Mapping[str, Kind]) -> Kind | None:
    return next((table[each.__name__] for each in type(error).__mro__ if each.__name__ in table), None)


def _of_status(status: int) -> Kind:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 400:
        return "garbled"
    return "server" if status >= 500 else "refused"


def _status(error: BaseException) -> int | None:
    for source in (error, _response(error)):
        status = getattr(source, "status_code", None)
        if isinstance(status, int) and 100 <= status < 600:
            return status
    return None


def _response(error: BaseException) -> object:
    """Return the response that an SDK's error carries. Some errors have one that raises when there is none."""
    try:
        return getattr(error, "response", None)
    except Exception:
        return None


def _code(error: BaseException) -> str:
    """Return the provider's word for the error where it is a word, without digits: no key looks like that."""
    for name in ("provider_error_code", "provider_error_type", "code"):
        code = getattr(error, name, None)
        if isinstance(code, str) and re.fullmatch(r"[A-Za-z][A-Za-z_]{2,47}", code):
            return code
    return ""


def _says(error: BaseException, words: Iterable[str]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)


def _bounded(seconds: object) -> float | None:
    if not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
        return None
    return min(float(seconds), RETRY_AFTER_SECONDS_MAX)
