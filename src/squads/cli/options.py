"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[
    Path | None, typer.Option(help="Where receipts are kept; `.squads` at the top of the work tree by default.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

Bus = Annotated[
    str | None,
    typer.Option("--bus", metavar="URL", envvar="SQUADS_BUS", help="The bus, such as redis://HOST:PORT."),
]
Elsewhere = Annotated[bool, typer.Option("--elsewhere", help="Serve no role here: workers on the bus do.")]
Signing = Annotated[
    str,
    typer.Option(metavar="HOW", help="How messages are signed: shared, or own where each worker has keys of its own."),
]
DeadAfter = Annotated[
    float,
    typer.Option(
        "--dead-after", metavar="SECONDS", min=0.1, help="Without a heartbeat for so long, a process may be dead."
    ),
]
