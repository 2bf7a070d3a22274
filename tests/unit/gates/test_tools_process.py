"""How a tool is run: bounded in time and output, killed with its children, and shown only what it is given."""

from __future__ import annotations

import asyncio
import json
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tools_scene import PYTHON, gate, nothing_left_behind, reading, refused, result, sarif, says, tool, why

from squads import Approved
from squads.gates.tools.process import COMPLAINT_BYTES_MAX

PAUSE = "import signal; signal.pause()\n"


async def soon(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a call that may wait returns; fail when it waits for ever."""
    return await asyncio.wait_for(asyncio.to_thread(function, *arguments), 10)


# Bounds ---------------------------------------------------------------------------------------------------------------


async def test_output_is_read_up_to_its_bound_and_no_further(tmp_path: Path) -> None:
    """At the bound it is read; one byte more is none."""
    text = sarif()

    exact = says(tmp_path, text, output_bytes_max=len(text))
    assert await exact.answer(reading(PYTHON)) == Approved(looked=2)
    short = says(tmp_path, text, output_bytes_max=len(text) - 1)
    assert f"wrote more than {len(text) - 1} bytes" in why(await short.answer(reading(PYTHON)))


async def test_a_tool_that_writes_without_end_is_killed(tmp_path: Path) -> None:
    """Long before its time is over."""
    body = "while True:\n    say('x' * 65536)\n"
    begun = time.monotonic()

    said = why(await gate(tmp_path, body, output_bytes_max=1_000_000).answer(reading(PYTHON)))
    assert "wrote more than 1000000 bytes" in said
    assert time.monotonic() - begun < 20


async def test_complaints_without_end_are_dropped(tmp_path: Path) -> None:
    """They do not block the tool, and they are not kept."""
    body = f"sys.stderr.write('x' * {COMPLAINT_BYTES_MAX * 3})\nsay({sarif()!r})\n"

    assert await gate(tmp_path, body, silent=False).answer(reading(PYTHON)) == Approved(looked=2)
    assert len(why(await gate(tmp_path, body).answer(reading(PYTHON)))) < 2_000


async def test_a_tool_that_hangs_is_killed_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is up; what it started goes with it, and so does the private copy."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    # The child holds the pipe open for as long as it lives.
    body = f"if os.fork() == 0:\n    held = os.open({str(fifo)!r}, os.O_WRONLY)\n    os.write(held, b'x')\n{PAUSE}"
    reading_end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with nothing_left_behind(monkeypatch, tmp_path):
        said = why(await gate(tmp_path, body, timeout_seconds=1.5).answer(reading(PYTHON)))

    assert "was not done after 1.5 seconds and was killed" in said
    os.set_blocking(reading_end, True)
    assert [await soon(os.read, reading_end, 9), await soon(os.read, reading_end, 9)] == [b"x", b""]
    os.close(reading_end)


async def test_a_child_that_outlives_its_tool_is_killed_and_holds_nobody_up(tmp_path: Path) -> None:
    """The tool is done; its child still holds standard output open."""
    body = f"if os.fork() == 0:\n    {PAUSE.strip()}\nsay({sarif()!r})\n"
    begun = time.monotonic()

    assert await gate(tmp_path, body).answer(reading(PYTHON)) == Approved(looked=2)
    assert time.monotonic() - begun < 15


async def test_a_child_that_flees_its_group_makes_the_gate_abstain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still holds the output, so the answer has no end."""
    monkeypatch.setattr("squads.gates.tools.process.DRAIN_SECONDS", 0.1)
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    body = (
        "r, w = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    os.write(w, b'x')\n"
        f"    open({str(fifo)!r}).read()\n"
        "    os._exit(0)\n"
        "os.read(r, 1)\n"
        f"say({sarif()!r})\n"
    )
    said = why(await gate(tmp_path, body).answer(reading(PYTHON)))
    await soon(lambda: fifo.open("w").close())  # and now it may end

    assert "left a process behind that still writes" in said


async def test_a_cancelled_reading_leaves_no_process_and_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's deadline cancels a gate; nothing of it goes on."""
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    hanging = gate(tmp_path, f"held = os.open({str(fifo)!r}, os.O_WRONLY)\n{PAUSE}")
    with nothing_left_behind(monkeypatch, tmp_path):
        running = asyncio.create_task(hanging.answer(reading(PYTHON)))
        reading_end = await soon(os.open, fifo, os.O_RDONLY)  # opens once the tool has opened it too
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert await soon(os.read, reading_end, 1) == b""
    os.close(reading_end)


# What the tool sees ---------------------------------------------------------------------------------------------------

SEES = """
import stat
here = os.getcwd()
seen = {
    "files": sorted(os.path.relpath(os.path.join(d, f), here) for d, _, fs in os.walk(here) for f in fs),
    "arguments": files,
    "environment": dict(os.environ),
    "mode": stat.S_IMODE(os.stat(os.path.dirname(here)).st_mode),
    "input": sys.stdin.read(),
    "settings": sorted(os.listdir("../settings")),
    "path": sys.path,
}
open(%r, "w").write(json.dumps(seen))
say('{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t"}}, "results": []}]}')
"""


async def seen(tmp_path: Path, files: dict[str, str], modes: dict[str, str] | None = None, **options: Any) -> Any:
    where = tmp_path / "seen.json"
    verdict = await gate(tmp_path, SEES % str(where), **options).answer(reading(files, modes=modes))
    assert isinstance(verdict, Approved), verdict
    return json.loads(where.read_text())


async def test_it_sees_the_files_of_its_kind_and_no_settings(tmp_path: Path) -> None:
    """Neither the artifact's configuration, which would let a change pick its own judge, nor its links."""
    files = {"src/a.py": "1", "-x.py": "2", "ruff.toml": "", ".bandit": "", "pyproject.toml": "", "l.py": "src/a.py"}
    saw = await seen(tmp_path, files, {"l.py": "link"})

    assert saw["files"] == ["-x.py", "src/a.py"]
    assert saw["arguments"] == ["./-x.py", "./src/a.py"]
    assert saw["mode"] == stat.S_IRWXU


async def test_it_cannot_ask_anything(tmp_path: Path) -> None:
    """What stands on the parent's standard input is not for it, and nobody is there to answer."""
    reading_end, writing_end = os.pipe()
    os.write(writing_end, b"yes\n")
    os.close(writing_end)
    kept = os.dup(0)
    os.dup2(reading_end, 0)
    try:
        saw = await seen(tmp_path, {"a.py": "1"})
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        os.close(reading_end)

    assert saw["input"] == ""


async def test_an_artifact_of_links_was_not_looked_at(tmp_path: Path) -> None:
    """They are nobody's to follow."""
    alone = reading({"l.py": "/etc/passwd"}, modes={"l.py": "link"})

    assert await says(tmp_path, sarif()).answer(alone) == Approved(looked=0)


async def test_no_secret_of_the_parent_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is passed by name, and PATH without folders that would be looked for among the judged files."""
    monkeypatch.setenv("API_KEY", "secret")
    monkeypatch.setenv("SEEN", "yes")
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", "bin", os.environ["PATH"]]))
    saw = await seen(tmp_path, {"a.py": "1"}, environment=["SEEN", "NOT_SET"])

    environment = saw["environment"]
    assert "secret" not in json.dumps(saw)
    assert environment["SEEN"] == "yes"
    assert set(environment) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"} == {
        *("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "NO_COLOR", "PYTHONSAFEPATH", "PYTHONWARNINGS", "SEEN")
    }
    assert all(Path(p).is_absolute() for p in environment["PATH"].split(os.pathsep))
    assert "squads-tool-" in environment["HOME"]


async def test_renamed_files_hide_nothing_and_masked_words_silence_nothing(tmp_path: Path) -> None:
    """The tool sees other names and no word that would quieten it; the finding speaks of the artifact."""
    body = (
        "text = open(files[0]).read()\n"
        "at = text.split('\\n').index('bad  # xxxxxx') + 1 if 'xxxxxx' in text else 0\n"
        "uri = 'file://' + os.path.abspath(files[0])\n"
        "place = {'artifactLocation': {'uri': uri}, 'region': {'startLine': at}}\n"
        "found = {'ruleId': 'X1', 'level': 'error', 'message': {'text': 'see ' + files[0]},\n"
        "         'locations': [{'physicalLocation': place}]}\n"
        "run = {'tool': {'driver': {'name': 't'}}, 'results': [found]}\n"
        "say(json.dumps({'version': '2.1.0', 'runs': [run]}))\n"
    )
    hidden = gate(tmp_path, body, renamed=True, masks=["ignore"])
    verdict = await hidden.answer(reading({".tox/[x].py": "fine\nbad  # IGNORE\n"}))

    assert refused(verdict) == [("tool.x1", "major", ".tox/[x].py:2")]
    assert verdict.findings[0].evidence == "bad  # IGNORE"  # type: ignore[union-attr]
    assert verdict.findings[0].message == "see .tox/[x].py [X1]"  # type: ignore[union-attr]


async def test_settings_are_given_beside_the_files(tmp_path: Path) -> None:
    """The tool's own configuration is ours, not the artifact's."""
    command = [*tool(tmp_path, "say(open(sys.argv[1] + '/a.json').read())\n")[:2], "{settings}"]
    configured = gate(tmp_path, "", command=command, settings={"a.json": sarif()})

    assert await configured.answer(reading(PYTHON)) == Approved(looked=2)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f"open(sys.argv[1], 'w').write({sarif()!r})\nsay('progress')\n", ""),
        ("pass\n", "wrote no answer to r.sarif"),
        ("os.symlink('/etc/passwd', sys.argv[1])\n", "wrote no answer to r.sarif"),
        ("os.mkfifo(sys.argv[1])\n", "no plain file"),
        ("os.mkdir(sys.argv[1])\n", "no plain file|wrote no answer"),
        ("open(sys.argv[1], 'w').write('x' * 2001)\n", "larger than 2000 bytes"),
    ],
    ids=["ok", "none", "link", "fifo", "folder", "huge"],
)
async def test_an_answer_may_stand_in_a_file(tmp_path: Path, body: str, reason: str) -> None:
    """Outside of the files that are judged, so that no artifact can bring it along; links are not followed."""
    command = [*tool(tmp_path, body)[:2], "{output}", "{files}"]
    verdict = await gate(tmp_path, "", command=command, output="r.sarif", output_bytes_max=2_000).answer(
        reading({"r.sarif.py": "1", "a.py": "1"})
    )

    assert verdict == Approved(looked=2) if not reason else re.search(reason, why(verdict))


async def test_whatever_it_writes_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what it locked, and what it links to stays as it is; the artifact's own bytes are never touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    outside.chmod(0o755)
    body = (
        "open(files[0], 'w').write('changed')\n"
        "os.makedirs('deep/er')\nos.chmod('deep/er', 0)\nos.chmod('deep', 0)\n"
        f"os.symlink({str(outside)!r}, 'link')\n"
        "open(os.path.expanduser('~/.cache'), 'w').close()\n"
        f"say({sarif(result(level='error'))!r})\n"
    )
    work = reading(PYTHON)
    with nothing_left_behind(monkeypatch, tmp_path):
        verdict = await gate(tmp_path, body).answer(work)

    assert verdict.findings[0].evidence == "one = 1"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o755


async def test_two_names_that_the_file_system_takes_for_one_are_not_two_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them would be judged twice, the other never."""
    made = says(tmp_path, sarif())
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *args, **named: real(self.with_name(self.name.lower()), *args, **named)
    )

    assert "a.py cannot be written for the tool to read" in why(await made.answer(reading({"A.py": "1", "a.py": "2"})))
