"""The loader interface: how a public set of cases becomes ours without a copy of it.

A set stays where its user fetched it. Its loader reads it from there, knows the commit it was written for and what is
in it at that commit, and refuses a set in which it finds something else: a figure about another set would carry the
name of this one. Write one for your own set:

    class OurIncidents:
        name = "our-incidents"
        title = "Our own incidents, 2024 to 2026"
        home = "github.com/us/incidents"
        commit = "0123456789abcdef0123456789abcdef01234567"
        licence = "MIT"
        counts = {"cases": 12, "defects": 6}

        def load(self, path: Path) -> list[Case]:
            cases = ...
            return checked(self, path, cases, {"cases": len(cases), "defects": sum(c.label.broken for c in cases)})

        def recorded(self, path: Path) -> Results | None:
            return None

Every case has a family (a repository, a template, a CVE): intervals are by family. Take tell-tales away with
`squads.bench.strip.stripped` before a text becomes a case's file. Call clean only what the set calls clean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from squads.bench.case import Case
from squads.bench.judged import Results
from squads.contracts.errors import InvalidCase

_COMMIT = re.compile(r"[0-9a-f]{40}")


class Loader(Protocol):
    """What reads one public set. Attributes may be plain class attributes."""

    @property
    def name(self) -> str:
        """What people call it on the command line."""

    @property
    def title(self) -> str:
        """What it is, in a line."""

    @property
    def home(self) -> str:
        """Where to fetch it."""

    @property
    def commit(self) -> str:
        """The commit it is read at, 40 hex digits."""

    @property
    def licence(self) -> str:
        """The licence of its labels and files, as an SPDX identifier."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What is in it at that commit; anything else is refused."""

    def load(self, path: Path) -> list[Case]:
        """Return its cases, in an order that does not change. Raises `InvalidCase`."""

    def recorded(self, path: Path) -> Results | None:
        """Return verdicts that others recorded on its cases; None where none were. Raises `InvalidCase`."""


def checked(loader: Loader, path: Path, cases: list[Case], found: Mapping[str, int]) -> list[Case]:
    """Return `cases` when the folder is at the loader's commit and holds what it says. Raises `InvalidCase`.

    Where the folder is no git checkout only the counts can be compared.
    """
    commit = commit_at(path)
    if commit is not None and commit != loader.commit:
        raise InvalidCase(
            f"{path} is {loader.name} at {commit[:12]}, and this loader reads {loader.commit[:12]}; "
            f"run `git checkout {loader.commit}` there"
        )
    odd = [
        f"{found.get(what, 0)} {what} instead of {n}" for what, n in loader.counts.items() if found.get(what, 0) != n
    ]
    if odd:
        raise InvalidCase(
            f"{path} is not {loader.name} as of {loader.commit[:12]}: {'; '.join(odd)}; "
            f"fetch {loader.home} at that commit"
        )
    return cases


def commit_at(path: Path) -> str | None:
    """Return the commit that a git checkout stands at, read from its files; None where that cannot be told."""
    git = path / ".git"
    try:
        if git.is_file():  # a work tree or a submodule
            git = (path / git.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text("utf-8").strip()
        if _COMMIT.fullmatch(head):
            return head
        ref = head.removeprefix("ref:").strip()
        shared = git / "commondir"
        homes = (git, git / shared.read_text("utf-8").strip()) if shared.is_file() else (git,)
        return next(filter(None, (_at(home, ref) for home in homes)), None)
    except (OSError, UnicodeDecodeError):
        return None


def _at(git: Path, ref: str) -> str | None:
    if (git / ref).is_file():
        return (git / ref).read_text("utf-8").strip()
    packed = git / "packed-refs"
    lines = packed.read_text("utf-8").splitlines() if packed.is_file() else []
    return next((line.split(" ", 1)[0] for line in lines if line.endswith(f" {ref}")), None)
