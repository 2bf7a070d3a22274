"""From a card to the role that it speaks of: its class is imported, its keys become keyword arguments.

A key that neither every card nor the class knows is an error that names the nearest one. A card without a class says
what a model is told: it is a `Gate` in gates/ and a `Builder` in roles/, and asks the model that it names, or the one
that the project's charter names for all that name none. A role that is code is never given that one.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, get_args, get_type_hints

from squads import plugins
from squads.cards import INHERIT, Card, Value, check_keys, nearest, tools_of
from squads.contracts.errors import InvalidCard, InvalidInput, SquadsError
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind
from squads.gates.builtin import HOMES, built_in
from squads.gates.check import CheckGate
from squads.gates.checklist import Checklist
from squads.gates.gate import Gate
from squads.gates.panel import Panel
from squads.minds.families import models_in
from squads.roles.builder import Builder
from squads.thinking import left_to_a_model

PANEL = "squads.gates.panel:Panel"
"""The class whose card lists other gates' cards as its members."""
KINDS = ("coordinator", "builder", "gate")
FILE_KEYS = ("baseline", "rules_path")
"""Arguments that name a file of the project."""
Others = Callable[[str], Any]
"""Returns another card's role by name."""
Modules = Callable[[str], ModuleType]
"""Returns the module of a file of the project's own."""
MIND_KEYS = ("model", "family", "tools", "run", "servers", "output_tokens_max")
"""What only a role says that asks a model."""


def checks_named(names: Iterable[str]) -> list[CheckGate]:
    """Return checks by id: those of the library, and those that an installed package brings in `squads.checks`."""
    found = []
    for name in names:
        if name in HOMES:
            found += built_in(name)
            continue
        known = [p.name for p in plugins.find("squads.checks", taken=HOMES)]
        if name not in known:
            raise InvalidInput(f"there is no check {name!r}; {nearest(name, [*HOMES, *known])}")
        check = plugins.load("squads.checks", name, taken=HOMES)
        if not isinstance(check, CheckGate):
            raise InvalidInput(f"the plugin {name!r} is {check!r:.60}, not a function under @check")
        found.append(check)
    return found


def role_of(
    card: Card,
    other: Others,
    modules: Modules,
    given: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
    *,
    model: Value | None = None,
) -> Any:
    """Return the role that a card describes.

    Args:
        card: As it was read.
        other: Another card's role by name, for a panel's members.
        modules: The project's own modules by path.
        given: Arguments that the project knows, such as `root`; used where the class takes them and the card is silent.
        files: The project's own files by path, for arguments that name one.
        model: What the project's charter names for cards that name no model; None where it names none.

    Raises:
        InvalidCard: With file, line, what is wrong and what to do.
    """
    made = _class_of(card, modules)
    takes = _parameters(made) - {"prior", "card", "today"}  # what no card can say: the text below it, and a clock
    own = {"checks"} if made is Checklist else {"members"} if card.kind == PANEL else set()
    check_keys(card, takes | own)
    said = _said(card, made)
    arguments = {key: value for key, value in said.items() if key in takes and key not in own}
    arguments |= {key: value for key, value in given.items() if key in takes and key not in arguments}
    if "name" in takes:
        arguments["name"] = card.name
    try:
        with _on_disk(card, arguments, files or {}) as placed:
            role = _instance(made, card, other, placed)
        _check_role(role, card)
        _dress(role, card, takes, said)
        _give_model(role, card, model)
    except InvalidCard:
        raise
    except (SquadsError, TypeError, ValueError) as error:
        raise InvalidCard(f"{card.path}: {error}") from error
    except SystemExit as error:
        raise InvalidCard(f"{card.path}: making the role ended the program; a constructor never exits") from error
    return role


def _instance(made: Any, card: Card, other: Others, arguments: dict[str, Any]) -> Any:
    if made is Checklist:
        return Checklist(*_checks(card), **arguments)
    if card.kind == PANEL:
        names = card.get("members")
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise InvalidCard(f"{card.place('members')}: a panel lists its `members`, the names of other gates' cards")
        return Panel(*[other(name) for name in names], **arguments)
    if isinstance(made, CheckGate):
        return copy.copy(made)  # an instance already, which the card may rename
    return made(**arguments)


def _checks(card: Card) -> list[CheckGate]:
    names = card.get("checks")
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise InvalidCard(
            f"{card.place('checks')}: list the `checks` that it holds; `squads invariants` shows them all"
        )
    try:
        return checks_named(names)
    except InvalidInput as error:
        raise InvalidCard(f"{card.place('checks')}: {error}") from error


def _class_of(card: Card, modules: Modules) -> Any:
    """Return what a card's `kind` names: `package.module:Class`, `gates/file.py:Class`, or a plugin."""
    named = card.kind
    if named is None:
        return Gate if card.folder == "gates" else Builder
    module, colon, attribute = named.partition(":")
    place = card.place("kind")
    if not colon:
        group = "squads.gates" if card.folder == "gates" else "squads.roles"
        try:
            return plugins.load(group, named)
        except InvalidInput as error:
            raise InvalidCard(f"{place}: {error}; a class is written `module:Class`") from error
    try:
        home = modules(module) if module.endswith(".py") else import_module(module)
        found = getattr(home, attribute)
    except (Exception, SystemExit) as error:  # whatever the project's own module does when it is imported
        raise InvalidCard(f"{place}: {named!r} cannot be imported: {type(error).__name__}: {error}") from error
    if inspect.isfunction(found) and not _returns_a_role(found):
        # Calling it would be the only way to find out, and any function can be named here: `shutil:rmtree`.
        raise InvalidCard(f"{place}: {named!r} does not say that it returns a role; annotate it with `-> Gate`")
    if not inspect.isfunction(found) and getattr(found, "kind", None) not in KINDS:
        raise InvalidCard(f"{place}: {named!r} is no Builder, Gate, Coordinator or check")
    return found


def _returns_a_role(function: Callable[..., Any]) -> bool:
    try:
        return getattr(get_type_hints(function).get("return"), "kind", None) in KINDS
    except (NameError, TypeError, AttributeError):  # an annotation that names nothing says nothing
        return False


def _said(card: Card, made: Any) -> dict[str, Any]:
    """Return a card's keys as the class is told them: models and tools resolved for its kind of role."""
    said = {key: value.value for key, value in card.keys.items()}
    if said.get("model") == INHERIT:
        del said["model"]
    if "tools" not in _own_parameters(made) and ("tools" in said or "run" in said):
        said["tools"] = tools_of(card, _kind_of(made)).given
    return said


def _kind_of(made: Any) -> str:
    """Return the kind of role that a class is, or that a function says it returns."""
    kind: str = getattr(get_type_hints(made).get("return") if inspect.isfunction(made) else made, "kind", "builder")
    return kind


def _give_model(role: Any, card: Card, default: Value | None) -> None:
    """Give a role without code the project's model where it names none; raise where it has no mind at all."""
    if not left_to_a_model(role):
        if type(role).__module__.startswith("squads.") and (key := next((k for k in MIND_KEYS if k in card.keys), "")):
            raise InvalidCard(f"{card.place(key)}: {card.kind!r} is code and asks no model; leave `{key}` out")
        return
    if models_in(role.model):
        return
    if default is None:
        raise InvalidCard(
            f"{card.place('model')}: this card says what a model is told, and no model is named; add `model:` here "
            "or in the front matter of memory/charter.md, or a `kind:` with a class of yours"
        )
    role.model = default.value


def _check_role(role: Any, card: Card) -> None:
    """Raise unless what a card's class or function made is a role, and of the kind that its folder holds."""
    kind = getattr(role, "kind", None)
    if kind not in KINDS or inspect.isclass(role):
        raise InvalidCard(f"{card.place('kind')}: {card.kind!r} made {role!r:.60}, which is no role")
    if (kind == "gate") != (card.folder == "gates"):
        folder = "gates" if kind == "gate" else "roles"
        raise InvalidCard(f"{card.place('kind')}: {card.kind!r} is a {kind}, whose card belongs into {folder}/")


@contextmanager
def _on_disk(card: Card, arguments: dict[str, Any], files: Mapping[str, bytes]) -> Iterator[dict[str, Any]]:
    """Yield arguments in which files of the project stand on the disk for as long as the role is made.

    They come from where the card comes from: a change must not choose the baseline or the rules that judge it.
    """
    named = {key: value for key, value in arguments.items() if key in FILE_KEYS and value is not None}
    if not named:
        yield arguments
        return
    with TemporaryDirectory(prefix="squads-card-") as folder:
        for key, value in named.items():
            paths = [
                p for p in files if isinstance(value, str) and (p == value or p.startswith(f"{value.rstrip('/')}/"))
            ]
            if not paths:
                raise InvalidCard(f"{card.place(key)}: {value!r} is no file of this project's gates/ folder")
            for path in paths:
                place = Path(folder) / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(files[path])
        yield {**arguments, **{key: str(Path(folder) / value) for key, value in named.items()}}


def _own_parameters(made: Any) -> set[str]:
    """Return the names of the arguments that a class or a function names itself."""
    if isinstance(made, CheckGate) or (inspect.isclass(made) and made.__init__ is object.__init__):
        return set()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name for name, parameter in inspect.signature(made).parameters.items() if parameter.kind in named}


def _parameters(made: Any) -> set[str]:
    """Return the names of the arguments that a class or a function takes, those of `**options` included."""
    found = _own_parameters(made)
    if isinstance(made, CheckGate) or (inspect.isclass(made) and made.__init__ is object.__init__):
        return found
    for name, parameter in inspect.signature(made).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            hint = get_type_hints(made.__init__ if inspect.isclass(made) else made, include_extras=True).get(name)
            found |= set(getattr(next(iter(get_args(hint)), None), "__annotations__", {}))
    return found


def _dress(role: Any, card: Card, takes: set[str], said: Mapping[str, Any]) -> None:
    """Give a role its name, prior and what else every card may say, where its constructor did not take it."""
    role.name = card.name
    if card.prior.value:
        role.prior = card.prior.value
    role.card = card.digest
    if "tools" in card.keys and getattr(role, "covers", None):
        raise InvalidCard(f"{card.place('tools')}: this gate says itself which tools it is; leave `tools` out")
    for key in (*MIND_KEYS, "topics", "call_tokens_max", "call_microusd_max", "call_ms_max"):
        if key in said and key not in takes:
            setattr(role, key, said[key])
    if "refuse_at" in card.keys and "refuse_at" not in takes:
        role.refuse_at = _one_of(Severity, card, "refuse_at", card.get("refuse_at"))
    if "reads" in card.keys and "reads" not in takes:
        role.reads = tuple(_one_of(AttemptKind, card, "reads", kind) for kind in card.get("reads"))


def _one_of(kinds: Any, card: Card, key: str, value: Any) -> Any:
    try:
        return kinds(value)
    except ValueError:
        known = [str(k.value) for k in kinds]
        raise InvalidCard(f"{card.place(key)}: {value!r} is no {key}; {nearest(str(value), known)}") from None
