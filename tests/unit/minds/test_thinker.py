"""What roles are told when they are made: the same words as class attributes, and no word that means nothing."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Builder, Gate
from squads.contracts.errors import InvalidInput, InvalidModel
from squads.minds.thinker import Options, Thinker


def test_a_keyword_says_what_an_attribute_says() -> None:
    """And one that is None leaves the attribute."""

    class Own(Builder):
        model = "scripted:a"
        prior = "mine"

    own = Own(prior=None, tools=["read"], call_tokens_max=5)

    assert ("scripted:a", "mine", ("read",), 5) == (own.model, own.prior, own.tools, own.call_tokens_max)
    assert () == Own().tools


def test_every_option_is_an_attribute() -> None:
    """Neither is forgotten beside the other."""
    assert set(Options.__annotations__) <= set(vars(Thinker))


def test_an_unknown_keyword_is_refused() -> None:
    """It would otherwise be dropped without a word."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'modle'"):
        Gate(modle="scripted:a")  # type: ignore[call-arg]


@pytest.mark.parametrize("key", ["tools", "run", "topics", "servers"])
def test_one_word_where_several_belong_is_refused(key: str) -> None:
    """It would be read letter by letter."""
    wrong: Any = {key: "read"}
    with pytest.raises(InvalidInput, match=f"write {key}="):
        Builder(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"output_tokens_max": 0}, {"output_tokens_max": -1}, {"call_tokens_max": -1}, {"call_microusd_max": "1"}],
    ids=str,
)
def test_a_bound_that_bounds_nothing_is_refused(wrong: Any) -> None:
    """Before any work."""
    with pytest.raises(InvalidInput):
        Builder(**wrong)


def test_several_models_keep_their_order() -> None:
    """They are asked in it."""
    assert ("b:1", "a:1") == Builder(model=iter(["b:1", "a:1"])).model


async def test_a_role_without_code_and_model_says_what_it_lacks() -> None:
    """With the method to write."""
    with pytest.raises(InvalidModel, match="`review`"):
        Gate().review(None)  # type: ignore[arg-type]
