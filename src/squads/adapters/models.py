"""The models of a squad: every model string it may ask, what each costs, and whether replies are recorded or replayed.

This file knows no vendor and costs nothing to import: pydantic-ai and the SDKs are imported when the first model is
asked. Give it to `Squad(models=...)`; a squad whose roles name models and that is given none makes one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from squads.adapters.pydantic_ai.names import NO_PLUGINS, Plugins, check_name
from squads.contracts.errors import InvalidInput
from squads.contracts.thinking import ModelReply, ModelRequest
from squads.kernel.model_ports import ModelCall

if TYPE_CHECKING:
    from squads.adapters.pydantic_ai.engine import Engine

SLOTS_DEFAULT = 100
"""Requests that may be under way to one provider at once where nobody says."""


class _Free(Mapping[str, tuple[int, int]]):
    """What every reply costs that is replayed: nothing. It was paid when it was recorded."""

    def __getitem__(self, name: str) -> tuple[int, int]:
        return 0, 0

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


class Models:
    """Asks models by their strings.

    Args:
        given: Models of yours by the string that roles use: a pydantic-ai `Model` (`squads.testing.ScriptedModel` is
            one, and so is a `FallbackModel`), asked instead of what the string names.
        prices: Prices by model string, in millionths of a US dollar per million tokens: (in, out). They win over the
            price list that is installed.
        slots: How many requests to one provider may be under way at once, by the part before the colon.
        attempts_max: How often one request is made where the transport fails, the first time included.
        wait_seconds_max: How long is waited for those attempts together; a provider that asks for more is given up.
        record: A folder to which every reply is written, so that it can be replayed.
        replay: A folder of recorded replies. Nothing is asked over the network, nothing costs money, and a request that
            was not recorded exactly so is an error.
        plugins: Providers that installed packages bring.
    """

    def __init__(
        self,
        given: Mapping[str, Any] | None = None,
        *,
        prices: Mapping[str, tuple[int, int]] | None = None,
        slots: Mapping[str, int] | None = None,
        attempts_max: int = 6,
        wait_seconds_max: float = 120.0,
        record: Path | str | None = None,
        replay: Path | str | None = None,
        plugins: Plugins | None = None,
    ) -> None:
        if record is not None and replay is not None:
            raise InvalidInput("replies are recorded or replayed, not both; give one of `record` and `replay`")
        if attempts_max < 1 or any(n < 1 for n in (slots or {}).values()):
            raise InvalidInput("`attempts_max` and every number of `slots` is at least 1")
        self._given = dict(given or {})
        self._prices = dict(prices or {})
        self._slots = dict(slots or {})
        self._attempts_max = attempts_max
        self._wait_seconds_max = wait_seconds_max
        self._record = None if record is None else Path(record)
        self._replay = None if replay is None else Path(replay)
        self._plugins = plugins or NO_PLUGINS
        self._used: Counter[str] = Counter()
        self._engine: Engine | None = None
        self._wires: Any = None
        if self._replay is not None and not self._replay.is_dir():
            raise InvalidInput(f"{self._replay} is no folder of recorded replies; record some with --record")

    def check(self, name: str) -> None:
        """Raise `InvalidModel` where a model string cannot be asked here; asks nobody and spends nothing."""
        if name in self._given or self._replay is not None:
            return
        check_name(name, plugins=self._plugins)

    def price(self, name: str) -> tuple[int, int] | None:
        """Return a model's price in millionths of a US dollar per million tokens (in, out), or None.

        A replay answers as the recording did, so that a packet has the same bounds in both.
        """
        from squads.adapters.pydantic_ai.prices import price_of

        return price_of(name, self._prices)

    async def ask(self, request: ModelRequest, call: ModelCall) -> ModelReply:
        """Return a filled form. Raises a `ModelError`."""
        if self._engine is None:
            self._engine = self._started()
        return await self._engine.ask(request, call)

    async def close(self) -> None:
        """Let go of connections. Closing twice is no error."""
        if self._wires is not None:
            await self._wires.close()

    def _started(self) -> Engine:
        from squads.adapters.pydantic_ai.engine import Engine
        from squads.adapters.pydantic_ai.retrying import Patience

        return Engine(
            self._wire_of,
            prices=self._prices if self._replay is None else _Free(),
            patience=Patience(attempts_max=self._attempts_max, seconds_max=self._wait_seconds_max),
            slots=self._slots,
            slots_default=SLOTS_DEFAULT,
            record=self._record,
        )

    def _wire_of(self, name: str) -> Any:
        if self._replay is not None:
            from squads.adapters.pydantic_ai.recorded import RecordedModel

            return RecordedModel(name, self._replay, used=self._used)
        if name in self._given:
            return self._given[name]
        if self._wires is None:
            from squads.adapters.pydantic_ai.wire import Wires

            self._wires = Wires(plugins=self._plugins)
        return self._wires.wire_model(name)
