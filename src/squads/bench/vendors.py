"""Brings what computes: numpy, scipy, statsmodels and scikit-learn, when a figure is asked for and not before."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from squads.contracts.errors import InvalidInput


def need(module: str) -> Any:
    """Return a vendor's module. Raises `InvalidInput` with what to install where it is not there."""
    try:
        return import_module(module)
    except ImportError:
        raise InvalidInput(
            f"this figure needs the package {module.partition('.')[0]}; install it with `pip install 'squads[bench]'`"
        ) from None
