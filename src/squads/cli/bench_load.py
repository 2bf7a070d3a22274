"""`squads bench load`: read a public set from where its user fetched it, and say what is in it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from squads.cli.options import Json


def load(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The loader: cweval, eugene, real-vuln or sven.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Where the set was fetched to.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a line of JSON for every case into a new file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read a public set, check its commit and counts, and say how many cases it has of each language and label."""
    from squads.bench.families import set_digest
    from squads.bench.loaders import loader_named
    from squads.contracts.errors import InvalidInput

    loader = loader_named(name)
    cases = loader.load(path)
    if out is not None:
        try:
            with out.open("x", encoding="utf-8") as file:
                file.writelines(f"{case.model_dump_json()}\n" for case in cases)
        except FileExistsError:
            raise InvalidInput(f"{out} is there already, and stays as it is; name another file with --out") from None
        except OSError as error:
            raise InvalidInput(f"{out} cannot be written: {error.strerror}; name another file with --out") from None
    counted = Counter((case.language, case.label.value) for case in cases)
    families = len({case.family for case in cases})
    if as_json:
        languages: dict[str, dict[str, int]] = {}
        for (language, label), count in sorted(counted.items()):
            languages.setdefault(language, {})[label] = count
        data = {
            "loader": loader.name,
            "commit": loader.commit,
            "licence": loader.licence,
            "cases": len(cases),
            "families": families,
            "languages": languages,
            "case_set": set_digest(cases),
            "exit_code": 0,
        }
        typer.echo(json.dumps(data))
        return
    typer.echo(loader.title)
    for (language, label), count in sorted(counted.items()):
        typer.echo(f"  {language:10}  {label:8}  {count:5}")
    typer.echo(f"{len(cases)} cases in {families} families, {loader.home} at {loader.commit[:12]}, {loader.licence}")
    typer.echo(f"set {set_digest(cases)}")
