"""The reference says everything that the code offers, and nothing that it does not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import squads
import squads.testing
from squads.cli.app import app
from squads.contracts import errors
from squads.contracts.artifact import Artifact
from squads.contracts.packet import ApprovalRule, Budget, Limits
from squads.contracts.reasons import Reason
from squads.contracts.records import PACKET_RECORDS, WORKSPACE_RECORDS
from squads.gates.builtin import HOMES, built_in
from squads.gates.changes.gate import ChangeGate
from squads.ledger.report import CHECKS
from squads.ledger.types import KINDS

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
NAMES = (REFERENCE / "public-names.md").read_text("utf-8")
GIVEN_TO_ROLES = (
    "Complaint Waiver Acceptance Usage File Manifest Judgement Cited Recalled Allowance RoleAllowance RoleSpend "
    "BusSettings serve_roles"
)
"""Documented beside the public names, and marked there as none."""


def headings(page: str, level: int) -> list[str]:
    """Return the code names that stand alone in headings of a level."""
    return re.findall(rf"^{'#' * level} `([^`]+)`$", page, re.MULTILINE)


def test_every_public_name_is_documented_once_and_no_other() -> None:
    """`squads.__all__` and the page are one list."""
    documented = [n for n in headings(NAMES, 3) if n not in GIVEN_TO_ROLES.split()]

    assert sorted(squads.__all__) == sorted(documented)
    assert len(squads.__all__) < 45


def test_what_is_no_public_name_says_where_it_comes_from() -> None:
    """A reader who wants to write the type is told what to import."""
    for name in GIVEN_TO_ROLES.split():
        section = NAMES.split(f"### `{name}`\n")[1].split("\n### ")[0]
        module = re.search(r"Import it from `([\w.]+)`", section)

        assert module is not None, name
        assert hasattr(__import__(module[1], fromlist=[name]), name)


def test_every_name_can_be_reached() -> None:
    """A name that is listed and cannot be imported is a lie."""
    for module in (squads, squads.testing):
        for name in module.__all__:
            assert getattr(module, name) is not None
        assert set(module.__all__) <= set(dir(module))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = squads.nonsense


def test_every_name_of_testing_is_documented() -> None:
    """The page on testing names all that `squads.testing` offers."""
    page = (ROOT / "docs" / "how-to" / "test-a-squad.md").read_text("utf-8")

    assert [n for n in squads.testing.__all__ if n not in page] == []


def test_every_error_is_documented_with_what_it_is_below() -> None:
    """The tree in the code's docstring, the classes, and the page agree."""
    classes = {n: c for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, errors.SquadsError)}
    drawn = re.findall(r"^([ │├└─]*)(\w+)", NAMES.split("```text\nSquadsError")[1].split("```")[0], re.MULTILINE)

    for name, cls in classes.items():
        assert f"| `{name}` | `{cls.__bases__[0].__name__}` |" in NAMES
    assert set(classes) - {"SquadsError"} == {name for _, name in drawn}
    parents: list[str] = ["SquadsError"]
    for stem, name in drawn:
        depth = len(stem) // 4
        parents = [*parents[:depth], name]
        assert classes[name].__bases__[0].__name__ == parents[depth - 1], name


@pytest.mark.parametrize("model", [Limits, Budget, ApprovalRule])
def test_every_bound_is_documented_with_its_default_its_range_and_what_happens_there(model: Any) -> None:
    """A bound without a page is a surprise."""
    section = NAMES.split(f"### `{model.__name__}`\n")[1].split("\n### ")[0]
    for name, field in model.model_fields.items():
        row = next(line for line in section.split("\n") if line.startswith(f"| `{name}` |"))

        if not field.is_required():
            default = field.default
            shown = f"{default:,}" if isinstance(default, int) and not isinstance(default, bool) else repr(default)
            assert f"| `{shown}` |" in row
        for bound in field.metadata:
            for word in ("ge", "le"):
                if (value := getattr(bound, word, None)) is not None:
                    assert f"{value:,}" in row
        if name.endswith(("_max", "_ms")):
            assert f"`{model.__name__}.{name}`" in NAMES.split("What happens at each bound:")[1]


def every_command(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Yield a command and everything below it, each with its full name."""
    yield name, command
    for inner, below in getattr(command, "commands", {}).items():
        yield from every_command(f"{name} {inner}", below)


def test_every_command_argument_and_option_is_documented() -> None:
    """The page has one section for each command, with one row for each of its parameters."""
    page = (REFERENCE / "command-line.md").read_text("utf-8")
    group: Any = typer.main.get_command(app)
    sections = {"squads": page.split("\n## ")[0]}
    for section in page.split("\n## `squads ")[1:]:
        sections[f"squads {section.split('`')[0]}"] = section.split("\n## ")[0]

    commands = dict(every_command("squads", group))
    assert set(commands) == set(sections)
    for name, command in commands.items():
        words = {o for p in command.params for o in (p.opts if p.param_type_name == "option" else [p.name])}
        rows = set(re.findall(r"^\| `([\w-]+)[^`]*` \|", sections[name], re.MULTILINE))
        assert words | {"--help"} == rows, name


def test_every_receipt_is_documented_with_its_signers_and_its_fields() -> None:
    """The page and the table of kinds are one list, and no field is missing."""
    page = (REFERENCE / "receipts.md").read_text("utf-8")
    sections = dict(zip(headings(page, 3), re.split(r"^### `[^`]+`$", page, flags=re.MULTILINE)[1:], strict=True))

    assert set(KINDS) <= set(sections)
    for kind in KINDS.values():
        assert f"Signed by: {', '.join(sorted(kind.signers))}." in sections[kind.name]
        record = {**PACKET_RECORDS, **WORKSPACE_RECORDS}.get(kind.name)
        for field in record.model_fields if record else ():
            if field not in ("workspace", "packet"):
                assert f"| `{field}` |" in sections[kind.name], (kind.name, field)
    for field in ("log_public_key", "root_public_keys", "suspect_from_index", "old_key", "not_before_index", "custody"):
        assert f"`{field}`" in page


def test_every_verification_check_says_what_to_do_when_it_fails() -> None:
    """Nobody who sees a failed line is left without a next step."""
    page = (ROOT / "docs" / "how-to" / "verify-a-ledger.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)

    assert [*CHECKS, "replay", "index", "nodes", "content", "budget"] == [name for name, _, _ in rows]
    assert list(CHECKS.values()) == [shows for name, shows, _ in rows if name in CHECKS]
    assert all(len(what) > 20 for _, _, what in rows)


def test_every_built_in_check_is_documented_and_holds_its_own_examples() -> None:
    """An example that the check itself does not judge as the page says would be worse than none."""
    page = (REFERENCE / "checks.md").read_text("utf-8")

    assert list(HOMES) == headings(page, 2)
    for gate in built_in():
        assert not isinstance(gate.invariant, str)
        if isinstance(gate, ChangeGate):
            continue  # its examples are changes, and tests/conformance/test_gates.py holds it to them
        path = "example" + gate.files[0].removeprefix("*")
        assert any(f.severity >= gate.refuse_at for f in gate(Artifact.of({path: gate.invariant.refused})))
        assert not any(f.severity >= gate.refuse_at for f in gate(Artifact.of({path: gate.invariant.approved})))


def test_every_reason_and_exit_code_is_documented() -> None:
    """A packet never ends with a word that nobody explains."""
    page = (ROOT / "docs" / "explanation" / "lifecycle.md").read_text("utf-8")

    assert set(Reason.__args__) == set(re.findall(r"^\| `([\w-]+)` \| [012] \| .+ \|$", page, re.MULTILINE))
