"""Runs worlds and holds each of them to every rule: safety, liveness, bounds and replay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random
from types import SimpleNamespace
from typing import Any

from cast import ROLES, RUNNER
from checker import Checker, Violation
from world import Entry, World

from squads.contracts.errors import LedgerBroken


@dataclass
class Report:
    """What happened in many worlds, so that a generator that became tame is noticed."""

    worlds: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    """In how many worlds something was seen."""
    ignored: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    step_seconds: float = 0.0
    removals: int = 0


class Failed(AssertionError):
    """One world broke a rule; the message holds its seed and its trace."""

    def __init__(self, seed: int, message: str) -> None:
        super().__init__(message)
        self.seed = seed


def run(seeds: Iterable[int], kernel: SimpleNamespace, report: Report | None = None) -> Report:
    """Run a world for each seed and check it. Raises `Failed` at the first that breaks a rule."""
    report = report or Report()
    for seed in seeds:
        world = World(seed, kernel)
        try:
            facts = run_one(world, report)
        except Exception as error:
            raise Failed(seed, explain(seed, kernel, error)) from error
        report.worlds += 1
        report.facts.update(facts)
        report.facts.update(world.seen.keys())
        report.ignored.update(world.ignored)
        report.steps += world.steps
        report.step_seconds += world.step_seconds
    return report


def run_one(world: World, report: Report) -> set[str]:
    """Run and check one world; return what was seen in it."""
    world.run()
    checker = Checker(world.entries, world.manifests, ROLES, RUNNER)
    facts = checker.facts
    check_end(world)
    check_accounts(world, checker)
    check_replay(world)
    chance = Random(world.seed)
    everything = world.seed % 50 == 0
    indices = range(len(world.entries)) if everything else [chance.randrange(len(world.entries))]
    for index in indices:
        check_removal(world, index)
        report.removals += 1
    if world.seed % 5 == 0:
        check_addition(world, chance.randrange(len(world.entries)), chance)
    if world.seed % 25 == 0:
        check_bytes(world)
    return facts


def check_end(world: World) -> None:
    """Every fair world ends, or is left stopped on purpose."""
    state = world.state
    stopped = world.seen["left stopped"]
    if state is None or not (state.ended or stopped):
        raise Violation("the world was fair and the packet is still open")
    if state.ended and (
        state.finish is None or world.entries[-1].kind not in ("finish", "stop", "lift", "grant", "key-event")
    ):
        raise Violation("the packet ended without a finish")
    if state.ended and world.kernel.pending(state):
        raise Violation("a packet that ended still has something to send")


def check_accounts(world: World, checker: Checker) -> None:
    """Every account holds what the receipts cost, and at the end nothing is reserved any more."""
    state = world.state
    for account, spend in state.accounts.items():
        if tuple(a + b for a, b in zip(spend[:3], spend[4:], strict=True)) != checker.used(account):
            raise Violation(f"the account {account} holds {spend}, and its receipts cost {checker.used(account)}")
        if state.ended and any(spend[4:]):
            raise Violation(f"the packet ended, and the account {account} still holds reservations: {spend}")
    for name, spend in world.shadow.balances.items():
        if state.ended and (any(spend[4:]) or spend[:4] != state.spend[:4]):
            raise Violation(f"the packet ended, and the workspace's account {name} stands at {spend}")


def check_replay(world: World) -> None:
    """What a runner holds is what the recorded stream folds to."""
    for runner in world.runners:
        if runner.length == world.length and runner.state != world.state:
            raise Violation("the runner's state is not the fold of its ledger")


def fold(world: World, entries: list[Entry]) -> Any:
    """Return a replay of `entries`; raises `LedgerBroken` where the rules say something else."""
    replay = world.new_shadow()
    for entry in entries:
        replay.feed(world.receipt(entry))
    replay.close()
    return replay


def check_removal(world: World, index: int) -> None:
    """No receipt can be taken out of a ledger without being missed."""
    rest = world.entries[:index] + world.entries[index + 1 :]
    try:
        replay = fold(world, rest)
    except LedgerBroken:
        return
    if replay.packets.get(world.packet) == world.state and replay.view == world.shadow.view:
        raise Violation(f"receipt {world.entries[index].seq} ({world.entries[index].kind}) can be removed unnoticed")


def check_addition(world: World, index: int, chance: Random) -> None:
    """No receipt of a packet can be put in again: the rules ignore it there, and a replay says so."""
    entry = world.entries[index]
    if entry.stream == "workspace":
        return
    place = chance.randint(index + 1, len(world.entries))
    try:
        fold(world, [*world.entries[:place], entry, *world.entries[place:]])
    except LedgerBroken:
        return
    raise Violation(f"receipt {entry.seq} ({entry.kind}) can be put in again unnoticed")


def check_bytes(world: World) -> None:
    """The same holds when every receipt goes through its signed bytes."""
    kernel = world.kernel
    replay = world.new_shadow()
    for entry in world.entries:
        key = (bytes.fromhex(entry.key),)
        if entry.kind == "key-event":
            replay.feed(world.receipt(entry))
            continue
        receipt = kernel.receipt_of(
            entry.seq, "application/vnd.in-toto+json", kernel.payload_of(entry.record), key, entry.time_ms
        )
        # The simulation names receipts by counting, so that waivers and equivocations can be written down beforehand.
        replay.feed(replace(receipt, digest=entry.digest))
    replay.close()
    if replay.packets.get(world.packet) != world.state:
        raise Violation("the receipts' bytes fold to another state")


def explain(seed: int, kernel: SimpleNamespace, error: BaseException) -> str:
    """Return the seed, what went wrong, and the world's trace."""
    world = World(seed, kernel, trace=True)
    try:
        run_one(world, Report())
    except Exception as again:
        error = again
    lines = "\n".join(world.trace or [])
    return (
        f"world {seed}: {type(error).__name__}: {error}\n{lines}\n"
        f"reproduce with: SQUADS_SEED={seed} pytest tests/simulation"
    )
