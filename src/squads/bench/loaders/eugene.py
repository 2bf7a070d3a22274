"""eugene's examples: PostgreSQL migrations that one of its rules warns of, and how to write them.

Each rule is a family with `bad.sql` as the defect and, where there is one, `good.sql` as the clean twin. A script has
sections, each a migration of its own: the first is what stood before, the others are what is judged, `002.sql` and on.
A script with one section is a schema that begins with it. Clean means: for that rule. Not all rules are about locks, so
that some families have the rule alone as their reason.

All comments go: they name sections, reasons, and other rules to ignore.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from squads.bench.case import Case, Label
from squads.bench.loaders.comments import without_comments
from squads.bench.loaders.loader import checked
from squads.contracts.errors import InvalidCase

LOCKS = frozenset({"E1", "E2", "E4", "E5", "E6", "E7", "E8", "E9", "E10", "E11", "W12", "W14"})
"""The rules about what locks or rewrites a table in use for long: our `migration.locks`."""

_SECTION = re.compile(r"^-- \d+\.sql[ \t]*\n", re.MULTILINE)
_TWINS = (("bad.sql", Label.DEFECT), ("good.sql", Label.CLEAN))


class Eugene:
    """The loader of eugene's examples."""

    name = "eugene"
    title = "eugene: PostgreSQL migrations with and without the flaw that a rule is about"
    home = "github.com/kaaveland/eugene"
    commit = "7f8b343ae93ed72692cf63ce9a4490fd617a7118"
    licence = "MIT"
    counts: ClassVar[Mapping[str, int]] = {"bad.sql": 15, "good.sql": 13}

    def load(self, path: Path) -> list[Case]:
        """Return the bad and the good script of every rule, by rule."""
        cases: list[Case] = []
        found: Counter[str] = Counter()
        for folder in sorted(p for p in (path / "eugene" / "examples").glob("*/") if (p / "bad.sql").is_file()):
            for name, label in _TWINS:
                if (folder / name).is_file():
                    found[name] += 1
                    cases.append(_case(self, folder / name, folder.name, label))
        if not cases:
            raise InvalidCase(f"{path} is not {self.name}: it has no eugene/examples/<rule>/bad.sql")
        return checked(self, path, cases, found)

    def recorded(self, path: Path) -> None:
        """Return None: the set has no verdicts."""


def _case(loader: Eugene, page: Path, rule: str, label: Label) -> Case:
    try:
        text = page.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCase(f"{page} cannot be read as a script of {loader.name}: {error}") from None
    sections = [part for part in _SECTION.split(text) if part.strip()]
    scripts = {f"{n:03}.sql": _plain(part) for n, part in enumerate(sections, 1)}
    base = {"001.sql": scripts.pop("001.sql")} if len(scripts) > 1 else {}
    return Case(
        family=f"{loader.name}-{rule.lower()}",
        variant=label.value,
        label=label,
        invariants=(*(["migration.locks"] if rule in LOCKS else []), f"{loader.name}.{rule.lower()}"),
        language="sql",
        kind="migration" if base else "schema",
        split="test",
        origin="written",
        licence=loader.licence,
        source=f"{loader.home}@{loader.commit[:12]}, {rule}/{page.name}",
        brief="A migration of a PostgreSQL database in use." if base else "A schema for PostgreSQL.",
        files=scripts,
        base=base,
    )


def _plain(text: str) -> str:
    lines = without_comments(text, "sql").split("\n")
    return "\n".join(line for line in lines if line.strip()) + "\n"
