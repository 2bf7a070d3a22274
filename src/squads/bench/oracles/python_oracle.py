"""The Python oracle: the family's `attack.py` against its variants, in the sandbox, and the code's own tests.

Each variant has a folder with `artifact/` (its files), `base/`, `tree/` (what stands after the change: base with the
variant's files over it and its removals gone) and `tests/`. The code's own tests pass on every variant: a defect that
they find is no case for a gate.
"""

from __future__ import annotations

import ast
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from squads.adapters.process_sandbox import ProcessSandbox
from squads.bench.case import Case
from squads.bench.oracles import batch
from squads.bench.oracles.page import DEFAULT_SECONDS_MAX, PythonOracle
from squads.bench.oracles.proof import SAID_CHARACTERS_MAX, Proof, unknown
from squads.contracts.errors import InvalidCase
from squads.kernel.model_ports import Sandbox

ATTACK = "attack.py"
HOLDS, BROKEN = 0, 10
"""What an attack exits with; everything else is unknown."""
SAID_BYTES_MAX = 32 * batch.CHARACTERS_MAX
"""More is never written of one case."""
_SHARED = frozenset(
    {"asyncio", "cryptography", "defusedxml", "jwt", "lxml", "networkx", "pydantic", "pytest", "signxml"}
)
"""What is imported once for all variants; a variant's own modules never are."""


async def prove_python(
    folder: Path, cases: Sequence[Case], oracle: PythonOracle | None, *, sandbox: Sandbox | None = None
) -> list[Proof]:
    """Return what `attack.py` says of each case, or, without an oracle, only whether the own tests pass (`holds`)."""
    used = ProcessSandbox() if sandbox is None else sandbox
    if oracle is not None and not (folder / ATTACK).is_file():
        raise InvalidCase(f"{folder.name} has a python oracle and no {ATTACK}; write one, or an oracle of kind sql")
    seconds = oracle.seconds_max if oracle else DEFAULT_SECONDS_MAX
    top = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="squads-oracle-"))
    try:
        shared = await asyncio.to_thread(_lay_out, top, folder, cases, oracle)
        places = [str(number) for number in range(len(cases))]
        ran = await used.run(
            [sys.executable, "-I", "-B", "batch.py", str(seconds), *shared, "--", *places],
            folder=str(top),
            seconds_max=10.0 + 2 * seconds * len(cases),
            environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        # Where the batch did not come to its end, what lies there may have been written by what it ran.
        found = _said(top / batch.SAID, len(cases)) if ran.exit_code == 0 and not ran.ended else None
        if found is None:
            said = ran.output.decode("utf-8", "replace")[-SAID_CHARACTERS_MAX:]
            return [unknown(f"the run ended with {ran.exit_code} {ran.ended}: {said}") for _ in cases]
        return [_proof(said) for said in found]
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, top, ignore_errors=True))


def _said(path: Path, count: int) -> list[Mapping[str, Any]] | None:
    """Return what the batch wrote of each case; None for what it never writes."""
    try:
        if path.is_symlink() or path.stat().st_size > (count + 1) * SAID_BYTES_MAX:
            return None
        found = json.loads(path.read_text("utf-8"))
        whole = len(found) == count and all(
            type(part["code"]) is int and type(part["text"]) is str for said in found for part in said.values()
        )
    except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return None
    return found if whole else None


def _proof(said: Mapping[str, Any]) -> Proof:
    tests, attack = said.get("tests"), said.get("attack")
    if tests and tests["code"] != 0:
        return unknown(f"its own tests do not pass ({tests['code']}): {tests['text'].strip()}")
    if not attack:
        return Proof(answer="holds", said="its own tests pass")
    text = attack["text"].strip()
    if attack["code"] == HOLDS:
        return Proof(answer="holds", said=text)
    if attack["code"] == BROKEN:
        return Proof(answer="broken", said=text)
    return unknown(f"{ATTACK} ended with {attack['code']}: {text}")


def _lay_out(top: Path, folder: Path, cases: Sequence[Case], oracle: PythonOracle | None) -> list[str]:
    """Write one folder for each case, and return the modules that all need."""
    shutil.copyfile(batch.__file__, top / "batch.py")
    for number, case in enumerate(cases):
        place = top / str(number)
        place.mkdir()
        (place / "pytest.ini").write_text("[pytest]\npythonpath = tree artifact\n", "utf-8")
        _write(place / "artifact", case.files)
        _write(place / "base", case.base)
        _write(place / "tree", {p: t for p, t in {**case.base, **case.files}.items() if p not in case.removals})
        if (folder / "tests").is_dir():
            shutil.copytree(folder / "tests", place / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        if oracle is not None:
            shutil.copyfile(folder / ATTACK, place / ATTACK)
    wanted = {"pytest"} if (folder / "tests").is_dir() else set()
    if oracle is not None:
        wanted |= _imported((folder / ATTACK).read_text("utf-8"))
    return sorted(wanted & _SHARED)


def _imported(text: str) -> set[str]:
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:  # its run says where
        return set()
    plain = {alias.name.partition(".")[0] for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    return plain | {(n.module or "").partition(".")[0] for n in nodes if isinstance(n, ast.ImportFrom)}


def _write(top: Path, files: Mapping[str, str]) -> None:
    top.mkdir()
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
