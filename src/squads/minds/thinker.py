"""What every role brings, whether it is code or asks a model: a name, a prior, and what one answer may cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from squads.contracts.errors import InvalidInput, InvalidModel
from squads.contracts.thinking import ToolServer

CALL_TOKENS_MAX = 200_000
"""The tokens that one answer of a role with a model may take where nobody says."""


CALL_MS_MAX = 300_000
"""The milliseconds that a role with a model may wait for its replies to one request where nobody says."""
_SEVERAL = ("model", "tools", "run", "servers", "topics")


_NUMBERS = ("call_tokens_max", "call_microusd_max", "output_tokens_max")


class Options(TypedDict, total=False):
    """What every role may be told when it is made; `Thinker` says what each means."""

    name: str | None
    prior: str | None
    model: str | Iterable[str] | None
    family: str | None
    tools: Iterable[str] | None
    run: Iterable[str] | None
    servers: Iterable[ToolServer] | None
    topics: Iterable[str] | None
    call_tokens_max: int | None
    call_microusd_max: int | None
    call_ms_max: int | None
    output_tokens_max: int | None


class Thinker:
    """The base of `Builder`, `Gate` and `Coordinator`. Class attributes and keyword arguments say the same things.

    Args:
        name: How the squad calls it.
        prior: What it brings, in prose.
        model: The model that answers, such as `anthropic:claude-sonnet-5-5`; several are asked in order, each when the
            one before cannot be. None for code.
        family: The model's family, where its name does not tell.
        tools: What it may use: `read`, `write`, `search`, `run`.
        run: The programs that the tool `run` may start.
        servers: MCP servers whose tools it may use.
        topics: Topics of facts that it may read.
        call_tokens_max: The most that one answer may use, reserved before it is asked.
        call_microusd_max: The same in millionths of a US dollar.
        call_ms_max: How long its models may take for one answer, all replies together.
        output_tokens_max: The most that one reply of the model may have.
    """

    name: str = ""
    """How the squad calls it; the class's name in lower case with dashes when empty."""
    prior: str = ""
    """What it brings, in prose; a gate brings another one than its author's."""
    model: str | Sequence[str] | None = None
    """The model that answers, or several in the order in which they are asked; None for code."""
    family: str | None = None
    """The family of a model whose name does not say it; see `squads.minds.families`."""
    tools: tuple[str, ...] = ()
    """What it may use while it works."""
    run: tuple[str, ...] = ()
    """Programs that its tool `run` may start."""
    servers: tuple[ToolServer, ...] = ()
    """MCP servers whose tools it may use, in sessions of its own."""
    topics: tuple[str, ...] = ()
    """Topics of facts that it may read."""
    call_tokens_max: int = 0
    """The most that one answer may use, reserved before it is asked. 0 for code; with a model 0 means 200,000."""
    call_microusd_max: int = 0
    """The same in millionths of a US dollar; 0 leaves it to the model's price."""
    call_ms_max: int = 0
    """How long its models may take for one answer, all replies together; 0 with a model means five minutes."""
    output_tokens_max: int = 16_000
    """The most that one reply of the model may have."""

    def __init__(self, **options: Unpack[Options]) -> None:
        for key, value in options.items():
            if key not in Options.__annotations__:
                raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument {key!r}")
            if value is None:
                continue
            if key in _SEVERAL:
                value = _several(key, value)
            if key in _NUMBERS and (not isinstance(value, int) or value < (key == "output_tokens_max")):
                raise InvalidInput(
                    f"{key}={value!r:.40} is no such number; give a whole one, from 1 for a reply's tokens"
                )
            setattr(self, key, value)

    def _check_model(self, verb: str) -> None:
        """Raise `InvalidModel` where a role has neither code nor a model for what it is asked."""
        if not self.model:
            raise InvalidModel(
                f"{type(self).__name__} has no `{verb}` of its own and no model; write `{verb}`, or give model='...'"
            )


def _several(key: str, value: Any) -> Any:
    """Return the things as a tuple. One word where several belong would be read letter by letter."""
    if isinstance(value, str) and key != "model":
        raise InvalidInput(f"{key}={value!r:.60} is one thing where several belong; write {key}=[...]")
    return value if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
