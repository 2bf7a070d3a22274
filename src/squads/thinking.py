"""Which roles think with models of this squad: what asks them, and what one of their answers may cost at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from squads.adapters.models import Models
from squads.adapters.pydantic_ai.mcp_servers import check_servers
from squads.contracts.errors import InvalidInput, InvalidSquad
from squads.gates.gate import Gate
from squads.kernel.model_ports import Model
from squads.minds.families import models_in
from squads.minds.thinker import CALL_MS_MAX, CALL_TOKENS_MAX
from squads.minds.tools import check_tools
from squads.roles.builder import Builder
from squads.roles.coordinator import Coordinator

_METHODS: Mapping[str, tuple[type[Any], str]] = {
    "coordinator": (Coordinator, "plan"),
    "builder": (Builder, "build"),
    "gate": (Gate, "review"),
}


def left_to_a_model(role: Any) -> str:
    """Return the method that a role leaves to a model; empty for one that has code of its own."""
    base, verb = _METHODS.get(getattr(role, "kind", ""), (object, ""))
    return verb if verb and getattr(type(role), verb, None) is getattr(base, verb) else ""


def asks_models(role: Any) -> bool:
    """Say whether a role that names a model may have this library ask it: a coordinator also where it plans itself."""
    return bool(left_to_a_model(role)) or getattr(type(role), "accept", None) is Coordinator.accept


def thinking_with(
    given: Model | Mapping[str, Any] | None, roles: Iterable[Any], *, sandboxed: bool = False, here: bool = True
) -> Model | None:
    """Return what asks models for these roles, or None where no role has one. Raises `InvalidModel`, `InvalidSquad`.

    What roles need that may have this library ask is checked here, before any work: see `check_mind`. With `here` False
    it is not: whoever serves them elsewhere has the keys and tools, and looks for itself.
    """
    every = list(everyone(roles))
    if given is None or isinstance(given, Mapping):
        named = any(models_in(getattr(role, "model", None)) for role in every)
        model: Model | None = Models(given or {}) if named or given else None
    else:
        model = given
    if model is not None and here:
        for role in filter(asks_models, every):
            check_mind(role, model, sandboxed=sandboxed)
    return model


def check_mind(role: Any, model: Model, *, sandboxed: bool) -> None:
    """Raise where a role could not think as it says: its models and their keys, its tools, its tool servers.

    Raises `InvalidModel` for models and servers, `InvalidSquad` for tools.
    """
    names = models_in(getattr(role, "model", None))
    for name in names:
        model.check(name)
    if not names or not left_to_a_model(role):
        return
    check_servers(role.servers)
    try:
        check_tools(role.tools, role.kind, sandboxed=sandboxed, programs=tuple(role.run))
    except InvalidInput as error:
        raise InvalidSquad(f"{type(role).__name__} {role.name!r}: {error}") from error


def allowance_of(role: Any, model: Model | None) -> tuple[int, int, int]:
    """Return the tokens, millionths of a dollar and milliseconds that one answer may take; a panel's members add up."""
    if members := getattr(role, "members", ()):
        each = [allowance_of(member, model) for member in members]
        return sum(a[0] for a in each), sum(a[1] for a in each), sum(a[2] for a in each)
    names = models_in(getattr(role, "model", None))
    tokens = getattr(role, "call_tokens_max", 0) or (CALL_TOKENS_MAX if names else 0)
    microusd = getattr(role, "call_microusd_max", 0)
    wait_ms = getattr(role, "call_ms_max", 0) or (CALL_MS_MAX if names else 0)
    if names and not microusd and model is not None:
        prices = [model.price(name) for name in names]
        if None not in prices:
            microusd = max(-(-tokens * max(price) // 1_000_000) for price in prices if price is not None)
    return tokens, microusd, wait_ms


def everyone(roles: Iterable[Any]) -> Iterator[Any]:
    """Yield roles and the members of those that are panels."""
    for role in roles:
        if role is not None:
            yield role
            yield from everyone(getattr(role, "members", ()))
