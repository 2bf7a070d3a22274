"""`squads bench rename`: a set that nobody has read before, with a manifest to publish before its results."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Json


def rename(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the renamed families go; nothing may be there yet.")],
    family: Annotated[
        list[str] | None, typer.Option(metavar="FAMILY", help="Rename this family; one for each, all by default.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where families are; those that come with squads by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the words; keep it to yourself until results are out.")] = 0,
    as_json: Json = False,
) -> None:
    """Rename what families call their things, and keep those whose labels are proved anew."""
    asyncio.run(_rename(out, family or [], folder, seed, as_json=as_json))


async def _rename(out: Path, family: list[str], folder: Path | None, seed: int, *, as_json: bool) -> None:
    import json
    from functools import partial

    from squads.adapters.postgres_scratch import PostgresScratch
    from squads.adapters.process_sandbox import ProcessSandbox
    from squads.bench.families import built_in_folder, cases
    from squads.bench.oracles import prove_family
    from squads.bench.renaming import MANIFEST, rename_families
    from squads.cards import nearest
    from squads.cli.show import one_line
    from squads.contracts.errors import InvalidInput

    top = built_in_folder() if folder is None else folder
    known = dict.fromkeys(case.family for case in cases(top))
    for name in family:
        if name not in known:
            raise InvalidInput(f"there is no family {name!r:.80} in {top}; {nearest(name, known)}")
    homes = {name: top / name for name in known if not family or name in family}
    scratch = PostgresScratch()
    prove = partial(prove_family, sandbox=ProcessSandbox(), scratch=scratch)
    try:
        digest, done = await rename_families(homes, out, seed, prove=prove)
    finally:
        await scratch.close()
    kept = [one for one in done if not one.why_not]
    if as_json:
        data = {"out": str(out), "kept": len(kept), "left_out": len(done) - len(kept), "case_set": digest}
        typer.echo(json.dumps({**data, "exit_code": 0}))
        return
    for one in done:
        said = f"left out: {one_line(one.why_not)[:160]}" if one.why_not else f"is {one.name}"
        typer.echo(f"{one.of:32}  {said}")
    typer.echo(f"{len(kept)} of {len(done)} families renamed; publish {out / MANIFEST} before any result")
    typer.echo(f"set {digest}")
