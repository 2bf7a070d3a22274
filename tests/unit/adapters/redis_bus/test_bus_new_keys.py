"""A key registered a moment ago is looked up before a message of it is lost; a forgery changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from squads.adapters.redis_bus import border as border_module
from squads.adapters.redis_bus.border import Border, Unacceptable
from squads.adapters.redis_bus.names import Names
from squads.adapters.redis_bus.seals import KnownKey, OwnSeals, SharedSeals
from squads.contracts.errors import StorageUnavailable
from squads.contracts.messages import RUNNER
from squads.testing import FixedSigner
from squads.testing.bus_letters import letter

GATE = FixedSigner("gate")
EDGE = Names("ws").replies("style")
SAID = letter(1).but(sender="style", recipient=RUNNER, prior=None)


def border_with(known: dict[bytes, KnownKey]) -> Border:
    return Border("ws", OwnSeals(lambda _: GATE, known.get))


@pytest.mark.parametrize("held", [None, frozenset[str](), frozenset({"gate:other"})], ids=["unknown", "none", "other"])
async def test_a_key_that_was_just_registered_is_looked_up(held: frozenset[str] | None) -> None:
    """Another process has registered it: the message is read, and not buried."""
    known: dict[bytes, KnownKey] = {} if held is None else {GATE.key_id: (GATE.public_key, held)}
    border = border_with(known)

    async def look_up() -> None:
        known[GATE.key_id] = GATE.public_key, frozenset({"gate:style"})

    border.look_up = look_up

    assert await border.admit(border.written(SAID, EDGE.key), EDGE) == SAID


async def test_a_key_that_is_still_not_known_is_refused() -> None:
    """Looking once is enough."""
    border, looked = border_with({}), []

    async def look_up() -> None:
        looked.append(1)

    border.look_up = look_up

    with pytest.raises(Unacceptable, match="unknown-key"):
        await border.admit(border.written(SAID, EDGE.key), EDGE)
    assert looked == [1]


async def test_nothing_is_lost_while_nobody_can_say_who_holds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is away: the message waits for it."""
    monkeypatch.setattr(border_module, "LOOK_UP_SECONDS", 0)
    known: dict[bytes, KnownKey] = {}
    border, tries = border_with(known), []

    async def look_up() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise StorageUnavailable("the ledger is away")
        known[GATE.key_id] = GATE.public_key, frozenset({"gate:style"})

    border.look_up = look_up

    assert await border.admit(border.written(SAID, EDGE.key), EDGE) == SAID


@pytest.mark.parametrize(
    "change",
    [pytest.param({b"s": b"x" * 64}, id="forged"), pytest.param({b"k": b"shared"}, id="other mode")],
)
async def test_nobody_looks_anything_up_for_a_forgery(change: dict[bytes, bytes]) -> None:
    """A mark that is wrong stays wrong, and the other mode's key id is no key."""
    border = border_with({GATE.key_id: (GATE.public_key, frozenset({"gate:style"}))})

    async def look_up() -> Any:
        raise AssertionError

    border.look_up = look_up

    with pytest.raises(Unacceptable):
        await border.admit({**border.written(SAID, EDGE.key), **change}, EDGE)


async def test_where_all_share_a_key_nothing_is_looked_up() -> None:
    """There the key is on everybody's disk."""
    border = Border("ws", SharedSeals(bytes(32)))

    assert await border.admit(border.written(SAID, EDGE.key), EDGE) == SAID
