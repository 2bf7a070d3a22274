"""Proves one variant, or a family: the way from a folder to an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from squads.bench.case import Case
from squads.bench.families import cases_of, family_at
from squads.bench.oracles.page import PythonOracle, oracle_of
from squads.bench.oracles.proof import Proof, unknown
from squads.bench.oracles.python_oracle import prove_python
from squads.bench.oracles.sql_oracle import prove_sql
from squads.contracts.errors import InvalidCase, SandboxUnavailable, ScratchUnavailable
from squads.kernel.model_ports import Sandbox
from squads.kernel.scratch_ports import Scratch


async def prove(folder: Path, variant: str, *, sandbox: Sandbox | None = None, scratch: Scratch | None = None) -> Proof:
    """Return what the oracle of the family in `folder` says of one of its variants.

    Args:
        folder: The family's folder, with its `family.yaml`.
        variant: The variant's name.
        sandbox: Where Python is run; processes of this machine where there is none.
        scratch: Where SQL oracles make their databases; they need it.

    Raises `InvalidCase` for a family that cannot be read, and what the ports raise where they cannot be had.
    """
    for case in cases_of(folder):
        if case.variant == variant:
            return (await prove_cases(folder, [case], sandbox=sandbox, scratch=scratch))[0]
    raise InvalidCase(f"{folder.name} has no variant {variant!r:.60}")


async def prove_family(
    folder: Path, *, sandbox: Sandbox | None = None, scratch: Scratch | None = None
) -> list[tuple[Case, Proof]]:
    """Return every variant of a family with its proof, by variant; as `prove`, and quicker than one by one."""
    found = cases_of(folder)
    return list(zip(found, await prove_cases(folder, found, sandbox=sandbox, scratch=scratch), strict=True))


async def prove_cases(
    folder: Path, cases: Sequence[Case], *, sandbox: Sandbox | None = None, scratch: Scratch | None = None
) -> list[Proof]:
    """Return what the oracle in `folder` says of each case: its variants, or what was planted into one of them."""
    oracle = oracle_of(family_at(folder).oracle, family=folder.name)
    if isinstance(oracle, PythonOracle):
        return await prove_python(folder, cases, oracle, sandbox=sandbox)
    if scratch is None:
        raise InvalidCase(f"{folder.name}: its oracle asks PostgreSQL; give a scratch server")
    own: list[Proof | None] = [None] * len(cases)
    if (folder / "tests").is_dir():
        own = [*await prove_python(folder, cases, None, sandbox=sandbox)]
    return [
        tests if tests and tests.answer == "unknown" else await prove_sql(case, oracle, scratch)
        for case, tests in zip(cases, own, strict=True)
    ]


async def prove_all(
    folders: Iterable[Path], *, sandbox: Sandbox | None = None, scratch: Scratch | None = None, at_once: int = 2
) -> AsyncIterator[tuple[Case, Proof]]:
    """Yield every variant of every family with its proof, family by family in their order.

    `at_once` families are proved side by side. Where sandbox or server cannot be had, the answers are `unknown`.
    """
    room = asyncio.Semaphore(at_once)

    async def one(folder: Path) -> list[tuple[Case, Proof]]:
        async with room:
            try:
                return await prove_family(folder, sandbox=sandbox, scratch=scratch)
            except (SandboxUnavailable, ScratchUnavailable) as error:
                return [(case, unknown(str(error))) for case in cases_of(folder)]

    tasks = [asyncio.create_task(one(folder)) for folder in folders]
    try:
        for task in tasks:
            for found in await task:
                yield found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
