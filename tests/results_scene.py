"""Small results, made by hand."""

from __future__ import annotations

from squads.bench.case import Case, Label, Place
from squads.bench.judged import Found, Judged, Results

INVARIANT = "sql.unique-null"


def case(family: str, label: Label, **given: object) -> Case:
    """A case of one file, whose flaw stands in line 2."""
    values: dict[str, object] = {
        "family": family,
        "variant": label.value,
        "label": label,
        "invariants": (INVARIANT,),
        "places": (Place(path="schema.sql", line=2),) if label.broken else (),
        "language": "sql",
        "kind": "schema",
        "split": "test",
        "origin": "written",
        "licence": "Apache-2.0",
        "brief": "A table.",
        "files": {"schema.sql": f"CREATE TABLE {family} (\n    a int\n);\n-- {label.value}\n"},
    }
    return Case.model_validate(values | given)


def said(case: Case, gate: str, decision: str, line: int | None = 2, **given: object) -> Judged:
    """A verdict; a refusal names the invariant at `line`."""
    found = (Found(invariant=INVARIANT, path="schema.sql", line=line),) if decision == "refused" else ()
    values: dict[str, object] = {"case": case.id, "gate": gate, "decision": decision, "found": found, "prior": gate}
    return Judged.model_validate(values | given)


def results(families: int = 4, *, keen: str = "refused", title: str = "A run") -> Results:
    """Twins of some families: `sharp` tells them apart, `blind` passes all, `keen` says `keen` to every defect."""
    cases = [case(f"family_{n}", label) for n in range(families) for label in (Label.DEFECT, Label.CLEAN)]
    rows = []
    for one in cases:
        broken = one.label.broken
        rows += [
            said(one, "sharp", "refused" if broken else "approved"),
            said(one, "blind", "approved"),
            said(one, "keen", keen if broken else "refused"),
        ]
    return Results(title=title, cases=tuple(cases), judged=tuple(rows), about={"seed": "7"})
