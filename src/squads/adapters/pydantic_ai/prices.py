"""What a model costs: offline, in whole millionths of a US dollar, rounded up, so that a budget is never passed unseen.

Prices come from the user first, then from the data that genai-prices brings along, then, for litellm's models, from
litellm's own map. Nothing is ever downloaded. A model without a price has none: it is never taken for free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, Protocol

MILLION = 1_000_000
_PRICED_INPUT = ("input_mtok", "cache_write_mtok")
_UNDERSTOOD = frozenset(
    (
        *("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"),
        *("web_searches_kcount", "storage_searches_kcount"),
    )
)
"""Prices of plain input and output, and of what a reply with no cached tokens and no searches has none of."""
_LITELLM_INPUT = re.compile(r"(input_cost_per_token|cache_creation_input_token_cost)(_above_\d+k_tokens)?")
_LITELLM_OUTPUT = re.compile(r"output_cost_per_(token(_above_\d+k_tokens)?|reasoning_token)")


class Tokens(Protocol):
    """What is counted of a reply, as pydantic-ai's `RequestUsage` does. Cached tokens are part of `input_tokens`."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


Prices = Mapping[str, tuple[int, int]]
"""By model string: millionths of a US dollar per million tokens of input and of output."""


def price_of(name: str, prices: Prices | None = None) -> tuple[int, int] | None:
    """Return the most that a million tokens of input and of output can cost, in millionths of a dollar; None unpriced.

    The dearest step where a price grows with the length of the prompt, and never less than writing to a cache: what is
    reserved before a reply must cover it. `cost_of` is exact.
    """
    if prices and name in prices:
        return prices[name]
    listed = _listed(name)
    return _most(listed) if listed is not None else _litellm_price(name)


def cost_of(name: str, usage: Tokens, prices: Prices | None = None) -> int | None:
    """Return what a reply cost in millionths of a US dollar, rounded up; None for a model without a price.

    With a price of the user's, cached input costs as much as any. Counts that contradict each other, such as more
    cached tokens than input, are paid at the full price.
    """
    explicit = prices.get(name) if prices else None
    if explicit is None:
        listed = _listed(name)
        if listed is not None and _most(listed) is not None:
            plain = _plain_cost(listed, usage)
            if plain is not None:
                return plain
            found = _priced(name, usage)
            if found is not None:
                return _microusd(found.total_price)
        by_litellm = _litellm_cost(name, usage)
        if by_litellm is not None:
            return by_litellm
        explicit = price_of(name)
    if explicit is None:
        return None
    for_input, for_output = explicit
    tokens = max(usage.input_tokens, usage.cache_read_tokens + usage.cache_write_tokens)
    return -(-(tokens * for_input + usage.output_tokens * for_output) // MILLION)


class _Count:
    """A count of tokens of our own, for asking after a price."""

    cache_read_tokens = 0
    cache_write_tokens = 0

    def __init__(self, *, input_tokens: int, output_tokens: int) -> None:
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens


def _listed(name: str) -> Any:
    """Return genai-prices' price list of a model as it is now, or None where it has none."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    for provider, model in _references(name):
        try:
            _, found = snapshot.find_provider_model(model, None, provider, None)
        except LookupError:
            continue
        return found.get_prices(datetime.now(UTC))
    return None


def _most(listed: Any) -> tuple[int, int] | None:
    """Return the most that a million tokens of input and of output cost by a price list."""
    inputs = [_dearest(getattr(listed, each, None)) for each in _PRICED_INPUT]
    output = _dearest(getattr(listed, "output_mtok", None))
    if inputs[0] is None and output is None:
        return None
    return _microusd(max(each or Decimal(0) for each in inputs)), _microusd(output or Decimal(0))


def _plain_cost(listed: Any, usage: Tokens) -> int | None:
    """Return what plain input and output cost by a price list; None where more has to be thought of.

    What genai-prices comes to as well, in a hundredth of the time.
    """
    if usage.cache_read_tokens or usage.cache_write_tokens:
        return None
    if any(price is not None and key not in _UNDERSTOOD for key, price in vars(listed).items()):
        return None
    for_input, for_output = (
        _at(getattr(listed, key, None), usage.input_tokens) for key in ("input_mtok", "output_mtok")
    )
    total = usage.input_tokens * for_input + usage.output_tokens * for_output  # dollars a million, so millionths
    return int(total.to_integral_value(rounding=ROUND_CEILING))


def _at(price: Any, input_tokens: int) -> Decimal:
    """Return a price per million tokens for a prompt of this length: where it has steps, one step holds for all."""
    if price is None or isinstance(price, Decimal):
        return price or Decimal(0)
    steps = [tier.price for tier in price.tiers if input_tokens > tier.start]
    found: Decimal = steps[-1] if steps else price.base
    return found


def _priced(name: str, usage: Tokens) -> Any:
    """Return genai-prices' calculation, or None where it knows no price or cannot make sense of the counts."""
    from genai_prices import Usage, calc_price

    counted = Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    for provider, model in _references(name):
        try:
            return calc_price(counted, model, provider_id=provider)
        except (LookupError, ValueError):
            continue
    return None


def _references(name: str) -> Iterable[tuple[str, str]]:
    """Yield the provider and model to look a string up by."""
    provider, _, model = name.removeprefix("gateway/").partition(":")
    if provider != "litellm":
        yield provider, model
        return
    provider, _, model = model.partition("/")
    renamed = {"gemini": "google", "vertex_ai": "google", "together_ai": "together", "fireworks_ai": "fireworks"}
    yield renamed.get(provider, provider), model


def _dearest(price: Any) -> Decimal | None:
    """Return a price per million tokens in dollars, the highest step of one that has steps."""
    if price is None or isinstance(price, Decimal):
        return price
    steps: list[Decimal] = [price.base, *(tier.price for tier in price.tiers)]
    return max(steps)


def _litellm_price(name: str) -> tuple[int, int] | None:
    """Look a `litellm:` string up in litellm's own map, the one it brings along."""
    entry = _litellm_entry(name)
    if not entry or entry.get("input_cost_per_token") is None or entry.get("output_cost_per_token") is None:
        return None
    inputs = [_exact(cost) for key, cost in entry.items() if _LITELLM_INPUT.fullmatch(key) and cost is not None]
    outputs = [_exact(cost) for key, cost in entry.items() if _LITELLM_OUTPUT.fullmatch(key) and cost is not None]
    return _microusd(max(inputs) * MILLION), _microusd(max(outputs) * MILLION)


def _litellm_cost(name: str, usage: Tokens) -> int | None:
    """Return what litellm's own map makes of a reply, or None where it cannot say."""
    if not _litellm_entry(name):
        return None
    from squads.adapters.pydantic_ai.litellm_model import load_litellm

    try:
        dollars = load_litellm().cost_per_token(
            model=name.removeprefix("litellm:"),
            prompt_tokens=usage.input_tokens,
            completion_tokens=usage.output_tokens,
            cache_read_input_tokens=usage.cache_read_tokens,
            cache_creation_input_tokens=usage.cache_write_tokens,
        )
    except Exception:  # litellm raises whatever its map makes it raise; the price by the token still stands
        return None
    return _microusd(sum(map(_exact, dollars), Decimal(0)))


def _litellm_entry(name: str) -> dict[str, Any] | None:
    if not name.startswith("litellm:"):
        return None
    from squads.adapters.pydantic_ai.litellm_model import load_litellm

    known = load_litellm().model_cost
    model = name.removeprefix("litellm:")
    entry: dict[str, Any] | None = known.get(model) or known.get(model.partition("/")[2])
    return entry


def _exact(dollars: float) -> Decimal:
    return Decimal(str(dollars))


def _microusd(dollars: Decimal) -> int:
    return int((dollars * MILLION).to_integral_value(rounding=ROUND_CEILING))
