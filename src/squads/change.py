"""Builders of changes that were made elsewhere, by a person or a program: they hand them in as they are."""

from __future__ import annotations

from pathlib import Path

from squads.adapters import git
from squads.adapters.work_tree import Change
from squads.contracts.artifact import Artifact, Manifest
from squads.contracts.plan import Objection
from squads.contracts.work import BuildWork
from squads.roles.builder import Builder


class ImportedChange(Builder):
    """Hands in a change that was read already."""

    name = "change"
    prior = "Hands in what it was given."

    def __init__(self, change: Change) -> None:
        self._change = change

    def build(self, work: BuildWork) -> Artifact:
        """Return the change."""
        change = self._change
        return work.artifact(change.files, modes=change.modes, removals=change.removals, base=change.base)


class WorkTreeChange(Builder):
    """Hands in what differs from the newest commit when it is asked; what a card `extends: squads:change` is."""

    name = "change"
    prior = "Hands in what changed in the work tree."

    def __init__(self, root: Path | str = ".") -> None:
        self._root = Path(root)

    def build(self, work: BuildWork) -> Artifact | Objection:
        """Return the change of the work tree, or an objection when it is still the one that was refused.

        Raises `InvalidInput` where nothing changed.
        """
        change = git.work_tree_change(self._root)
        artifact = work.artifact(change.files, modes=change.modes, removals=change.removals, base=change.base)
        before = work.previous
        if before is not None and _same(before.manifest, artifact.manifest):
            return work.objection(
                "the work tree is as it was when it was refused",
                proposal="mend what the findings name, and run the packet again",
            )
        return artifact


def _same(before: Manifest, now: Manifest) -> bool:
    return (before.files, before.removals) == (now.files, now.removals)
