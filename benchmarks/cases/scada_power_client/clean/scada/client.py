from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

log = logging.getLogger(__name__)


class ScadaError(Exception):
    """The control system gave no usable answer."""


@dataclass(frozen=True)
class Power:
    turbine: str
    kilowatts: float
    at: str


class ScadaClient:
    def __init__(self, host: str, api_key: str, get: Callable[[str], tuple[int, str]]) -> None:
        self._host = host
        self._api_key = api_key
        self._get = get

    def __repr__(self) -> str:
        return f"ScadaClient({self._host!r})"

    def power(self, turbine: str) -> Power:
        """Return what a turbine gives right now. Raises `ScadaError`."""
        answer = self._ask(f"/v2/turbines/{turbine}/power", {"unit": "kW"})
        try:
            return Power(turbine, float(answer["value"]), str(answer["at"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ScadaError(f"{turbine}: {answer!r:.200} is no power") from error

    def _ask(self, path: str, parameters: dict[str, str]) -> dict:
        query = urlencode(parameters | {"key": self._api_key})
        url = f"https://{self._host}{path}?{query}"
        status, text = self._get(url)
        if status != 200:
            log.warning("GET %s gave %s", path, status)
            raise ScadaError(f"{path} gave {status}")
        try:
            return json.loads(text)
        except ValueError as error:
            raise ScadaError(f"{path}: not JSON: {text[:80]!r}") from error
