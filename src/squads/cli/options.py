"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from squads.contracts.errors import InvalidInput

if TYPE_CHECKING:
    from squads.stores import Place


def _store(value: str) -> Place:
    from squads.stores import placed  # half of the time that a command takes to start, and few commands need it

    try:
        return placed(value)
    except InvalidInput as error:  # typer would quote the value, and a URL may hold a password
        raise typer.BadParameter(str(error)) from None


STORE_HELP = "Where receipts are kept: a directory, or postgresql://HOST/DATABASE#SCHEMA; `.squads` by default."

VERIFY_HELP = "What to verify: a store, `.squads` by default, or a packet's bundle."
if TYPE_CHECKING:
    Store = Annotated[Place | None, typer.Option(help=STORE_HELP)]
    StoreOrBundle = Annotated[Place | None, typer.Argument(help=VERIFY_HELP)]
else:  # typer knows no type that is one of two
    Store = Annotated[Path | None, typer.Option(parser=_store, metavar="STORE", help=STORE_HELP)]
    StoreOrBundle = Annotated[Path | None, typer.Argument(parser=_store, metavar="[STORE|BUNDLE]", help=VERIFY_HELP)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

Anchors = Annotated[
    list[str] | None,
    typer.Option("--anchor", metavar="URL", help="Compare with this anchor too; give one --anchor for each."),
]
Evidence = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where fork evidence is written; beside the store by default.")
]
Health = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="Serve /live and /metrics; a port alone is local.")
]
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
Root = Annotated[
    Path | None,
    typer.Option("--root", metavar="FILE", help="The root key's file, where it is not among this machine's keys."),
]
About = Annotated[
    str | None,
    typer.Option("--subject", metavar="NAME", help="Whom this is about: what one name has is erased together."),
]
Whose = Annotated[
    str,
    typer.Option("--subject", metavar="NAME|PACKET", help="A packet's id, a person, or a name given with --subject."),
]
WhoseOrNone = Annotated[
    str | None,
    typer.Option("--subject", metavar="NAME|PACKET", help="A packet's id, a person, or a name given with --subject."),
]
Asked = Annotated[str, typer.Argument(help="The packet's id, or at least its first 6 digits.")]
As = Annotated[str, typer.Option("--as", metavar="NAME", help="Who this is; their key must be on this machine.")]
