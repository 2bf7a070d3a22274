"""A project: cards in `roles/` and `gates/`, charter and facts in `memory/`, as one commit or the disk has them.

A change never picks its own judge: where there is a commit that a change is made from, the project is read from that
commit, classes included. The charter's front matter holds what the squad as a whole is told: who may approve, how
independent gates must be, its bounds, and which model roles ask that name none.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from squads import plugins
from squads.adapters import git
from squads.adapters.models import Models
from squads.adapters.postgres_scratch import shared_scratch
from squads.adapters.pydantic_ai.mcp_servers import check_servers
from squads.adapters.pydantic_ai.providers import PROVIDERS
from squads.cards import INHERIT, Card, Value, nearest, read_card
from squads.charter import MODEL_SETTINGS, settings_of
from squads.contracts.errors import InvalidCard, InvalidInput, InvalidModel, StorageUnavailable
from squads.contracts.memory import Fact
from squads.contracts.packet import Budget, Limits, Packet
from squads.front_matter import PAGE_BYTES_MAX, has_front_matter, read_page
from squads.instances import PANEL, role_of
from squads.kernel.model_ports import Model, Sandbox
from squads.memory.pages import decision_in, facts_in
from squads.memory.shelf import Shelf
from squads.minds.families import models_in
from squads.project_modules import ProjectModules
from squads.squad import Squad
from squads.stores import StoreUrl
from squads.thinking import asks_models, everyone, thinking_with

FOLDERS = ("roles", "gates", "memory")
FILES_MAX = 500
"""How many files a project's three folders may hold."""
CHARTER = "memory/charter.md"
_SUFFIXES = (".md", ".markdown", ".py", ".json", ".yml", ".yaml")
_OPEN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class Project:
    """One project as text, checked when it is read.

    Args:
        files: The files of the three folders by path.
        root: The top of the work tree, for roles that read it.
        label: Where the files come from: a folder, or a commit.

    Raises:
        InvalidCard: For the first card, charter or fact that cannot be used, with file and line.
    """

    def __init__(self, files: Mapping[str, bytes], *, root: Path, label: str) -> None:
        self.files = dict(files)
        self.root = root
        self.label = label
        for path, content in sorted(files.items()):
            _check_place(path, content)
        pages = {path: content for path, content in sorted(files.items()) if path.endswith(".md")}
        self.cards: dict[str, Card] = {}
        for path, content in pages.items():
            if path.count("/") == 1 and path.startswith(("roles/", "gates/")) and not path.endswith("/README.md"):
                self._add(read_card(content, path))
        charter = read_page(pages.get(CHARTER, b""), CHARTER)
        settings = settings_of(charter)
        self.settings = {key: value for key, value in settings.items() if key not in MODEL_SETTINGS}
        """What the charter tells the squad."""
        self.asking = {key: value for key, value in settings.items() if key in MODEL_SETTINGS}
        """What the charter says of models: `model` for cards that name none, `prices`, `slots`."""
        self.origins = {key: charter.place(key) for key in settings}
        """Where each setting was written."""
        self.shelf = Shelf(_facts(pages), charter=charter.prose)
        self._roles: dict[str, Any] = {}
        self._making: list[str] = []
        self._modules: ProjectModules | None = None

    @classmethod
    def on_disk(cls, root: Path) -> Project | None:
        """Return the project of a folder, or None where there is none: no card in `gates/` and none in `roles/`."""
        files = _read_folders(root)
        return cls(files, root=root, label=str(root)) if _is_project(files) else None

    @classmethod
    def at_commit(cls, directory: Path, commit: str) -> Project | None:
        """Return the project as a commit has it, or None where that commit has none."""
        files = git.files_at(directory, commit, FOLDERS, suffixes=_SUFFIXES)
        if len(files) > FILES_MAX:
            raise _too_many(commit[:12])
        return cls(files, root=git.top_of(directory), label=f"commit {commit[:12]}") if _is_project(files) else None

    @property
    def model(self) -> Value | None:
        """The model of roles that name none, and where the charter says so; None where it names none."""
        return Value(self.asking["model"], self.origins["model"]) if "model" in self.asking else None

    def role(self, name: str) -> Any:
        """Return the role of a card, made when it is first asked for. Raises `InvalidCard`."""
        if name not in self.cards:
            raise InvalidCard(f"no card is called {name!r}; {nearest(name, self.cards)}")
        if name in self._making:
            raise InvalidCard(f"{self.cards[name].path}: panels sit on each other: {' > '.join([*self._making, name])}")
        if name not in self._roles:
            self._making.append(name)
            try:
                given = {"root": self.root, "scratch": shared_scratch()}
                self._roles[name] = role_of(
                    self.cards[name], self.role, self._module, given, self.files, model=self.model
                )
            finally:
                self._making.pop()
        return self._roles[name]

    def gates(self) -> list[Any]:
        """Return the gates that stand for themselves: every gate card but the members of panels.

        All of them are made first: a card that cannot be used is never left out by being somebody's member.
        """
        made = {name: self.role(name) for name, card in self.cards.items() if card.folder == "gates"}
        return [role for name, role in made.items() if name not in self.seated()]

    def seated(self) -> set[str]:
        """Return the names of the gates that sit on a panel of this project, and so do not stand for themselves."""
        # A panel's card in roles/ is refused when it is made, and may never be: it seats nobody.
        panels = [name for name, card in self.cards.items() if card.kind == PANEL and card.folder == "gates"]
        return {member for name in panels for member in self.cards[name].get("members") or ()}

    def builders(self) -> list[Any]:
        """Return the builders, in the order of their cards' paths."""
        return [r for r in self._makers() if r.kind == "builder"]

    def coordinator(self) -> Any:
        """Return the coordinator, or None where no card is one. Raises `InvalidCard` for a second one."""
        found = [r for r in self._makers() if r.kind == "coordinator"]
        if len(found) > 1:
            named = ", ".join(self.cards[r.name].path for r in found)
            raise InvalidCard(f"{named}: a squad has one coordinator; keep one of these cards")
        return found[0] if found else None

    def _module(self, path: str) -> ModuleType:
        if self._modules is None:
            sources = {path: text for path, text in self.files.items() if path.endswith(".py")}
            self._modules = ProjectModules(sources, self.label)
        return self._modules.module(path)

    def _makers(self) -> list[Any]:
        return [self.role(name) for name, card in self.cards.items() if card.folder == "roles"]

    def squad(
        self,
        *,
        store: Path | StoreUrl | None,
        builder: Any = None,
        limits: Limits | None = None,
        models: Model | Mapping[str, Any] | None = None,
        record: Path | None = None,
        replay: Path | None = None,
        **options: Any,
    ) -> Squad:
        """Return the project's squad over a store; with `builder` it stands for all builders and the coordinator.

        Args:
            store: Where receipts are kept; None keeps everything in memory.
            builder: Used instead of the project's own builders and coordinator.
            limits: Used instead of the charter's.
            models: What asks models, or models of yours by the string that cards use; else the charter's prices and
                slots hold, and models of installed packages can be asked.
            record: A folder to which every reply of a model is written.
            replay: A folder of recorded replies: nothing is asked over the network.
            options: Go to `Squad` and win over the charter's settings.

        Raises:
            InvalidModel: For a model that cannot be asked here, with the place that names it; nothing was begun.
            InvalidCard: For a card that cannot be used.
            InvalidSquad: For roles that do not fit together.
        """
        settings = dict(self.settings)
        if limits is not None:
            settings["limits"] = limits
        team: dict[str, Any] = {"builders": [builder]} if builder is not None else {"builders": self.builders()}
        if builder is None and (coordinator := self.coordinator()) is not None:
            team["coordinator"] = coordinator
        team["gates"] = self.gates()
        team |= {key: options.pop(key) for key in ("builders", "coordinator", "gates") if key in options}
        roles = [*team["builders"], team.get("coordinator"), *team["gates"]]
        asks = self._models(roles, models, record, replay, here=options.get("hosts", True))
        # Commands never see the ledger: what composed and what was said of it is nobody's to change.
        hidden = [store] if isinstance(store, Path) else []
        own = {"models": asks, "sandbox": _sandbox(roles, hidden), "memory": self.shelf, "store": store}
        made = {**settings, **team, **own, **options}
        if (budget := made.get("budget")) is not None:
            made["budget"] = self._of_those_here(budget, roles)
        return Squad(**made)

    def hosted(self, roles: Sequence[Any], *, hidden: Iterable[Path] = ()) -> tuple[Model | None, Sandbox | None]:
        """Return what asks models for some of the roles, and where their commands run, in a process of their own.

        Commands never see what is `hidden`. Raises `InvalidModel`, `InvalidSquad` for a role that could not think here.
        """
        sandbox = _sandbox(roles, hidden)
        model = self._models(roles, None, None, None)
        return thinking_with(model, roles, sandboxed=sandbox is not None), sandbox

    def _of_those_here(self, budget: Budget, here: Sequence[Any]) -> Budget:
        """Return the budget without allowances for cards that this squad leaves out: a change is judged by gates."""
        names = {getattr(role, "name", None) for role in here}
        return budget.but(roles=tuple(a for a in budget.roles if a.role in names or a.role not in self.cards))

    def _models(
        self,
        roles: Sequence[Any],
        given: Model | Mapping[str, Any] | None,
        record: Path | None,
        replay: Path | None,
        *,
        here: bool = True,
    ) -> Model | None:
        """Return what asks the models of these roles; None where no role has one. Raises `InvalidModel`.

        What is not asked `here` needs no key here.
        """
        asking = [role for role in everyone(roles) if models_in(getattr(role, "model", None))]
        model: Model
        if not asking and (record or replay):
            raise InvalidInput("no role of this squad asks a model, so there is nothing to record or to replay")
        if given is not None and not isinstance(given, Mapping):
            if record or replay:
                raise InvalidInput("what is given as `models` records and replays by itself; give it the folder")
            model = given
        elif asking or given:
            model = Models(
                given,
                prices=self.asking.get("prices"),
                slots=self.asking.get("slots"),
                plugins=plugins.models(taken=PROVIDERS),
                record=record,
                replay=replay,
            )
        else:
            return None
        for role in filter(asks_models, asking) if here else ():  # code of its own may ask whom it likes
            with _told_with(self._place(role, "model")):
                for name in models_in(role.model):
                    model.check(name)
            with _told_with(self._place(role, "servers")):
                check_servers(role.servers)
        return model

    def _place(self, role: Any, key: str) -> str:
        """Return where a role was told something; empty for a role that is not of this project."""
        card = self.cards.get(role.name)
        if card is None or self._roles.get(role.name) is not role:
            return ""
        inherited = key == "model" and card.get("model") in (None, INHERIT)
        return self.origins.get("model", card.path) if inherited else card.place(key)

    def _add(self, card: Card) -> None:
        if card.name in self.cards:
            other = self.cards[card.name]
            raise InvalidCard(f"{card.path}: {other.path} is called {card.name!r} as well; give one another `name`")
        self.cards[card.name] = card


def read_packet(content: bytes, path: str) -> Packet:
    """Return the packet in a Markdown file: front matter for its fields, the body for its brief.

    Raises `InvalidCard` with file and line.
    """
    page = read_page(content, path)
    known = [name for name in Packet.model_fields if name not in ("kind", "brief")]
    for key in page.values:
        if key not in known:
            raise InvalidCard(f"{page.place(key)}: there is no key {key!r}; {nearest(key, known)}")
    if not page.prose:
        raise InvalidCard(f"{path}: the file has no brief; write below the front matter what is wanted")
    try:
        return Packet(brief=page.prose, **page.values)
    except InvalidInput as error:
        raise InvalidCard(f"{path}: {error}") from error


def _check_place(path: str, content: bytes) -> None:
    """Raise `InvalidCard` for a page that would be left out in silence because of where it stands or what it is called.

    A card that nobody reads is a gate that nobody asks.
    """
    name = path.rsplit("/", 1)[-1]
    if path.lower() == CHARTER and path != CHARTER:
        raise InvalidCard(f"{path}: the charter is called {CHARTER}, in lower case; rename it")
    if not path.startswith(("roles/", "gates/")) or not has_front_matter(content):
        return
    if name.lower().endswith((".md", ".markdown")) and not name.endswith(".md"):
        raise InvalidCard(f"{path}: the name of a card ends in `.md`; rename it, or take its front matter away")
    if name.endswith(".md") and path.count("/") > 1:
        folder = path.split("/", 1)[0]
        raise InvalidCard(f"{path}: a card stands in {folder}/ itself, not in a folder below it; move it up")


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise StorageUnavailable(f"cannot list {error.filename}: {error.strerror}; check its mode") from error


def _is_project(files: Mapping[str, bytes]) -> bool:
    """A card begins with front matter, so a folder that is only called `roles` or `gates` is no project."""
    return any(
        path.count("/") == 1
        and path.startswith(("roles/", "gates/"))
        and path.endswith(".md")
        and has_front_matter(text)
        for path, text in files.items()
    )


def _read_folders(root: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for folder in FOLDERS:
        if (root / folder).is_symlink():
            raise InvalidCard(f"{root / folder} is a link; a project's cards never lead elsewhere: make it a folder")
        for parent, folders, names in os.walk(root / folder, onerror=_unreadable):
            if link := next((name for name in sorted(folders) if (Path(parent) / name).is_symlink()), None):
                raise InvalidCard(f"{Path(parent) / link} is a link; a project's cards never lead elsewhere")
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__pycache__")))
            for name in sorted(names):
                path = Path(parent) / name
                if not name.lower().endswith(_SUFFIXES):
                    continue
                found[path.relative_to(root).as_posix()] = _read(path)
                if len(found) > FILES_MAX:
                    raise _too_many(str(root))
    return found


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, _OPEN), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidCard(f"{path} is no plain file; a card never leads elsewhere")
            content = file.read(PAGE_BYTES_MAX + 1)
    except OSError as error:
        raise StorageUnavailable(
            f"cannot read {path}: {error.strerror}; a card must be a plain file, and no link"
        ) from error
    if len(content) > PAGE_BYTES_MAX:
        raise InvalidCard(f"{path} has more than {PAGE_BYTES_MAX:,} bytes; cut it")
    return content


def _too_many(where: str) -> InvalidCard:
    return InvalidCard(f"{where}: roles/, gates/ and memory/ hold more than {FILES_MAX} files; move what is no card")


def _facts(pages: Mapping[str, bytes]) -> list[Fact]:
    found: list[Fact] = []
    for path, content in pages.items():
        if not path.startswith("memory/") or path == CHARTER or path.endswith("/README.md"):
            continue
        page = read_page(content, path)
        found += decision_in(page.prose, path) if path.startswith("memory/decisions/") else facts_in(page.prose, path)
    return found


@contextmanager
def _told_with(place: str) -> Iterator[None]:
    """Give an `InvalidModel` that is raised inside the place in a card that it is about."""
    try:
        yield
    except InvalidModel as error:
        raise InvalidModel(f"{place}: {error}" if place else str(error)) from error


def _sandbox(roles: Iterable[Any], hidden: Iterable[Path]) -> Sandbox | None:
    """Return where commands of builders' tools run; None where no card lists programs."""
    if not any(getattr(role, "run", ()) for role in everyone(roles)):
        return None
    from squads.adapters.process_sandbox import ProcessSandbox

    return ProcessSandbox(hidden=hidden)
