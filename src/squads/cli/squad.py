"""`squads show`: the resolved squad of a project, with the origin of every value, and what was installed beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.text import Text

from squads import plugins
from squads.adapters import git
from squads.cards import Card
from squads.cli import show
from squads.contracts.base import Contract
from squads.contracts.errors import InvalidCard, InvalidInput, NotAWorkTree
from squads.gates.builtin import HOMES
from squads.project import Project
from squads.resolve import record_of_role

PRIOR_CHARS_SHOWN = 160


def show_squad(commit: str | None, *, as_json: bool) -> int:
    """Print a project's roles as they stand on the disk, or in a commit; 2 when one of its cards cannot be used."""
    project, note = _project(commit)
    data = as_data(project)
    broken = [role for role in data["roles"] if role["fault"]]
    code = 2 if any(role["folder"] == "gates" for role in broken) else 0
    if as_json:
        sys.stdout.write(json.dumps({**data, "note": note, "exit_code": code}) + "\n")
        return code
    out = show.console()
    out.print(Text(f"Squad of {show.one_line(data['label'])}", style="bold"))
    for role in data["roles"]:
        _print_role(out, role)
    _print_settings(out, data)
    if note:
        out.print(Text(note, style="yellow"))
    return code


def as_data(project: Project) -> dict[str, Any]:
    """Return a project as plain values: every role with its keys and their origins, settings, memory, plugins."""
    members = project.seated()
    return {
        "label": project.label,
        "roles": [_role(project, card, member=name in members) for name, card in project.cards.items()],
        "settings": {
            key: value.model_dump(mode="json", exclude_unset=True) if isinstance(value, Contract) else value
            for key, value in project.settings.items()
        },
        "charter_chars": len(project.shelf.charter),
        "facts": [fact.model_dump(mode="json") for fact in project.shelf.facts],
        "plugins": [
            {"group": p.group, "name": p.name, "package": p.package, "target": p.target, "fault": p.fault}
            for group in plugins.GROUPS
            for p in plugins.look(group, taken=HOMES if group == "squads.checks" else ())
        ],
    }


def _project(commit: str | None) -> tuple[Project, str]:
    here = Path.cwd()
    try:
        top = git.top_of(here)
        head = git.commit_of(here)
    except NotAWorkTree:
        top, head = here, None
    if commit is not None:
        found = Project.at_commit(here, git.commit_of(here, commit) or commit)
    else:
        found = Project.on_disk(top)
    if found is None:
        raise InvalidInput(
            f"{commit or top} has no cards in roles/ or gates/; `squads init` writes some that suit this work tree"
        )
    if commit is None and head is not None:
        committed = Project.at_commit(here, head)
        if committed is None or committed.files != found.files:
            return found, "These cards are not committed as they stand here; `squads gate` judges by those of HEAD."
    return found, ""


def _role(project: Project, card: Card, *, member: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": card.name,
        "folder": card.folder,
        "path": card.path,
        "card": card.digest,
        "keys": {key: {"value": value.value, "origin": value.origin} for key, value in card.keys.items()},
        "prior": {"value": card.prior.value, "origin": card.prior.origin},
        "unused": list(card.unused),
        "member": member,
        "fault": "",
        "record": None,
    }
    try:
        data["record"] = record_of_role(project.role(card.name)).model_dump(mode="json")
    except InvalidCard as error:
        data["fault"] = str(error)
    return data


def _print_role(out: Any, role: dict[str, Any]) -> None:
    record = role["record"]
    kind = record["kind"] if record else "not usable"
    seat = ", sits on a panel" if role["member"] else ""
    out.print(Text.assemble((f"\n{role['name']}", "bold"), f"  {kind}{seat}  ", (role["path"], "dim")))
    for key, value in role["keys"].items():
        _row(out, key, str(value["value"]), value["origin"])
    prose = " ".join(role["prior"]["value"].split())
    shown = prose if len(prose) <= PRIOR_CHARS_SHOWN else f"{prose[:PRIOR_CHARS_SHOWN]}…"
    _row(out, "prior", shown, role["prior"]["origin"])
    if record:
        _row(out, "digest", record["prior"], "card, class, model, tools")
        if record["kind"] == "gate":
            reads = ", ".join(record["reads"])
            _row(out, "reads", f"{reads}; refuses from {record['refuse_at']}", "as resolved")
            _row(out, "members", ", ".join(m["name"] for m in record["members"]), "as resolved")
    _row(out, "not used", ", ".join(role["unused"]), role["path"])
    if role["fault"]:
        out.print(Text(f"    {show.one_line(role['fault'])}", style="red"))


def _row(out: Any, key: str, value: str, origin: str) -> None:
    if value:
        out.print(Text.assemble(f"    {key:<12}", show.one_line(value), (f"   ({show.one_line(origin)})", "dim")))


def _print_settings(out: Any, data: dict[str, Any]) -> None:
    out.print(Text("\nsettings", style="bold"))
    for key, value in data["settings"].items():
        _row(out, key, str(value), "memory/charter.md")
    _row(out, "memory", f"{data['charter_chars']} characters of charter, {len(data['facts'])} facts", "memory/")
    for plugin in data["plugins"]:
        state = plugin["fault"] or "usable when it is named"
        _row(out, plugin["group"].removeprefix("squads."), f"{plugin['name']}: {state}", plugin["package"])
