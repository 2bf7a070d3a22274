"""What the tests of tool gates share: work to judge, SARIF to read, and a tool that follows a script."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from squads import Abstained, Approved, Artifact, Packet, Refused, ReviewWork
from squads.contracts.packet import AttemptKind
from squads.contracts.work import Waiver
from squads.gates.tools.tool_gate import ToolGate

PATIENCE_SECONDS = 30.0
PYTHON = {"a.py": "one = 1\ntwo = 2\n", "b.py": "x\n", "c.md": "# Notes\n"}


def reading(
    files: Mapping[str, str | bytes], *, modes: Mapping[str, str] | None = None, waivers: Sequence[Waiver] = ()
) -> ReviewWork:
    """Return the work of reading an artifact of these files."""
    return ReviewWork(
        packet=Packet(brief="It."),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief="x",
        artifact=Artifact.of(files, modes=modes),
        waivers=tuple(waivers),
    )


def result(rule: str = "X1", uri: str = "a.py", line: int = 1, **fields: Any) -> dict[str, Any]:
    """Return one SARIF result."""
    place = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
    return {"ruleId": rule, "message": {"text": "bad"}, "locations": [{"physicalLocation": place}], **fields}


def sarif(*results: dict[str, Any], **run: Any) -> str:
    """Return a SARIF log with one run."""
    whole = {"tool": {"driver": {"name": "tool"}}, "results": list(results), **run}
    return json.dumps({"version": "2.1.0", "runs": [whole]})


def tool(folder: Path, body: str) -> list[str]:
    """Write a tool and return the command that runs it. The body may use `os`, `sys`, `json`, `files` and `say`."""
    script = folder / f"tool-{sha256(body.encode()).hexdigest()[:12]}.py"
    script.write_text(
        "import json, os, sys\n"
        "files = sys.argv[1:]\n"
        "def say(text):\n"
        "    sys.stdout.buffer.write(text if isinstance(text, bytes) else text.encode())\n"
        "    sys.stdout.buffer.flush()\n" + body,
        "utf-8",
    )
    return [sys.executable, str(script), "{files}"]


def gate(folder: Path, body: str, **options: Any) -> ToolGate:
    """Return a gate around a tool with this body."""
    command = options.pop("command", None) or tool(folder, body)
    return ToolGate("tool", command, **{"files": ["*.py"], "timeout_seconds": PATIENCE_SECONDS, **options})


def says(folder: Path, text: str, **options: Any) -> ToolGate:
    """Return a gate around a tool that prints this."""
    return gate(folder, f"say({text!r})\n", **options)


def refused(verdict: Any) -> list[tuple[str, str, str]]:
    """Return invariant, severity and place of what was refused."""
    assert isinstance(verdict, Refused), verdict
    return [(f.invariant, f.severity.value, str(f.location)) for f in verdict.findings]


def approved(verdict: Any) -> list[tuple[str, str]]:
    """Return invariant and message of an approval's notes."""
    assert isinstance(verdict, Approved), verdict
    return [(f.invariant, f.message) for f in verdict.notes]


def why(verdict: Any) -> str:
    """Return why a gate abstained."""
    assert isinstance(verdict, Abstained), verdict
    return verdict.reason


@contextmanager
def nothing_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Have private copies made in a folder of this test, and fail when one stays."""
    place = tmp_path / "private"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    yield place
    assert os.listdir(place) == []
