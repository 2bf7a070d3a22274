"""The charter's front matter: what the squad as a whole is told, and what is said of the models that its roles ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from squads.cards import INHERIT, checked_models, nearest
from squads.contracts.base import Contract
from squads.contracts.errors import InvalidCard, InvalidInput
from squads.contracts.packet import ApprovalRule, Budget, Limits, WorkspaceBudget
from squads.contracts.records import Independence
from squads.front_matter import Page

MODEL_SETTINGS = ("model", "prices", "slots")
"""What is said of models; the other keys are arguments of the squad."""
KEYS = ("people", "independence", "approval", "limits", "budget", "workspace_budget", *MODEL_SETTINGS)


def settings_of(page: Page) -> dict[str, Any]:
    """Return what a charter's front matter says, each value in its type. Raises `InvalidCard` with its line."""
    made: dict[str, Any] = {}
    for key, value in page.values.items():
        if key not in KEYS:
            raise InvalidCard(f"{page.place(key)}: there is no key {key!r}; {nearest(key, KEYS)}")
        if key == "model":
            made[key] = checked_models(value, page.place(key))
            if made[key] == INHERIT:
                raise InvalidCard(f"{page.place(key)}: the charter's model is what others inherit; name one")
            continue
        try:
            made[key] = _asking(key, value) if key in MODEL_SETTINGS else _setting(key, value)
        except (InvalidInput, TypeError) as error:
            raise InvalidCard(f"{page.place(key)}: {error}") from error
    return made


def _setting(key: str, value: Any) -> Any:
    models: Mapping[str, type[Contract]] = {
        "approval": ApprovalRule,
        "limits": Limits,
        "budget": Budget,
        "workspace_budget": WorkspaceBudget,
    }
    if key in models:
        model = models[key]
        if not isinstance(value, Mapping):
            raise InvalidInput(f"{key!r} holds `key: value` lines; known: {', '.join(model.model_fields)}")
        for inner in value:
            if inner not in model.model_fields:
                raise InvalidInput(f"there is no key {inner!r}; {nearest(str(inner), model.model_fields)}")
        return model(**value)
    if key == "independence":
        if value not in get_args(Independence):
            raise InvalidInput(f"{value!r} is no independence; {nearest(str(value), get_args(Independence))}")
        return value
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(v, str) for v in value):
        raise InvalidInput(f"{key!r} is a list of names, such as [owner]; got {value!r:.60}")
    return value


def _asking(key: str, value: Any) -> Any:
    """Return prices by model string, or slots by provider. Raises `InvalidInput`."""
    if not isinstance(value, Mapping) or not value:
        example = "anthropic: 20" if key == "slots" else "'anthropic:claude-sonnet-5-5': [3000000, 15000000]"
        raise InvalidInput(f"{key!r} holds lines such as `{example}`; got {value!r:.60}")
    found: dict[str, Any] = {}
    for name, said in value.items():
        if key == "slots":
            if not _whole(said, 1):
                raise InvalidInput(f"{name!r} has {said!r:.40} slots; give a whole number from 1 on")
            found[name] = said
        else:
            if not isinstance(said, list) or len(said) != 2 or not all(_whole(price, 0) for price in said):
                raise InvalidInput(
                    f"the price of {name!r} is [in, out], whole millionths of a US dollar per million tokens; "
                    f"got {said!r:.60}"
                )
            found[name] = (said[0], said[1])
    return found


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
