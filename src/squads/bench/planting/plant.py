"""Plants defects: applies operators to right code, and gives what comes of it, unproved.

Nothing here knows whether a planted candidate is a defect: that says the oracle of the family it was planted into; see
`keep.py`. The same cases, operators and seed give the same candidates, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from pydantic import Field

from squads.bench.case import Case, Label
from squads.bench.planting.mutation import Operator, applied
from squads.bench.strip import stripped
from squads.contracts.base import Content, Name
from squads.contracts.errors import InvalidInput


class Planted(Content):
    """One candidate, and where it comes from."""

    case: Case
    """The candidate as a case: a defect, of origin `planted`."""
    operator: str
    seed: int = Field(ge=0)
    of: str
    """The id of the case that it was planted into."""
    invariant: Name
    """What the operator is meant to break."""


def plant(cases: Sequence[Case], operators: Iterable[Operator], seed: int, *, each: int = 1) -> list[Planted]:
    """Return candidates planted into the right cases among `cases`, by case and operator.

    An operator is used where its invariant is one of the case's, because nobody else's oracle could say whether it
    broke anything. What looks like a case that is there already, or like an earlier candidate, is left out. Raises
    `InvalidInput` where an operator's vendor is not installed.

    Args:
        cases: Whole families; defects and cosmetic fixes are only compared with.
        operators: In the order in which they are tried.
        seed: Chooses among the places where an operator applies.
        each: How many places of a case are chosen for each operator, at most.
    """
    seen = {case.digest for case in cases}
    given = list(operators)
    found: list[Planted] = []
    for case in sorted((c for c in cases if not c.label.broken), key=lambda c: (c.family, c.variant)):
        for operator in given:
            if operator.invariant not in case.invariants:
                continue
            made = [m for m in _candidates(case, operator, seed) if m.case.digest not in seen]
            fresh = list({m.case.digest: m for m in made}.values())
            Random(f"{seed} {operator.name} {case.id}").shuffle(fresh)  # noqa: S311  # a draw, no secret
            seen.update(m.case.digest for m in fresh[:each])
            found += fresh[:each]
    return found


def _candidates(case: Case, operator: Operator, seed: int) -> list[Planted]:
    if operator.language == "python" and not _reads_python():
        raise InvalidInput(
            f"{operator.name} needs the package libcst; install it with `pip install 'squads[bench]'`, "
            f"or plant only with the operators of sql"
        )
    made = []
    for number, mutation in enumerate(operator.mutations(case.files), 1):
        after, places = applied(case.files, mutation)
        emptied = {path for path, text in after.items() if not text.strip() and case.files[path].strip()}
        files = {path: stripped(path, text) for path, text in after.items() if path not in emptied}
        if not places or any(place.path not in files for place in places):
            continue
        fields = {name: getattr(case, name) for name in Case.model_fields}
        fields |= {
            "variant": f"{Label.DEFECT}-{operator.name.replace('.', '-')}-{case.variant}-{number}",
            "label": Label.DEFECT,
            "places": places,
            "origin": "planted",
            "source": f"{operator.name}@{seed} of {case.id}",
            "files": files,
        }
        # Made anew, not copied: a copy would keep the digest of what it was made from.
        planted = Case(**fields)
        made.append(Planted(case=planted, operator=operator.name, seed=seed, of=case.id, invariant=operator.invariant))
    return made


def _reads_python() -> bool:
    try:
        import libcst  # noqa: F401  # only whether it is there
    except ImportError:
        return False
    return True
