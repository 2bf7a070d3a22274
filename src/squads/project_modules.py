"""Classes that a project writes beside its cards (`kind: gates/schema.py:Schema`), imported from text.

The text may come from a commit and not from the disk: a change never picks its own judge. Modules are imported under a
package that is named by the digest of all of them, so relative imports between the project's own files work, two states
of one project do not mix, and a change in any of the files is another prior. Everything else they import comes from
where Python finds it. Importing runs the project's code, which is why only its own roles and gates are ever imported.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any


class ProjectModules(MetaPathFinder):
    """Finds the modules of one project, as long as the process lives.

    Args:
        sources: Path from the project's top, such as `gates/schema.py`, to text.
        label: Where the text comes from, for tracebacks: a folder or a commit.
    """

    def __init__(self, sources: Mapping[str, bytes], label: str) -> None:
        self._sources = dict(sources)
        self._label = label
        whole = hashlib.sha256()
        for path in sorted(sources):
            whole.update(f"{path}\0{hashlib.sha256(sources[path]).hexdigest()}\n".encode())
        self.package = f"squads_project_{whole.hexdigest()[:16]}"
        """The name under which its modules are imported."""
        if not any(isinstance(f, ProjectModules) and f.package == self.package for f in sys.meta_path):
            sys.meta_path.append(self)

    def module(self, path: str) -> ModuleType:
        """Return the module of a file such as `gates/schema.py`. Raises whatever importing it raises."""
        return import_module(f"{self.package}.{path.removesuffix('.py').replace('/', '.')}")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Return how to load a module of the project, or None for one that is not the project's."""
        if fullname != self.package and not fullname.startswith(f"{self.package}."):
            return None
        place = fullname.removeprefix(self.package).lstrip(".").replace(".", "/")
        if f"{place}.py" in self._sources:
            return spec_from_loader(fullname, _Source(f"{self._label}/{place}.py", self._sources[f"{place}.py"]))
        if not place or any(other.startswith(f"{place}/") for other in self._sources):
            inner = f"{place}/__init__.py".lstrip("/")
            loader = _Source(f"{self._label}/{inner}", self._sources.get(inner, b""))
            return spec_from_loader(fullname, loader, is_package=True)
        return None


class _Source(SourceLoader):
    """Loads one module from text, and can show it again: a role's prior covers its source."""

    def __init__(self, filename: str, text: bytes) -> None:
        self._filename = filename
        self._text = text

    def get_filename(self, fullname: str) -> str:
        return self._filename

    def get_data(self, path: str | bytes) -> bytes:
        return self._text

    def path_stats(self, path: str | bytes) -> Any:
        raise OSError("nothing of a project is cached as bytecode")

    def is_package(self, fullname: str) -> bool:
        return self._filename.endswith("/__init__.py")
