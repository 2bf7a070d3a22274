"""`squads bench plant`: break right code on purpose, and keep what the oracles say is broken."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Json


def plant(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the planted families go; nothing may be there yet.")],
    family: Annotated[
        list[str] | None, typer.Option(metavar="FAMILY", help="Plant into this family; one for each, all by default.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where families are; those that come with squads by default.")
    ] = None,
    operators: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Use this operator, or all of sql or python; one for each, all by default."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the places; the same seed plants the same bytes.")] = 0,
    each: Annotated[int, typer.Option(min=1, help="Places of a case for each operator, at most.")] = 1,
    as_json: Json = False,
) -> None:
    """Plant defects into right code, and keep those that flip the family's oracle while its own tests pass."""
    asyncio.run(_plant(out, family or [], folder, operators or [], seed, each, as_json=as_json))


async def _plant(
    out: Path, family: list[str], folder: Path | None, names: list[str], seed: int, each: int, *, as_json: bool
) -> None:
    import json
    from collections import Counter
    from functools import partial

    from squads.adapters.postgres_scratch import PostgresScratch
    from squads.adapters.process_sandbox import ProcessSandbox
    from squads.bench.case import Case
    from squads.bench.families import built_in_folder, cases
    from squads.bench.oracles import prove_cases
    from squads.bench.planting import Tried, operators, plant, tried, write_families
    from squads.bench.planting.write import fresh
    from squads.cards import nearest
    from squads.cli.show import one_line
    from squads.contracts.errors import InvalidInput

    top, chosen = built_in_folder() if folder is None else folder, operators(names)
    by_family: dict[str, list[Case]] = {}
    for case in cases(top):
        by_family.setdefault(case.family, []).append(case)
    for name in family:
        if name not in by_family:
            raise InvalidInput(f"there is no family {name!r:.80} in {top}; {nearest(name, by_family)}")
    fresh(out)  # said before minutes of proofs, not after them
    wanted = {name: some for name, some in by_family.items() if not family or name in family}
    homes = {name: top / name for name in wanted}
    scratch = PostgresScratch()
    prove = partial(prove_cases, sandbox=ProcessSandbox(), scratch=scratch)
    room = asyncio.Semaphore(2)

    async def one(name: str) -> list[Tried]:
        async with room:
            found = await tried(homes[name], wanted[name], plant(wanted[name], chosen, seed, each=each), prove=prove)
        for t in found if not as_json else ():
            typer.echo(f"{t.fate:10}  {t.planted.case.id:60}  {one_line(t.said)[:120]}".rstrip())
        return found

    try:
        done = [t for some in await asyncio.gather(*map(one, wanted)) for t in some]
    finally:
        await scratch.close()
    digest = write_families(out, homes, [case for some in wanted.values() for case in some], done)
    counts = Counter(t.fate for t in done)
    said = {fate: counts[fate] for fate in ("kept", "equivalent", "failed")}
    if as_json:
        typer.echo(json.dumps({"out": str(out), "seed": seed, **said, "case_set": digest, "exit_code": 0}))
        return
    typer.echo(", ".join(f"{count} {fate}" for fate, count in said.items()))
    typer.echo(f"set {digest}")
