"""A private copy of the kernel, whole or with one rule broken on purpose.

Worlds never run on the package that everybody else imported: a copy can be changed in its source text, and nothing of
the change is left behind. Contracts and the ledger's core are shared, so records are the same classes everywhere.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import squads.kernel

PACKAGE = "squads.kernel"
SOURCES = Path(squads.kernel.__file__).parent


@dataclass(frozen=True)
class Edit:
    """One substitution in one module's text; `old` must stand there exactly `times`."""

    module: str
    old: str
    new: str
    times: int = 1


class Carried(dict[str, Any]):
    """A predicate that brings its record along: reading it back from JSON is tested elsewhere, and is slow."""

    def __init__(self, record: Any) -> None:
        super().__init__()
        self.record = record


def load(*edits: Edit) -> SimpleNamespace:
    """Return the kernel's public names from a fresh import with `edits` made."""
    texts: dict[str, str] = {}
    for edit in edits:
        text = texts.get(edit.module) or (SOURCES / f"{edit.module}.py").read_text()
        if text.count(edit.old) != edit.times:
            raise LookupError(f"{edit.module}.py has {edit.old!r} {text.count(edit.old)} times, not {edit.times}")
        texts[edit.module] = text.replace(edit.old, edit.new)
    kept = {name: module for name, module in sys.modules.items() if name.split(".")[:2] == PACKAGE.split(".")}
    parent = sys.modules["squads"]
    finder = _Finder(texts)
    for name in kept:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        made = {
            name: importlib.import_module(f"{PACKAGE}.{name}")
            for name in ("step", "replay", "pending", "view", "effects", "state", "lifecycle", "receipts", "plan")
        }
    finally:
        sys.meta_path.remove(finder)
        for name in [n for n in sys.modules if n.split(".")[:2] == PACKAGE.split(".")]:
            del sys.modules[name]
        sys.modules.update(kept)
        parent.kernel = kept[PACKAGE]  # type: ignore[attr-defined]
    return _names(made)


def _names(made: dict[str, ModuleType]) -> SimpleNamespace:
    replay, effects, state = made["replay"], made["effects"], made["state"]
    real = replay.record_in

    def record_in(receipt: Any) -> Any:
        return receipt.predicate.record if isinstance(receipt.predicate, Carried) else real(receipt)

    replay.record_in = record_in  # type: ignore[attr-defined]
    return SimpleNamespace(
        step=made["step"].step,
        pending=made["pending"].pending,
        Replay=replay.Replay,
        Diverged=replay.Diverged,
        outputs=replay.outputs,
        views=made["view"],
        View=made["view"].View,
        Attested=state.Attested,
        Ignore=effects.Ignore,
        Send=effects.Send,
        Ask=effects.Ask,
        Arm=effects.Arm,
        Receipt=made["receipts"].Receipt,
        payload_of=made["receipts"].payload_of,
        receipt_of=made["receipts"].receipt_of,
        Phase=made["lifecycle"].Phase,
        lifecycle=made["lifecycle"],
        plan=made["plan"],
    )


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        short = name.removeprefix(f"{PACKAGE}.")
        if short == name or short not in self._texts:
            return None
        return importlib.util.spec_from_loader(name, _Loader(self._texts[short]))


class _Loader(importlib.abc.Loader):
    def __init__(self, text: str) -> None:
        self._text = text

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._text, f"<{module.__name__}, broken>", "exec"), module.__dict__)
