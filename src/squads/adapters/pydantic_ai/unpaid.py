"""Which failures of a request certainly cost nothing. Whatever may have been served counts in full."""

from __future__ import annotations

from squads.adapters.pydantic_ai.failures import kind_of
from squads.contracts.errors import SquadsError

_TURNED_AWAY = ("rate", "overloaded", "quota", "key", "unknown-model", "too-long", "refused", "setting", "limit")
_BEFORE_SENDING = frozenset(
    ("ConnectError", "ConnectTimeout", "PoolTimeout", "ClientConnectorError", "ConnectionRefusedError", "gaierror")
)
_CAUSES_MAX = 8


def unpaid(error: BaseException) -> bool:
    """Say whether a request that failed so was certainly not paid: it was turned away, or never left this machine."""
    if isinstance(error, BaseExceptionGroup):
        return all(unpaid(each) for each in error.exceptions)
    if isinstance(error, SquadsError):
        return True
    kind = kind_of(error)
    if kind == "server":  # a gateway that gave up says nothing of the model behind it
        return getattr(error, "status_code", None) not in (502, 504)
    return kind in _TURNED_AWAY or (kind in ("connection", "timeout") and _never_left(error))


def _never_left(error: BaseException) -> bool:
    seen: BaseException | None = error
    for _ in range(_CAUSES_MAX):
        if seen is None:
            return False
        if any(each.__name__ in _BEFORE_SENDING for each in type(seen).__mro__):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
