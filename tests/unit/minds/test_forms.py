"""Forms: what a model fills in becomes what a role answers, whatever odd thing stands in them."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from squads.contracts.errors import InvalidInput
from squads.contracts.finding import Severity
from squads.minds import forms
from squads.minds.forms import FindingForm, Form, name_of

NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")
ALL = [each for _, each in inspect.getmembers(forms, inspect.isclass) if issubclass(each, Form) and each is not Form]
OFFERED = [form for form in ALL if form.called]


@given(st.text(max_size=200))
def test_any_name_of_a_rule_becomes_one(text: str) -> None:
    """Models call rules what they like; a finding is not lost for it."""
    finding = FindingForm(invariant=text, severity=Severity.MAJOR, message="m").to_finding()

    assert NAME.fullmatch(finding.invariant)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("sql.unique-null", "sql.unique-null"),
        ("SQL: Unique NULL!", "sql-unique-null"),
        ("  no secrets  ", "no-secrets"),
        ("3 strikes", "rule-3-strikes"),
        ("", "rule"),
        ("ÄÖÜ", "rule"),
        ("a" * 100, "a" * 64),
    ],
)
def test_what_a_rule_is_called_is_kept_as_far_as_it_can_be(said: str, meant: str) -> None:
    """Lower-case words, joined."""
    assert meant == FindingForm(invariant=said, severity=Severity.NOTE, message="m").to_finding().invariant


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": None},
        {"severity": "terrible"},
        {"line": 0},
        {"line": -1},
        {"message": ""},
        {"message": "x" * 4_001},
        {"evidence": "x" * 4_001},
        {"anchor": "x"},
        {"message": "half \ud800"},
    ],
    ids=str,
)
def test_a_finding_that_says_nothing_usable_is_refused(wrong: dict[str, Any]) -> None:
    """The model is told which field, and tries again."""
    said = {"invariant": "a", "severity": "major", "message": "m", **wrong}
    with pytest.raises(ValidationError):
        FindingForm.model_validate(said)


def test_a_finding_needs_its_severity() -> None:
    """Nothing is as bad as a default says."""
    with pytest.raises(ValidationError):
        FindingForm.model_validate({"invariant": "a", "message": "m"})


def test_a_finding_far_away_is_still_a_finding() -> None:
    """A gate that is wrong about a line may be right about the fault."""
    finding = FindingForm(
        invariant="a", severity=Severity.BLOCKER, message="m\x00", path="../x", line=10**9
    ).to_finding()

    assert ("../x", 10**9) == (finding.location.path, finding.location.line) if finding.location else None
    assert finding.canonical()


def test_a_refusal_needs_a_finding_and_an_objection_a_reason() -> None:
    """Bad states cannot be written down."""
    for form, said in ((forms.RefuseForm, {"findings": []}), (forms.ObjectForm, {"reasons": [], "proposal": "x"})):
        with pytest.raises(ValidationError):
            form.model_validate(said)


@pytest.mark.parametrize("builder", ["", "No One", "a" * 65, "ÄÖ"])
def test_a_builder_that_cannot_be_called_so_is_refused(builder: str) -> None:
    """With a sentence, not a crash."""
    cut = forms.PlanForm(tasks=[forms.TaskForm(name="t", brief="b", builder=builder)])
    with pytest.raises(InvalidInput, match="builder"):
        cut.to_tasks()


@pytest.mark.parametrize("form", ALL, ids=lambda form: form.__name__)
def test_forms_are_strict_flat_and_explained(form: type[BaseModel]) -> None:
    """Unknown fields are refused, and every form says what it is for."""
    schema = form.model_json_schema()

    assert schema["additionalProperties"] is False
    assert form.__doc__
    assert not re.search(r"salt|digest|author", json.dumps(schema))


def test_every_offered_form_has_a_name_of_its_own_kind() -> None:
    """One that each provider takes for a tool."""
    assert all(re.fullmatch(r"[a-z_]{3,32}", name_of(form)) for form in OFFERED)
    assert "finding_form" == name_of(FindingForm)
