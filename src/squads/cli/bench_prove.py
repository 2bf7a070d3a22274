"""`squads bench prove`: is every label of a set of cases what its oracle says?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Json

REFUTED, UNPROVED = 1, 2


def prove(
    families: Annotated[
        list[str] | None, typer.Argument(metavar="FAMILY", help="Only these families; all by default.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where families are; those that come with squads by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove the label of every variant: attack it, and see whether the invariant really breaks.

    Exit code 1: an oracle says otherwise than a label. Exit code 2: one could not be proved.
    """
    raise typer.Exit(asyncio.run(_prove(families or [], folder, as_json=as_json)))


async def _prove(families: list[str], folder: Path | None, *, as_json: bool) -> int:
    import json

    from squads.adapters.postgres_scratch import PostgresScratch
    from squads.adapters.process_sandbox import ProcessSandbox
    from squads.bench.oracles import prove_all, proved
    from squads.cli.show import one_line

    counts = {"proved": 0, "refuted": 0, "unproved": 0}
    scratch = PostgresScratch()
    try:
        async for case, proof in prove_all(_homes(families, folder), sandbox=ProcessSandbox(), scratch=scratch):
            word = proved(case.label, proof)
            counts[word] += 1
            if as_json:
                row = {"case": case.id, "label": case.label.value, "answer": proof.answer, "label_is": word}
                typer.echo(json.dumps({**row, "said": proof.said}))
            else:
                typer.echo(f"{word:8}  {case.id:44}  {proof.answer:7}  {one_line(proof.said)[:200]}".rstrip())
    finally:
        await scratch.close()
    if not as_json:
        typer.echo(", ".join(f"{count} {word}" for word, count in counts.items()))
    return REFUTED if counts["refuted"] else UNPROVED if counts["unproved"] else 0


def _homes(families: list[str], folder: Path | None) -> list[Path]:
    """Return the folders of the families that were asked for. Raises `InvalidInput` for one that is not there."""
    from squads.bench.families import built_in_folder, cases
    from squads.cards import nearest
    from squads.contracts.errors import InvalidInput

    top = built_in_folder() if folder is None else folder
    known = dict.fromkeys(case.family for case in cases(top))  # the whole set is read first, or nothing is proved
    for name in families:
        if name not in known:
            raise InvalidInput(f"there is no family {name!r:.80} in {top}; {nearest(name, known)}")
    return [top / name for name in known if not families or name in families]
