"""From the words of a command line to gates: sets of checks and tools, checks by id, cards, and models.

Models are given one prior that names the invariants of the checks by their ids: without them nobody could give the
right reason. A card's own prior is never changed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from squads.bench.arms import Arm
from squads.contracts.errors import InvalidInput
from squads.contracts.finding import Invariant
from squads.gates.builtin import HOMES, built_in
from squads.gates.check import CheckGate
from squads.gates.gate import Gate
from squads.gates.tools.tool_gate import ToolGate
from squads.instances import checks_named
from squads.project import CHARTER, Project

SETS = ("keyless", "checks", "probes", "tools")
"""Words that stand for several gates; `keyless` is what needs no model, no key and no server: the checks."""
TOOLS = ("ruff", "bandit", "sqlfluff", "squawk")
"""The presets of tools that bring their rules along."""
CALL_TOKENS_MAX = 60_000
"""What one verdict of a model may take here, unless a card says otherwise."""
OUTPUT_TOKENS_MAX = 8_000
PRIOR = """You hold these invariants, and no others. Judge by them alone.

{invariants}

Look first at what each line makes possible for somebody who did not write it, then at what is missing.
Name a violation by the invariant's id exactly as it is written above, and point to the line of the statement that
breaks it, or that should have kept it.
Refuse only what breaks one of them; whatever else you would have written otherwise, approve."""


def chosen(
    names: Sequence[str],
    models: Iterable[str] = (),
    *,
    project: Project | None = None,
    prior: str | None = None,
    model: str | None = None,
) -> list[Arm]:
    """Return the gates that a command names, each as an arm. Raises `InvalidInput`.

    Args:
        names: `keyless`, `checks`, `probes`, `tools`, a check's id, a tool's name, a gate of the project, or the path
            of a card. None at all, and no model either, is `keyless`.
        models: Models as `provider:model`; each becomes a gate with the library's prior.
        project: Whose gates can be named.
        prior: What those models are told instead.
        model: Asked by cards named by their path that name none, and have no charter that does.
    """
    asked = list(models)
    found: dict[str, Arm] = {}
    for name in names or (() if asked else ("keyless",)):
        for arm in _named(name, project, model):
            found.setdefault(arm.name, arm)
    for named in asked:
        arm = Arm(_slug(named), gate_of_model(named, prior), {"model": named})
        if arm.name in found:
            raise InvalidInput(f"two gates would be called {arm.name!r}; name each model once")
        found[arm.name] = arm
    return list(found.values())


@asynccontextmanager
async def closing(arms: Iterable[Arm]) -> AsyncIterator[None]:
    """Let go, after the block, of the scratch servers that gates were given here."""
    try:
        yield
    finally:
        for scratch in {id(s): s for arm in arms if (s := getattr(arm.gate, "scratch", None))}.values():
            await scratch.close()


def gate_of_model(model: str, prior: str | None = None) -> Gate:
    """Return a gate that asks a model, with a prior that names every invariant of the library's checks."""
    return Gate(
        name=_slug(model),
        model=model,
        prior=prior or PRIOR.format(invariants=_invariants()),
        call_tokens_max=CALL_TOKENS_MAX,
        output_tokens_max=OUTPUT_TOKENS_MAX,
    )


def gate_of_card(path: Path, *, model: str | None = None) -> Gate:
    """Return the gate that a card says, with its project where it stands in one. Raises `InvalidInput`.

    `model` is asked where neither the card nor its project's charter names one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"the card {path} cannot be read: {error.strerror}") from None
    root = path.resolve().parent.parent
    whole = Project.on_disk(root) if path.resolve().parent.name == "gates" else None
    files: dict[str, bytes] = dict(whole.files) if whole is not None else {f"gates/{path.name}": content}
    if model is not None and (whole is None or whole.model is None):
        files[CHARTER] = _with_model(files.get(CHARTER, b""), model)
    project = Project(files, root=root, label=str(path))
    name = next((n for n, card in project.cards.items() if Path(card.path).name == path.name), None)
    role = project.role(name) if name is not None else None
    if not isinstance(role, Gate):
        raise InvalidInput(f"{path} is no gate's card; a card of a gate begins with front matter, as in gates/")
    return role


def _named(name: str, project: Project | None, model: str | None) -> list[Arm]:
    if name in ("keyless", "checks"):
        return [_arm(gate) for gate in built_in()]
    if name == "tools":
        return [_arm(gate) for gate in map(_tool, TOOLS) if gate.installed.path is not None]
    if name == "probes":
        return [_arm(gate) for gate in _probes()]
    if name.endswith(".md"):
        return [_arm(gate_of_card(Path(name), model=model))]
    if project is not None and name in project.cards:
        role = project.role(name)
        if not isinstance(role, Gate):
            raise InvalidInput(f"{project.cards[name].path} is a {role.kind}'s card; name one of a gate")
        return [_arm(role)]
    if name in TOOLS:
        return [_arm(_tool(name))]
    try:
        return [_arm(gate) for gate in checks_named([name])]
    except InvalidInput:
        own = sorted(project.cards) if project is not None else []
        raise InvalidInput(
            f"there is no gate {name!r}; known: {', '.join([*SETS, *TOOLS, *HOMES, *own])}, or the path of a card"
        ) from None


def _arm(gate: Any) -> Arm:
    kind = "check" if isinstance(gate, CheckGate) else "tool" if isinstance(gate, ToolGate) else "gate"
    return Arm(gate.name or type(gate).__name__.lower(), gate, {"kind": kind})


def _tool(name: str) -> ToolGate:
    make: Callable[[], ToolGate] = getattr(import_module("squads.gates.tools.presets"), name)
    return make()


def _probes() -> list[Gate]:
    """Return every probe as a gate of its own, all on one scratch server; `closing` ends it."""
    try:
        known = import_module("squads.gates.probes")
        scratch = import_module("squads.adapters.postgres_scratch").PostgresScratch()
    except ImportError as error:
        raise InvalidInput(f"the probes cannot run here: {error}; install squads[bench,postgres]") from None
    return [known.Probes([name], scratch=scratch, name=name) for name in known.PROBES]


def _invariants() -> str:
    known: Mapping[str, Invariant] = {g.name: g.invariant for g in built_in() if isinstance(g.invariant, Invariant)}
    return "\n".join(f"- `{name}`: {rule.statement}" for name, rule in sorted(known.items()))


def _with_model(charter: bytes, model: str) -> bytes:
    line = f"model: {model}\n".encode()
    if charter.startswith(b"---\n"):
        return b"---\n" + line + charter[4:]
    return b"---\n" + line + b"---\n" + charter


def _slug(model: str) -> str:
    slug = re.sub(r"[^a-z0-9.]+", "-", model.lower()).strip("-.")
    return slug[:64] if slug[:1].isalpha() else f"m-{slug}"[:64]
