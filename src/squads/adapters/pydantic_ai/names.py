"""Whether a model string can be asked here, said before anything is asked and before anything is spent.

A string is `provider:model`. The provider must be known, its package installed and its key set; the model's own name is
never judged, because providers bring out models faster than lists of them are written. No vendor is imported to say
no, except to look up the nearest known name. A key's value is never read further than "is it there", nor ever shown.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from squads.adapters.pydantic_ai.providers import (
    GATEWAY,
    GATEWAY_NEEDS,
    LITELLM_BASE_URLS,
    LITELLM_NEEDS,
    NOT_FOR_ROLES,
    PROVIDERS,
)
from squads.contracts.errors import InvalidModel

KEYLESS = "`squads run --replay DIR` answers from a recording and `squads demo` needs no model"
_MODEL = re.compile(r"[^\s\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True, slots=True)
class Plugins:
    """The providers that installed packages bring, by their prefix; looked up by whoever may read entry points."""

    names: frozenset[str] = frozenset()
    load: Callable[[str], Callable[[str], Any]] | None = None
    """Takes a prefix, returns its maker of models: `(model_name) -> pydantic_ai.models.Model`."""


NO_PLUGINS = Plugins()


def check_name(name: str, *, environment: Mapping[str, str] | None = None, plugins: Plugins = NO_PLUGINS) -> None:
    """Raise `InvalidModel` where a model string cannot be asked here; asks nobody and spends nothing.

    The sentence names the nearest known string, the missing variable, or what to install.

    Args:
        name: `provider:model`, as in `anthropic:claude-sonnet-5-5` or `litellm:openai/gpt-6-luna`.
        environment: Where keys are looked for; None is the process's own.
        plugins: Providers of installed packages; they see to their own keys.
    """
    environment = os.environ if environment is None else environment
    provider, model = split_name(name, plugins=plugins)
    if provider in plugins.names:
        return
    needs = PROVIDERS[provider.removeprefix(GATEWAY)]
    if not _importable(needs.module):
        raise InvalidModel(
            f"{name!r} needs a package that is not installed: pip install {needs.install or needs.module}"
        )
    groups = needs.needs
    if provider.startswith(GATEWAY):
        groups = GATEWAY_NEEDS
    elif provider == "litellm":
        groups = () if litellm_keyless(model, environment) else LITELLM_NEEDS.get(model.partition("/")[0], ())
    elif keyless(provider, environment):
        groups = ()
    missing = [" or ".join(group) for group in groups if not any(_set(environment, each) for each in group)]
    if missing:
        raise InvalidModel(f"{name!r} cannot be asked yet: set {' and '.join(missing)}; without a key, {KEYLESS}")


def split_name(name: str, *, plugins: Plugins = NO_PLUGINS) -> tuple[str, str]:
    """Return the provider and the model of a string. Raises `InvalidModel` that names the nearest known string."""
    provider, colon, model = name.partition(":")
    known = provider in plugins.names or provider.removeprefix(GATEWAY) in PROVIDERS
    if provider.removeprefix(GATEWAY) in NOT_FOR_ROLES:
        raise InvalidModel(f"{name!r} cannot fill in a form, so no role can think with it; try {_nearest(name)!r}")
    if not colon or not known:
        fault = f"no provider {provider!r} is known" if colon else "it does not say which provider to ask"
        raise InvalidModel(f"{name!r} is no model string: {fault}; the nearest is {_mended(name, plugins)!r}")
    if not _MODEL.fullmatch(model):
        raise InvalidModel(
            f"{name!r} is no model string: after the colon comes a model's name without spaces, "
            f"as in {_nearest(name.strip())!r}"
        )
    if provider == "litellm":
        _check_litellm(name, model)
    return provider, model


def keyless(provider: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether a provider is asked without a key: none is set, and it is moved to this machine, where none is needed."""
    environment = os.environ if environment is None else environment
    known = PROVIDERS.get(provider)
    return known is not None and _keyless(known.needs, (known.base_url,), environment)


def litellm_keyless(model: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether the provider of a litellm model, as in `openai/gpt-6-luna`, is asked without a key."""
    environment = os.environ if environment is None else environment
    provider = model.partition("/")[0]
    return _keyless(LITELLM_NEEDS.get(provider, ()), LITELLM_BASE_URLS.get(provider, ()), environment)


def _keyless(groups: Iterable[Iterable[str]], base_urls: Iterable[str], environment: Mapping[str, str]) -> bool:
    moved = any(_loopback(environment.get(each, "")) for each in base_urls)
    return moved and not any(_set(environment, each) for group in groups for each in group)


def _check_litellm(name: str, model: str) -> None:
    """Refuse a litellm string without its provider, or with a misspelt one.

    litellm knows more providers than the table, so what is not close to one of ours is left to litellm.
    """
    provider, slash, rest = model.partition("/")
    if not slash or not rest:
        raise InvalidModel(
            f"{name!r} does not say whom litellm shall ask; write its provider too, as in 'litellm:openai/{model}'"
        )
    if provider in LITELLM_NEEDS or _litellm_folder(provider):
        return
    for close in get_close_matches(provider.lower(), LITELLM_NEEDS, n=1, cutoff=0.8):
        raise InvalidModel(f"litellm knows no provider {provider!r}; the nearest is 'litellm:{close}/{rest}'")


def _set(environment: Mapping[str, str], variable: str) -> bool:
    return bool(environment.get(variable, "").strip())


def _loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _importable(module: str) -> bool:
    """Whether a module is installed; it is not imported to find out."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _litellm_folder(provider: str) -> bool:
    """Whether litellm has a folder for a provider. Importing litellm to ask it takes seconds."""
    spec = find_spec("litellm")
    places = spec.submodule_search_locations if spec else None
    return any(Path(place, "llms", provider).is_dir() for place in places or ())


def _mended(name: str, plugins: Plugins) -> str:
    """Return the nearest string: what was written under a provider that is nearly right, else a known one."""
    name = name.strip()
    provider, colon, model = name.partition(":")
    if colon and model:
        for close in get_close_matches(provider.lower(), sorted({*PROVIDERS, *plugins.names}), n=1, cutoff=0.7):
            return f"{close}:{model}"
    before, slash, after = name.partition("/")
    if slash and after and before.lower() in PROVIDERS:
        return f"{before.lower()}:{after}"
    return _nearest(name)


def _nearest(name: str) -> str:
    """Return the known model string that is nearest: by the whole string, then by the model's name alone."""
    known = _known()
    provider, _, model = name.rpartition(":")
    of_provider = [each for each in known if provider and each.startswith(f"{provider}:")]
    for close in get_close_matches(name.lower(), of_provider or known, n=1, cutoff=0.9):
        return close
    models = {each.partition(":")[2]: each for each in reversed(known)}
    for close in get_close_matches(model.lower(), models, n=1, cutoff=0.6):
        return models[close]
    return next(iter(of_provider or known))


@cache
def _known() -> list[str]:
    """Every model string that pydantic-ai offers and a role can use, the makers of a model before its resellers."""
    from pydantic_ai.models import known_model_names

    return sorted(_usable(known_model_names()), key=_directness)


def _usable(names: Iterable[str]) -> Iterable[str]:
    return (each for each in names if each.partition(":")[0] in PROVIDERS)


def _directness(name: str) -> tuple[int, str]:
    makers = ["anthropic", "openai", "google", "mistral", "groq", "xai", "deepseek"]
    provider = name.partition(":")[0]
    return (makers.index(provider) if provider in makers else len(makers), name)
