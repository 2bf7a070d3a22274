"""What installed packages add: roles, gates, checks and models, found by their entry points.

A plugin is used when a card, an option or a program names it, never because it is there. A broken one is named and
refused, and the rest go on. A name that the library or another package has already is refused for everybody but the
library: nobody can take over `sql.unique-null` by being installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from squads.adapters.pydantic_ai.names import Plugins
from squads.contracts.errors import InvalidPlugin

GROUPS = ("squads.roles", "squads.gates", "squads.checks", "squads.models")
"""Every entry point group that is read."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point, loaded or not."""

    group: str
    name: str
    target: str
    """Where it points to, `module:attribute`."""
    package: str
    """The distribution that brings it, with its version."""
    fault: str = ""
    """Why it cannot be used; empty for one that can."""


def find(group: str, *, taken: Iterable[str] = ()) -> list[Plugin]:
    """Return a group's plugins by name, nothing loaded; `taken` are names that belong to the library."""
    own = set(taken)
    points = sorted(entry_points(group=group), key=lambda p: (p.name, p.value, _package(p)))
    names = [point.name for point in points]
    found = []
    for point in points:
        fault = ""
        if point.name in own:
            fault = f"{point.name!r} belongs to the library"
        elif names.count(point.name) > 1:
            others = sorted({_package(p) for p in points if p.name == point.name})
            fault = f"{point.name!r} is claimed {names.count(point.name)} times, by {', '.join(others)}"
        found.append(Plugin(group, point.name, point.value, _package(point), fault))
    return found


def load(group: str, name: str, *, taken: Iterable[str] = ()) -> Any:
    """Return what a plugin brings. Raises `InvalidPlugin` that names it, its package and what is wrong."""
    known = {plugin.name: plugin for plugin in find(group, taken=taken)}
    if name not in known:
        listed = ", ".join(known) or "none is installed"
        raise InvalidPlugin(f"no installed package brings {name!r} in {group}; known: {listed}")
    plugin = known[name]
    if plugin.fault:
        raise InvalidPlugin(f"the plugin {name!r} of {plugin.package} is refused: {plugin.fault}")
    point = next(p for p in entry_points(group=group) if p.name == name)
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module does when it is imported
        raise InvalidPlugin(
            f"the plugin {name!r} of {plugin.package} cannot be loaded from {plugin.target}: "
            f"{type(error).__name__}: {error}; mend or uninstall it"
        ) from error


def models(*, taken: Iterable[str] = ()) -> Plugins:
    """Return the providers of models that installed packages bring, by the part of a model string before its colon.

    Nothing is loaded before a model of it is made, and a broken one is named then. `taken` are the prefixes that the
    library knows: a package that claims one of those is never asked.
    """
    own = set(taken)
    return Plugins(names=frozenset(p.name for p in find("squads.models", taken=own)) - own, load=_maker)


def _maker(prefix: str) -> Callable[[str], Any]:
    """Return a package's function from a model's name to a pydantic-ai model. Raises `InvalidPlugin`."""
    made = load("squads.models", prefix)
    if not callable(made):
        raise InvalidPlugin(f"the plugin {prefix!r} is {made!r:.60}, not a function from a model's name to a model")
    return made  # type: ignore[no-any-return]


def look(group: str, *, taken: Iterable[str] = ()) -> list[Plugin]:
    """Return a group's plugins with the fault of each that cannot be loaded; every one is tried."""
    found = []
    for plugin in find(group, taken=taken):
        fault = plugin.fault
        if not fault:
            try:
                load(group, plugin.name, taken=taken)
            except InvalidPlugin as error:
                fault = str(error)
        found.append(Plugin(plugin.group, plugin.name, plugin.target, plugin.package, fault))
    return found


def _package(point: EntryPoint) -> str:
    if point.dist is None:
        return "an unknown package"
    return f"{point.dist.name} {point.dist.version}"
