"""Costs are whole, rounded up, and never invented: a model without a price has none."""

from __future__ import annotations

import pytest
from genai_prices.data_snapshot import get_snapshot
from pydantic_ai.usage import RequestUsage

from squads.adapters.pydantic_ai import prices
from squads.adapters.pydantic_ai.prices import cost_of, price_of


def used(given: int = 0, answered: int = 0, cached: int = 0) -> RequestUsage:
    return RequestUsage(input_tokens=given, output_tokens=answered, cache_read_tokens=cached)


def test_a_known_model_has_a_price():
    """In millionths of a dollar per million tokens; what writing to a cache costs is the dearest input."""
    assert (2_500_000, 10_000_000) == price_of("anthropic:claude-sonnet-5-5")


def test_a_cost_counts_input_cached_input_and_output():
    """900 at $2, 100 out of the cache at $0.1 and 50 at $10 per million."""
    assert 1_800 + 10 + 500 == cost_of("anthropic:claude-sonnet-5-5", used(1_000, 50, cached=100))


def test_a_cost_is_rounded_up():
    """One token of input is two millionths; one out of the cache a tenth of one, which counts as one."""
    assert 2 == cost_of("anthropic:claude-sonnet-5-5", used(1))
    assert 1 == cost_of("anthropic:claude-sonnet-5-5", used(1, cached=1))
    assert 0 == cost_of("anthropic:claude-sonnet-5-5", used())


def test_a_price_never_falls_short_of_a_cost():
    """What is reserved by the price covers what is settled by the cost, long prompts and all."""
    for name in (
        "openai:gpt-6-luna",
        "openai-chat:gpt-6-luna",
        "anthropic:claude-sonnet-5-5",
        "litellm:openai/gpt-6-luna",
    ):
        price = price_of(name)
        assert price is not None
        for given in (1_000, 1_000_000):
            cost = cost_of(name, used(given, 1_000))
            assert cost is not None
            assert cost <= -(-(given * price[0] + 1_000 * price[1]) // 1_000_000)


def test_a_price_of_the_users_wins():
    """Also over a known one, and cached input costs as much as any."""
    mine = {"anthropic:claude-sonnet-5-5": (1_000_000, 3_000_000), "openai:my-own": (0, 1)}

    assert (1_000_000, 3_000_000) == price_of("anthropic:claude-sonnet-5-5", mine)
    assert 10 + 15 == cost_of("anthropic:claude-sonnet-5-5", used(10, 5, cached=10), mine)
    assert 1 == cost_of("openai:my-own", used(10, 5), mine)


@pytest.mark.parametrize("name", ["openai:no-such-model-at-all", "ollama:llama3", "acme:large", "litellm:acme/none"])
def test_a_model_without_a_price_has_none(name):
    """Unpriced is not free."""
    assert price_of(name) is None
    assert cost_of(name, used(1_000, 10)) is None


def test_a_litellm_string_is_priced_by_what_stands_behind_it():
    """The same model costs the same through litellm."""
    assert price_of("openai:gpt-6-luna") == price_of("litellm:openai/gpt-6-luna")


def test_a_litellm_string_falls_back_on_litellms_own_map():
    """For the providers that only litellm knows."""
    price = price_of("litellm:deepinfra/deepseek-ai/DeepSeek-V3")

    assert price is not None
    assert cost_of("litellm:deepinfra/deepseek-ai/DeepSeek-V3", used(1_000_000)) == price[0] > 0


def test_counts_that_contradict_each_other_are_paid_in_full():
    """More cached tokens than input cannot be priced, and must not come out as free."""
    cost = cost_of("anthropic:claude-sonnet-5-5", used(10, 5, cached=1_000))

    assert cost == -(-(1_000 * 2_500_000 + 5 * 10_000_000) // 1_000_000)


def test_prices_come_from_what_is_installed():
    """No price is ever downloaded: the snapshot says that no update was taken in."""
    price_of("openai:gpt-6-luna")
    from genai_prices.data_snapshot import get_snapshot

    assert not get_snapshot().from_auto_update
    assert "UpdatePrices" not in vars(prices)


@pytest.mark.parametrize("tokens", [(1, 1), (12_345, 678), (200_000, 9_000), (200_001, 1), (2_000_000, 77)])
def test_the_short_way_to_a_plain_cost_comes_to_what_genai_prices_does(tokens: tuple[int, int]) -> None:
    """For every model that is listed, steps included; where it does not know a price's meaning it says nothing."""
    usage = RequestUsage(input_tokens=tokens[0], output_tokens=tokens[1])
    names = [f"{provider.id}:{model.id}" for provider in get_snapshot().providers for model in provider.models]
    lists = {name: listed for name in names if (listed := prices._listed(name)) is not None}
    short = {name: cost for name, listed in lists.items() if (cost := prices._plain_cost(listed, usage)) is not None}

    assert len(names) / 2 < len(short)
    long = {name: prices._microusd(prices._priced(name, usage).total_price) for name in short}
    assert long == short


def test_cached_tokens_are_never_priced_the_short_way() -> None:
    """They have prices of their own."""
    listed = prices._listed("openai:gpt-5-mini")

    assert prices._plain_cost(listed, RequestUsage(input_tokens=9, output_tokens=1, cache_read_tokens=3)) is None
