"""Whether a server is set up so that accepted work is neither lost nor shown to strangers, and which line to change.

What could not be looked at is `unseen`, never `fine`. Everything here reads; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter, time
from typing import Any, Final

from squads.adapters.redis_bus.facts import text_of
from squads.adapters.redis_bus.failures import LinkUnavailable, LinkUnfit
from squads.adapters.redis_bus.fitness import CHECKS, Diagnosis, Finding, Observed, bad
from squads.adapters.redis_bus.link import Link
from squads.contracts.errors import BusError, BusUnfit

SETTINGS: Final = ("appendfsync", "bind", "protected-mode")
SECTIONS: Final = ("memory", "persistence", "replication")
_PINGS: Final = 5


async def examine(link: Link, *, disposable: bool = False) -> Diagnosis:
    """Look at the server behind a link and return all that was found.

    Raises `BusUnavailable` where it cannot be reached at all; a server that is too old is a finding.
    """
    try:
        seen = await _observe(link, disposable)
    except LinkUnfit as error:
        finding = bad("version", str(error), "the bus's guarantees need what only newer servers have", "upgrade it")
        return _diagnosis(Observed(address=link.address, disposable=disposable), [finding])
    return _diagnosis(seen, [check(seen) for check in CHECKS])


async def check_server(link: Link, *, disposable: bool = False) -> None:
    """Return when nothing that can be seen of the server is refused; a role's user may see little, and need not more.

    Raises `BusUnfit` with what to change, and `BusUnavailable`.
    """
    await link.server()  # one that is too old has a sentence of its own: no setting of it is wrong
    found = (await examine(link, disposable=disposable)).refused
    if found:
        words = "; ".join(f"{finding.what}: {finding.why} ({finding.fix})" for finding in found)
        raise BusUnfit(
            f"the bus at {link.address} is set up so that work could be lost or seen: {words}. "
            "`squads doctor` shows everything; nothing was sent"
        )


# What is looked at ---------------------------------------------------------------------------------------------------


async def _observe(link: Link, disposable: bool) -> Observed:
    times = []
    for _ in range(_PINGS):
        began = perf_counter()
        await link.call("PING")
        times.append(perf_counter() - began)
    questions: list[Sequence[str]] = [("TIME",), *(("INFO", section) for section in SECTIONS)]
    before = time()
    answers = await link.calls([*questions, *(("CONFIG", "GET", name) for name in SETTINGS)], keep_errors=True)
    ours_ms = (before + time()) * 500
    greeting = link.greeting()
    cluster = None
    if greeting.mode == "cluster":
        cluster = _lines_of((await link.calls([("CLUSTER", "INFO")], keep_errors=True))[0])
    info: dict[str, str] | None = {}
    for answer in answers[1 : 1 + len(SECTIONS)]:
        section = _lines_of(answer)
        info = None if section is None or info is None else info | section
    return Observed(
        address=link.address,
        greeting=greeting,
        info=info,
        settings=_settings_of(answers[1 + len(SECTIONS) :]),
        open_to_all=await _open_to_all(link),
        cluster=cluster,
        clock_off_ms=_clock_off(answers[0], ours_ms),
        round_trip_us=int(sorted(times)[_PINGS // 2] * 1_000_000),
        disposable=disposable,
    )


async def _open_to_all(link: Link) -> bool | None:
    """Try the door: no setting says as surely whether it is locked, and no right is needed for it."""
    stranger = Link.open(replace(link.address, user="", password=""), deadline_seconds=link.deadline_seconds)
    try:
        await stranger.call("PING")
        return True
    except LinkUnavailable as error:
        return False if error.code in {"noauth", "wrongpass", "noperm"} else None
    except BusError:
        return None
    finally:
        await stranger.close()


def _clock_off(answer: Any, ours_ms: float) -> int | None:
    if not isinstance(answer, list) or len(answer) != 2:
        return None
    return round(int(answer[0]) * 1000 + int(answer[1]) / 1000 - ours_ms)


def _lines_of(answer: Any) -> dict[str, str] | None:
    if not isinstance(answer, bytes):
        return None
    pairs = (line.partition(":") for line in text_of(answer).splitlines())
    return {name: value.strip() for name, colon, value in pairs if colon}


def _settings_of(answers: Sequence[Any]) -> dict[str, str]:
    found = {}
    for name, answer in zip(SETTINGS, answers, strict=True):
        if isinstance(answer, list) and len(answer) == 2:
            found[name] = text_of(answer[1])
    return found


def _diagnosis(seen: Observed, findings: Sequence[Finding | None]) -> Diagnosis:
    return Diagnosis(
        address=str(seen.address),
        server=seen.greeting.name if seen.greeting else "",
        round_trip_us=seen.round_trip_us,
        disposable=seen.disposable,
        findings=tuple(finding for finding in findings if finding is not None),
    )
