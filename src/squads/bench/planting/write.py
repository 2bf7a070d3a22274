"""Writes what was planted as families in folders, in the format that every set of cases has.

A planted family keeps the name, the oracle, the tests and the split of the one it was planted into: its variants are
the defects that were kept, and the right variants that they were planted into, as their twins. Intervals are by family,
and twenty defects planted into one table are no twenty tables.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from squads.bench.case import Case
from squads.bench.families import FAMILY, cases, family_at, set_digest
from squads.bench.planting.keep import Tried
from squads.contracts.errors import InvalidInput

REPORT = "planting.json"
"""The page that stands beside the families: every candidate with its fate, and the digest of the set."""


def write_families(out: Path, homes: Mapping[str, Path], given: Sequence[Case], done: Sequence[Tried]) -> str:
    """Write all kept candidates into `out`, and return the digest of the set that is read back from there.

    Args:
        out: A folder that is not there yet, or is empty. Raises `InvalidInput` otherwise.
        homes: The folder of every family by its name.
        given: The cases that were planted into, and others.
        done: All candidates with their fates; those that were not kept are in the report alone.
    """
    fresh(out)
    kept: dict[str, list[Tried]] = {}
    for one in done:
        if one.fate == "kept":
            kept.setdefault(one.planted.case.family, []).append(one)
    by_id = {case.id: case for case in given}
    for family, some in kept.items():
        twins = [by_id[name] for name in dict.fromkeys(one.planted.of for one in some)]
        operators = ", ".join(dict.fromkeys(one.planted.operator for one in some))
        source = some[0].planted.case.source if len(some) == 1 else f"{operators}@{some[0].planted.seed} of {family}"
        page: dict[str, Any] = {
            **family_at(homes[family]).model_dump(mode="json", exclude_defaults=True),
            "origin": "planted",
            "source": source,
            "variants": {
                **{case.variant: _variant(case) for case in twins},
                **{one.planted.case.variant: _variant(one.planted.case, one.planted.case.source) for one in some},
            },
        }
        write_family(out / family, homes[family], page, [*twins, *(one.planted.case for one in some)])
    digest = set_digest(cases(out)) if kept else set_digest([])
    report = {
        "set": digest,
        "candidates": [
            {
                "source": one.planted.case.source,
                "variant": one.planted.case.id,
                "operator": one.planted.operator,
                "seed": one.planted.seed,
                "invariant": one.planted.invariant,
                "fate": one.fate,
                "said": one.said,
            }
            for one in done
        ],
    }
    (out / REPORT).write_text(json.dumps(report, indent=1, sort_keys=True) + "\n", "utf-8")
    return digest


def fresh(out: Path) -> None:
    """Make the folder `out`; raises `InvalidInput` where something is in it already, or none can be made."""
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InvalidInput(f"{out} is there already and holds something; name a folder that does not exist yet")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{out} cannot be made: {error.strerror}; name another folder with --out") from None


def write_family(folder: Path, home: Path, page: Mapping[str, Any], some: Sequence[Case]) -> None:
    """Write one family: its page, its variants, and base, tests and attack as they are in `home`."""
    folder.mkdir()
    (folder / FAMILY).write_text(yaml.safe_dump(dict(page), sort_keys=False, allow_unicode=True, width=120), "utf-8")
    for name in ("tests", "attack.py"):
        if (home / name).is_dir():
            shutil.copytree(home / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (home / name).is_file():
            shutil.copyfile(home / name, folder / name)
    write_files(folder / "base", some[0].base)
    for case in some:
        write_files(folder / case.variant, case.files)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by their paths below a folder; without any there is no folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")


def _variant(case: Case, note: str = "") -> dict[str, Any]:
    places = [place.model_dump(exclude_none=True) for place in case.places]
    found = {"places": places, "removals": list(case.removals), "note": note}
    return {key: value for key, value in found.items() if value}
