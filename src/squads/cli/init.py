"""`squads init`: a project in the layout that this library uses itself. It asks nothing that it can find out.

What is there already is never written over. The cards that it writes are the ones that suit the files it finds, and
none of them needs a model, unless one is named.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from rich.text import Text

from squads.adapters import git
from squads.cli import show
from squads.contracts.errors import InvalidModel, NotAWorkTree, StorageUnavailable
from squads.gates.builtin import HOMES
from squads.project import Project

FILES_LOOKED_AT_MAX = 20_000

BUILDER = """---
name: change
extends: squads:change
---
Hands in what changed in the work tree, as it is.
Write a class of your own when something else should build, and name it here: `kind: roles/carpenter.py:Carpenter`.
"""
SCHEMA = """---
name: schema
extends: squads:checks
checks: [{checks}]
---
Read the schema that is left when every migration has run.
Look first for what the database accepts and nobody wants: rows that repeat where a column is NULL, money below zero.
Never let through a trigger that fails for the role that fires it, or a value that its column cannot hold.
"""
SECURITY = """---
name: security
extends: squads:checks
checks: [{checks}]
---
Read what decides who somebody is.
Look first for where an identity comes from, and follow it back to a verified signature.
Never let through a token or an assertion that is read before it is verified, whatever a comment promises.
"""
TEXT = """---
name: text
extends: squads:checks
checks: [text.conflict-marker]
---
Read every file as text.
Never let through both sides of a merge that nobody decided.
"""
THINKING = {
    "roles/coordinator.md": """---
name: coordinator
extends: squads:coordinator
description: Cuts a packet into small briefs, and checks the whole end to end.
{model}---
""",
    "roles/builder.md": """---
name: builder
extends: squads:builder
description: Makes what a brief asks for, and objects to one that does not fit.
tools: [read, write, search]
{model}---
""",
    "gates/security-model.md": """---
name: security-model
extends: squads:security
description: Reads as somebody outside would, and holds what the checks cannot.
{model}---
""",
    "gates/scope.md": """---
name: scope
extends: squads:scope
description: Holds the work against its brief, all of it and nothing beside it.
{model}---
""",
}
"""Cards of roles that ask a model. They have no text: what stands below the keys would replace the built-in prior."""
MODEL = re.compile(r"[a-z][a-z0-9_-]*:[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,100}")
CHARTER = """---
people: [owner]
{model}---
# Charter

What this squad is for, and what it must never do.
Every role is told this text.

1. Nothing composes unless every gate has approved exactly these bytes.
2. What could not be read was not approved.
"""
FACTS = """# Facts

What was found out once, and where it comes from.
`scope` says who is told: `all`, `builder`, `gate`, one role such as `gate:schema`, or a topic that a card lists.

| fact | where it comes from | scope |
| --- | --- | --- |
"""
GLOSSARY = """# Glossary

One word, one meaning.

| word | meaning |
| --- | --- |
"""
DECISIONS = """# Decisions

A decision that closes a door gets a page here: its title is a sentence, and every role is told it.
Context, choice, what we gave up, what would reopen it.
"""


def files_for(found: set[str], model: str | None = None, *, chartered: bool = False) -> dict[str, str]:
    """Return the files of a project whose work tree holds files with these suffixes.

    With a model its cards ask that one: all of them through the charter, or each by itself where one is there already.
    """
    gates = {}
    if found:
        gates["gates/schema.md"] = SCHEMA.format(checks=_checks("sql."))
    if ".py" in found:
        gates["gates/security.md"] = SECURITY.format(checks=_checks("auth."))
    line = f"model: {model}\n" if model else ""
    thinking = {path: card.format(model=line if chartered else "") for path, card in THINKING.items()} if model else {}
    # A coordinator that cuts briefs would have to choose between two builders, and one of them reads no brief.
    return {
        **({} if model else {"roles/change.md": BUILDER}),
        **gates,
        "gates/text.md": TEXT,
        **thinking,
        "memory/charter.md": CHARTER.format(model=line),
        "memory/facts.md": FACTS,
        "memory/glossary.md": GLOSSARY,
        "memory/decisions/README.md": DECISIONS,
    }


def init_project(directory: Path | None, *, as_json: bool, model: str | None = None) -> int:
    """Write a project's cards and memory where there are none, say what was written, and return 0.

    With `model` there are also roles that ask it; nobody is asked now, and no key is needed for that.
    """
    if model is not None and not MODEL.fullmatch(model):
        raise InvalidModel(f"{model!r} is no model string; write provider:model, such as anthropic:claude-sonnet-5-5")
    root = directory or _top()
    # An empty folder says nothing of what will stand in it, so it gets them all.
    wanted = files_for(_suffixes(root) or {".py", ".sql"}, model, chartered=(root / "memory/charter.md").exists())
    written = [path for path, text in wanted.items() if _write(root / path, text)]
    kept = [path for path in wanted if path not in written]
    project = Project.on_disk(root)
    assert project is not None
    names = [gate.name for gate in project.gates()]  # made, so that a card which was there before is checked too
    if as_json:
        sys.stdout.write(json.dumps({"root": str(root), "written": written, "kept": kept, "gates": names}) + "\n")
        return 0
    out = show.console()
    for path in written:
        out.print(Text(f"  + {path}", style="green"))
    for path in kept:
        out.print(Text(f"  = {path} was there, and stays as it is", style="dim"))
    if model is not None:
        asking = ", ".join(name for name, card in project.cards.items() if card.path in THINKING)
        out.print(Text(f"Roles that ask {model}: {asking}. `squads show` prints what each may use and cost."))
    out.print(Text(f"Gates: {', '.join(names)}. Read the cards, change what does not fit, and commit them:"))
    out.print("  git add roles gates memory && git commit -m 'Let a squad judge every change'")
    out.print("Then `squads gate` judges each change by the cards of the commit that it is made from.")
    return 0


def _checks(group: str) -> str:
    return ", ".join(name for name in HOMES if name.startswith(group))


def _top() -> Path:
    try:
        return git.top_of(Path.cwd())
    except NotAWorkTree:
        return Path.cwd()


def _suffixes(root: Path) -> set[str]:
    """Return the suffixes of files in a work tree; hidden folders and installed packages are not its own."""
    found: set[str] = set()
    seen = 0
    waiting = [root]
    while waiting and seen < FILES_LOOKED_AT_MAX:
        folder = waiting.pop(0)
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue  # what cannot be listed says nothing about which cards suit
        for entry in entries:
            seen += 1
            if entry.name.startswith(".") or entry.name in ("node_modules", "__pycache__", "venv"):
                continue
            if entry.is_dir() and not entry.is_symlink():
                waiting.append(entry)
            elif entry.suffix.lower() in (".py", ".sql", ".psql", ".ddl", ".pgsql"):
                found.add(entry.suffix.lower())
    return found


def _write(path: Path, text: str) -> bool:
    """Write a file that is not there yet; False for one that is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise StorageUnavailable(
            f"cannot write {path}: {error.strerror}; make room, or choose another folder"
        ) from error
    return True
