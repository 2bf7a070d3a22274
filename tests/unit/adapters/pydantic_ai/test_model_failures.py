"""Every exception of a vendor is understood, and none of what it says is passed on: it may hold the key or the work."""

from __future__ import annotations

import asyncio
import inspect
import json
from datetime import UTC, datetime
from typing import Any

import httpx2
import openai
import pydantic_ai.exceptions
import pytest
from pydantic_ai.exceptions import (
    AgentRunError,
    FallbackExceptionGroup,
    ModelAPIError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    RunCancelled,
)

from squads.adapters.pydantic_ai.failures import (
    PASSED_ON,
    RETRY_AFTER_SECONDS_MAX,
    kind_of,
    retry_after_seconds,
    translated,
    understood,
)
from squads.contracts.errors import InvalidReply, ModelError, ModelRejected, ModelUnreachable

NAME = "anthropic:claude-sonnet-5-5"
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def exceptions_of(module: Any) -> list[type[BaseException]]:
    found = [each for _, each in inspect.getmembers(module, inspect.isclass) if issubclass(each, BaseException)]
    return [each for each in found if not issubclass(each, Warning) and each.__module__ == module.__name__]


def built(kind: type[BaseException]) -> BaseException:
    """An exception of a class, whatever its constructor wants to know."""
    request = httpx2.Request("POST", "http://127.0.0.1/v1")
    values: dict[str, Any] = {
        "status_code": 500,
        "body": None,
        "request": request,
        "response": httpx2.Response(429, request=request),
        "max_budget": 1.0,
        "current_cost": 2.0,
        "timeout": 1.0,
        "exceptions": [ValueError()],
        "tool_retry": pydantic_ai.messages.RetryFeedbackPart("again", retry=None),
        "tool_failed": pydantic_ai.messages.ToolReturnPart("tool", "failed"),
        "result": None,
        "request_data": {},
        "failures": [],
    }
    if kind.__init__ in (Exception.__init__, BaseException.__init__):
        return kind("words")
    wanted = inspect.signature(kind).parameters.values()
    required = [
        each
        for each in wanted
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if any(each.kind == each.POSITIONAL_ONLY for each in required) or not required:
        return kind() if not required else kind("words", [ValueError()])
    return kind(**{each.name: values.get(each.name, "words") for each in required})


@pytest.mark.parametrize("kind", exceptions_of(pydantic_ai.exceptions), ids=lambda kind: kind.__name__)
def test_no_exception_of_pydantic_ai_is_missed(kind):
    """Each one is a failure that is understood, or steers a run and is passed on by name."""
    if issubclass(kind, FallbackExceptionGroup):
        return
    error = built(kind)

    assert (kind.__name__ in PASSED_ON) == (kind_of(error) is None)
    assert (kind_of(error) is None) == (translated(error, model=NAME) is None)


def test_no_exception_of_litellm_is_missed():
    """The same for the SDK that speaks to everybody else."""
    from squads.adapters.pydantic_ai.litellm_model import load_litellm

    load_litellm()
    import litellm.exceptions

    known = exceptions_of(litellm.exceptions)

    assert len(known) > 20
    assert [] == [each.__name__ for each in known if kind_of(built(each)) is None]


@pytest.mark.parametrize(
    "kind", [each for _, each in inspect.getmembers(openai, inspect.isclass) if issubclass(each, openai.OpenAIError)]
)
def test_no_exception_of_the_openai_sdk_is_missed(kind):
    """They come bare where a stream breaks off."""
    assert kind_of(kind.__new__(kind)) is not None


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_a_status_that_passes_may_be_asked_again(status):
    """Busy, slow and broken providers recover."""
    failure = understood(ModelHTTPError(status, "m"), model=NAME)

    assert failure is not None
    assert failure.retry
    assert isinstance(failure.error, ModelUnreachable)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422])
def test_a_status_that_stays_is_a_rejection(status):
    """The same request would be answered in the same way."""
    failure = understood(ModelHTTPError(status, "m"), model=NAME)

    assert failure is not None
    assert not failure.retry
    assert isinstance(failure.error, ModelRejected)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529, 400, 401, 404])
def test_a_category_of_pydantic_ai_changes_nothing_about_a_status(status):
    """Its adapters give most errors a class of its own; the widest of them does not hide what the status says."""
    from pydantic_ai._model_errors import http_status_category

    plain = understood(ModelHTTPError(status, "m"), model=NAME)
    classed = understood(
        ModelHTTPError.for_category(http_status_category(status), status_code=status, model_name="m"), model=NAME
    )

    assert plain is not None
    assert classed is not None
    assert plain.retry == classed.retry


@pytest.mark.parametrize(
    "error",
    [
        ModelHTTPError.for_category(ModelQuotaExceededError, status_code=429, model_name="m"),
        ModelHTTPError(429, "m", body={"error": {"code": "insufficient_quota"}}),
        ModelHTTPError(400, "m", body={"error": {"message": "Your credit balance is too low"}}),
    ],
)
def test_an_empty_account_is_not_asked_again(error):
    """It looks like a rate limit, and no waiting fills it."""
    failure = understood(error, model=NAME)

    assert failure is not None
    assert isinstance(failure.error, ModelRejected)
    assert "no quota left" in str(failure.error)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        httpx2.ReadTimeout("slow"),
        httpx2.ConnectError("refused"),
        httpx2.RemoteProtocolError("cut off"),
        json.JSONDecodeError("cut off", "{", 1),
        openai.APITimeoutError(request=httpx2.Request("POST", "http://127.0.0.1")),
        ModelAPIError("m", "Failed to decode response as JSON"),
        pydantic_ai.exceptions.UnexpectedModelBehavior("Invalid response"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_broken_connection_or_body_may_be_asked_again(error):
    """Resets, time-outs and truncated bodies are of the moment."""
    failure = understood(error, model=NAME)

    assert failure is not None
    assert failure.retry
    assert isinstance(failure.error, ModelUnreachable)


def test_a_status_says_more_than_the_widest_category():
    """ "Rejected" with a 409 is a conflict of the moment."""
    error = ModelHTTPError.for_category(ModelRequestRejectedError, status_code=409, model_name="m")

    assert "server" == kind_of(error)


def test_a_run_whose_time_is_up_is_not_tried_again():
    """It is a time-out of ours, though Python calls it one like any other."""
    assert "deadline" == kind_of(pydantic_ai.exceptions.RunTimedOut("over"))


def test_a_prompt_that_is_too_long_says_so():
    """The one who reads it can do something about it."""
    too_long = pydantic_ai.exceptions.ModelContextWindowExceededError
    error = ModelHTTPError.for_category(too_long, status_code=400, model_name="m")

    assert "takes no prompt of this length" in str(translated(error, model=NAME))


def test_a_reply_that_ran_into_its_limit_is_no_valid_reply():
    """Asking again would cut it again."""
    cut = translated(pydantic_ai.exceptions.OutputTokenLimitExceeded("too long"), model=NAME)

    assert isinstance(cut, InvalidReply)


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), KeyboardInterrupt(), ZeroDivisionError(), KeyError("x"), RunCancelled("stop")]
)
def test_what_is_no_failure_of_a_model_is_left_alone(error):
    """Cancelling, and faults of our own, must be seen as what they are."""
    assert translated(error, model=NAME) is None


def test_our_own_errors_are_left_as_they_are():
    """Translating twice changes nothing."""
    ours = ModelRejected("as it was")

    assert ours is translated(ours, model=NAME)


def test_a_message_names_the_model_and_what_to_do_and_nothing_else():
    """Providers repeat keys and prompts in what they write; only a status and a code word are taken from them."""
    body = {
        "error": {"message": "Incorrect API key provided: sk-secret. You asked: the brief", "code": "invalid_api_key"}
    }
    error = ModelHTTPError(401, "m", body=body, headers={"x": "sk-secret"}, provider_error_code="invalid_api_key")

    said = str(translated(error, model=NAME))

    assert NAME in said
    assert "check the provider's variable" in said
    assert "(HTTP 401, invalid_api_key)" in said
    assert "secret" not in said
    assert "brief" not in said


def test_a_code_that_could_be_a_key_is_not_told():
    """A word has no digits."""
    error = ModelHTTPError(401, "m", provider_error_code="sk-ant-0123456789")

    assert "0123456789" not in str(translated(error, model=NAME))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "Fri, 20 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Fri, 20 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "99999999999"}, RETRY_AFTER_SECONDS_MAX),
        ({"retry-after": "Fri, 20 Nov 3026 12:00:00 GMT"}, RETRY_AFTER_SECONDS_MAX),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_bounded(headers, seconds):
    """What cannot be read says nothing."""
    assert seconds == retry_after_seconds(headers, now=lambda: NOW)


def test_a_wait_in_the_body_counts_where_no_header_says_one():
    """Google writes it there, and pydantic-ai reads it."""
    failure = understood(ModelRateLimitError("m", "busy", retry_after=14.0), model=NAME)

    assert failure is not None
    assert 14.0 == failure.retry_after_seconds


def test_a_provider_may_forbid_another_try():
    """It says so in a header; the model stays one that could not be reached, so that another may take over."""
    failure = understood(ModelHTTPError(500, "m", headers={"x-should-retry": "false"}), model=NAME)

    assert failure is not None
    assert not failure.retry
    assert isinstance(failure.error, ModelUnreachable)


def test_a_chain_of_models_may_be_tried_again_if_one_of_them_may():
    """A group is understood by its members, and passed on where one is no failure of a model."""
    busy, refused = ModelHTTPError(503, "m"), ModelHTTPError(400, "m")

    both = understood(FallbackExceptionGroup("all failed", [refused, busy]), model=NAME)
    never = understood(FallbackExceptionGroup("all failed", [refused]), model=NAME)

    assert both is not None
    assert never is not None
    assert (True, False) == (both.retry, never.retry)
    assert understood(ExceptionGroup("mixed", [busy, ZeroDivisionError()]), model=NAME) is None


def test_every_kind_becomes_an_error_that_teaches():
    """Each sentence says what to do, after a semicolon."""
    from squads.adapters.pydantic_ai.failures import _SENTENCES

    for becomes, _, sentence in _SENTENCES.values():
        assert issubclass(becomes, ModelError)
        assert ";" in sentence


def test_the_widest_error_of_a_run_is_asked_again():
    """Nobody put a name to it, and tries are few."""
    assert "garbled" == kind_of(AgentRunError("something"))
    assert "refused" == kind_of(ModelRequestRejectedError("m", "no"))
