"""What the commands for workers have in common: which roles are meant, and which workspace they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from squads.cards import nearest
from squads.cli.gate import default_store, project_for
from squads.contracts.errors import InvalidInput
from squads.ledger.errors import Malformed
from squads.ledger.trust import Trust
from squads.project import Project
from squads.resolve import name_of
from squads.roles.coordinator import OneTask
from squads.stores import TRUST, Place, StoreUrl, trust_in

TRUST_BYTES_MAX = 16 * 1024
ONE_TASK = name_of(OneTask())


def project_here() -> Project:
    """Return the project that is committed here, or that stands on the disk where nothing is committed."""
    project = project_for()
    if project is None:
        raise InvalidInput(
            "there is no squad here: no committed cards in roles/ and gates/; run this in the project's folder, or "
            "serve roles that stand in code with squads.buses.serve_roles"
        )
    return project


def servable(project: Project) -> dict[str, Any]:
    """Return every role that can be asked over a bus, by name. Members of a panel answer inside it, and only there."""
    return chosen(project, [*_names(project), *([] if project.coordinator() else [ONE_TASK])])


def chosen(project: Project, names: Sequence[str]) -> dict[str, Any]:
    """Return the roles that were asked for, by name, and make no others. Raises `InvalidInput`."""
    if not names:
        raise InvalidInput("say which roles: --role NAME, once for each; `squads show` lists them")
    known = _names(project)
    for name in names:
        if name in project.seated():
            panels = [n for n, card in project.cards.items() if name in (card.get("members") or ())]
            raise InvalidInput(f"{name!r} sits on the panel {panels[0]!r} and is asked only there; serve {panels[0]!r}")
        if name not in known and (name != ONE_TASK or project.coordinator() is not None):
            raise InvalidInput(f"no role here is called {name!r}; {nearest(name, known)}")
    # A squad without a coordinator's card has the one that makes one task of every packet.
    return {name: project.role(name) if name in known else OneTask() for name in dict.fromkeys(names)}


def _names(project: Project) -> list[str]:
    return [name for name in project.cards if name not in project.seated()]


def spoken(roles: Mapping[str, Any]) -> dict[str, str]:
    """Return roles as key events call them, `gate:schema`, by name."""
    return {name: f"{role.kind}:{name}" for name, role in roles.items()}


def trust_at(path: Path | None, store: Place | None) -> Trust:
    """Return what a `trust.json` says: the one named, or the one in the store. Raises `InvalidInput`."""
    place = store or default_store()
    if path is None and isinstance(place, StoreUrl):
        return trust_in(place)
    where = path or Path(str(place)) / TRUST
    try:
        with where.open("rb") as file:
            return Trust.from_json(file.read(TRUST_BYTES_MAX))
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no {where}; copy trust.json from beside the workspace's ledger, and name it with --trust"
        ) from None
    except (OSError, Malformed) as error:
        raise InvalidInput(f"{where} cannot be read: {error}; copy it again from beside the ledger") from error
