from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Blocked(Exception):
    """This reader borrows nothing until somebody has been paid."""


class NotThere(Exception):
    """No library has a copy on its shelf."""


@dataclass(frozen=True)
class Copy:
    library: str
    signature: str
    on_shelf: bool


class Desk:
    def __init__(self, registry: Any, catalogue: Any, dues_limit_cents: int = 1000) -> None:
        self._registry = registry
        self._catalogue = catalogue
        self._dues_limit_cents = dues_limit_cents

    async def request(self, reader: str, title: str) -> str:
        if not await self._may_borrow(reader):
            raise Blocked(reader)
        copy = await self._first_copy(title)
        if copy is None:
            raise NotThere(title)
        return await self._catalogue.order(reader, copy.library, copy.signature)

    async def _may_borrow(self, reader: str) -> bool:
        card = await self._registry.card(reader)
        return bool(card["active"]) and card["dues_cents"] <= self._dues_limit_cents

    async def _first_copy(self, title: str) -> Copy | None:
        async for found in self._catalogue.copies(title):
            copy = Copy(found["library"], found["signature"], found["status"] == "shelf")
            if copy.on_shelf:
                return copy
        return None
