"""litellm is one more provider: its failures are told in the same words, and it does nothing on its own."""

from __future__ import annotations

import pytest
from little_server import FORM, HELLO, SETTINGS, json_reply
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelServerError,
    ModelUnavailableError,
)

from squads.adapters.pydantic_ai.failures import understood
from squads.adapters.pydantic_ai.litellm_model import LiteLLMModel, api_error, load_litellm
from squads.adapters.pydantic_ai.wire import Wires
from squads.contracts.errors import ModelRejected, ModelUnreachable

NAME = "litellm:openai/gpt-6-luna"


def fault(status: int, message: str = "no", code: str | None = None, **headers: str):
    return json_reply({"error": {"message": message, "type": "t", "code": code}}, status, **headers)


@pytest.fixture
async def model(little):
    wires = Wires()
    yield wires.wire_model(NAME)
    await wires.close()


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (fault(429), ModelRateLimitError),
        (fault(429, "You exceeded your current quota", "insufficient_quota"), ModelQuotaExceededError),
        (fault(401), ModelAuthenticationError),
        (fault(404), ModelNotFoundError),
        (fault(400), ModelRequestRejectedError),
        (fault(400, "maximum context length is 8", "context_length_exceeded"), ModelContextWindowExceededError),
        (fault(500), ModelServerError),
        (fault(503), ModelUnavailableError),
        ("reset", ModelAPIError),
        ((200, {"content-type": "application/json"}, b'{"id": "c1", "choi'), ModelAPIError),
    ],
    ids=lambda each: getattr(each, "__name__", "step"),
)
async def test_a_failure_over_http_has_the_category_of_every_other_provider(step, kind, little, model):
    """Whoever falls back or tries again need not know that litellm stood between; nobody else tried again before."""
    little.script = [step]

    with pytest.raises(kind) as caught:
        await model.request(HELLO, SETTINGS, FORM)

    assert 1 == len(little.asked)
    failure = understood(caught.value, model=NAME)
    assert failure is not None
    assert isinstance(failure.error, ModelRejected if not failure.retry else ModelUnreachable)


async def test_retry_after_comes_through(little, model):
    """litellm keeps the headers on the response of its error."""
    little.script = [fault(429, retry_after="7")]

    with pytest.raises(ModelRateLimitError) as caught:
        await model.request(HELLO, SETTINGS, FORM)

    failure = understood(caught.value, model=NAME)
    assert failure is not None
    assert 7.0 == failure.retry_after_seconds


def test_errors_that_are_no_openai_errors_become_pydantic_ais_too():
    """Some of litellm's have no ancestor in common with the SDK whose shape it borrows."""
    load_litellm()
    from litellm.exceptions import BudgetExceededError, GuardrailRaisedException, ModelNotMappedError

    assert isinstance(api_error(BudgetExceededError(2.0, 1.0), "m"), ModelQuotaExceededError)
    assert isinstance(api_error(GuardrailRaisedException(), "m"), ModelRequestRejectedError)
    assert isinstance(api_error(ModelNotMappedError("m"), "m"), ModelNotFoundError)
    assert isinstance(api_error(ConnectionResetError(), "m"), ModelConnectionError)


def test_what_the_provider_wrote_does_not_come_through():
    """It may repeat the key or the prompt."""
    load_litellm()
    from litellm.exceptions import AuthenticationError

    error = api_error(AuthenticationError("Incorrect key sk-secret", "openai", "m"), "m")

    assert isinstance(error, ModelHTTPError)
    assert "secret" not in str(error)


def test_a_fault_of_ours_stays_one():
    """It is not dressed up as the provider's."""
    ours = ZeroDivisionError()

    assert ours is api_error(ours, "m")


async def test_litellm_prints_and_warns_nothing(little, model, capfd, recwarn):
    """Neither while it is asked nor when it fails."""
    await model.request(HELLO, SETTINGS, FORM)
    little.script = [fault(500)]
    with pytest.raises(ModelAPIError):
        await model.request(HELLO, SETTINGS, FORM)

    assert ("", "") == tuple(capfd.readouterr())
    assert [] == [str(each.message) for each in recwarn]


def test_loading_it_downloads_nothing_and_reads_no_env_file(monkeypatch):
    """What it would do while it is imported is switched off before."""
    import os

    load_litellm()

    assert "True" == os.environ["LITELLM_LOCAL_MODEL_COST_MAP"]
    assert "PRODUCTION" == os.environ["LITELLM_MODE"]
    assert "openai/gpt-6-luna" == LiteLLMModel("openai/gpt-6-luna").model_name
