"""`squads show`: the resolved squad of a project, with the origin of every value, and what was installed beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from rich.text import Text

from squads import plugins
from squads.adapters import git
from squads.adapters.models import Models
from squads.cards import INHERIT, Card, tools_of
from squads.cli import show
from squads.contracts.base import Contract
from squads.contracts.errors import InvalidInput, NotAWorkTree
from squads.contracts.thinking import ToolServer
from squads.gates.builtin import HOMES
from squads.minds.families import models_in
from squads.project import Project
from squads.resolve import record_of_role
from squads.thinking import left_to_a_model

PRIOR_CHARS_SHOWN = 160
DEFAULT = "by default"
"""The origin of a value that nobody wrote."""
ALLOWANCE = {
    "call_tokens_max": ("tokens", "at most {:,} for one answer"),
    "call_microusd_max": ("money", "at most {:,} millionths of a US dollar for one answer"),
    "output_tokens_max": ("reply", "at most {:,} tokens"),
}
"""How each bound of a role that asks a model is told."""


def show_squad(commit: str | None, *, as_json: bool) -> int:
    """Print a project's roles as they stand on the disk, or in a commit; 2 when one of its cards cannot be used."""
    project, note = project_of(commit)
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
            for key, value in {**project.settings, **project.asking}.items()
        },
        "origins": dict(project.origins),
        "charter_chars": len(project.shelf.charter),
        "facts": [fact.model_dump(mode="json") for fact in project.shelf.facts],
        "plugins": [
            {"group": p.group, "name": p.name, "package": p.package, "target": p.target, "fault": p.fault}
            for group in plugins.GROUPS
            for p in plugins.look(group, taken=HOMES if group == "squads.checks" else ())
        ],
    }


def project_of(commit: str | None) -> tuple[Project, str]:
    """Return the project here, on the disk or in a commit, and what there is to say about that.

    Raises `InvalidInput` where there is none.
    """
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
        "keys": {key: {"value": _plain(value.value), "origin": value.origin} for key, value in card.keys.items()},
        "prior": {"value": card.prior.value, "origin": card.prior.origin},
        "unused": list(card.unused),
        "member": member,
        "fault": "",
        "record": None,
        "asks": None,
    }
    try:
        role = project.role(card.name)
        models = Models(prices=project.asking.get("prices")) if models_in(getattr(role, "model", None)) else None
        record = record_of_role(role, models)
        data["record"] = record.model_dump(mode="json")
        if not getattr(role, "covers", ()):
            data["unused"] += tools_of(card, role.kind).unused
        if left_to_a_model(role):
            data["asks"] = _asks(project, card, role, record)
    except InvalidInput as error:
        data["fault"] = str(error)
    return data


def _asks(project: Project, card: Card, role: Any, record: Any) -> dict[str, Any]:
    """Return what a role asks, what it may use and what one answer may cost: every value with where it comes from."""
    first, *fallbacks = models_in(role.model)
    given = card.get("model") not in (None, INHERIT)
    model_origin = card.place("model") if given else project.origins.get("model", DEFAULT)

    def said(key: str, value: Any, default: str = DEFAULT) -> dict[str, Any]:
        return {"value": _plain(value), "origin": card.place(key) if key in card.keys else default}

    families = list(dict.fromkeys(model.family for model in record.models if model.family))
    named = card.place("family") if role.family in families else "the model's name"
    return {
        "model": {"value": first, "origin": model_origin},
        "fallbacks": {"value": fallbacks, "origin": model_origin},
        "family": {"value": families, "origin": named if families else "no name says it, and no card"},
        "tools": said("tools", role.tools),
        "run": said("run", role.run),
        "servers": said("servers", role.servers),
        "call_tokens_max": said("call_tokens_max", record.call_tokens_max),
        "call_microusd_max": said(
            "call_microusd_max",
            record.call_microusd_max,
            "these tokens at the model's price" if record.call_microusd_max else "no price is known: tokens bound it",
        ),
        "output_tokens_max": said("output_tokens_max", role.output_tokens_max),
    }


def _plain(value: Any) -> Any:
    """Return a card's value as JSON can hold it."""
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value.model_dump(mode="json", exclude_defaults=True) if isinstance(value, ToolServer) else value


def _print_role(out: Any, role: dict[str, Any]) -> None:
    record = role["record"]
    kind = record["kind"] if record else "not usable"
    seat = ", sits on a panel" if role["member"] else ""
    out.print(Text.assemble((f"\n{role['name']}", "bold"), f"  {kind}{seat}  ", (role["path"], "dim")))
    asks = role["asks"] or {}
    for key, value in role["keys"].items():
        if key not in asks:
            _row(out, key, str(value["value"]), value["origin"])
    _print_asks(out, asks)
    prose = " ".join(role["prior"]["value"].split())
    shown = prose if len(prose) <= PRIOR_CHARS_SHOWN else f"{prose[:PRIOR_CHARS_SHOWN]}…"
    _row(out, "prior", shown, role["prior"]["origin"])
    if record:
        _row(out, "digest", record["prior"], "card, class, models, tools, servers")
        _row(out, "models", "; ".join(map(_model, record["models"])), "as resolved")
        if record["kind"] == "gate":
            reads = ", ".join(record["reads"])
            _row(out, "reads", f"{reads}; refuses from {record['refuse_at']}", "as resolved")
            _row(out, "members", ", ".join(m["name"] for m in record["members"]), "as resolved")
    _row(out, "not used", ", ".join(role["unused"]), role["path"])
    if role["fault"]:
        out.print(Text(f"    {show.one_line(role['fault'])}", style="red"))


def _model(record: dict[str, Any]) -> str:
    """Return how a model is called, which one that is for comparing, and its family."""
    return f"{record['called']} is {record['name']}, {record['family'] or 'of a family that nobody has said'}"


def _print_asks(out: Any, asks: dict[str, Any]) -> None:
    for key, said in asks.items():
        value = said["value"]
        if key in ALLOWANCE:
            label, words = ALLOWANCE[key]
            _row(out, label, words.format(value) if value else "no bound", said["origin"])
        elif key == "servers":
            names = [f"{s['name']}: {' '.join(s.get('command', ())) or s.get('url', '')}" for s in value]
            _row(out, key, "; ".join(names), said["origin"])
        else:
            _row(out, key, ", ".join(value) if isinstance(value, list) else value, said["origin"])


def _row(out: Any, key: str, value: str, origin: str) -> None:
    if value:
        out.print(Text.assemble(f"    {key:<12}", show.one_line(value), (f"   ({show.one_line(origin)})", "dim")))


def _print_settings(out: Any, data: dict[str, Any]) -> None:
    out.print(Text("\nsettings", style="bold"))
    for key, value in data["settings"].items():
        _row(out, key, str(value), data["origins"][key])
    _row(out, "memory", f"{data['charter_chars']} characters of charter, {len(data['facts'])} facts", "memory/")
    for plugin in data["plugins"]:
        state = plugin["fault"] or "usable when it is named"
        _row(out, plugin["group"].removeprefix("squads."), f"{plugin['name']}: {state}", plugin["package"])
