"""Runs inside the sandbox, as a script: own tests and attacks of a family's variants, each in a process of its own.

It imports once what all of them need and forks from there, which makes a family as quick as a case. Its arguments are
the seconds that each part may take, the modules to import ahead, and after `--` the folders; what came of each stands
in `said.json` when it ends. A folder without `tests/` has no tests to pass, one without `attack.py` no attack.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

SAID = "said.json"
CHARACTERS_MAX = 2_000


def main() -> int:
    """Run every folder's tests and attack, one after the other; return 0."""
    seconds, *rest = sys.argv[1:]
    cut = rest.index("--")
    for name in rest[:cut]:
        with suppress(ImportError):  # who needs it will say so
            import_module(name)
    if "pytest" in sys.modules:  # its own plugins are imported with its first configuration, not with its name
        with suppress(ImportError):
            import_module("_pytest.config").get_plugin_manager()
            import_module("pdb")
    gc.freeze()  # a fork that collects would copy what all of them share
    found = []
    for folder in rest[cut + 1 :]:
        said = {}
        for part, there in (("tests", "tests"), ("attack", "attack.py")):
            if Path(folder, there).exists():
                code, text = apart(part, folder, int(seconds))
                said[part] = {"code": code, "text": text[-CHARACTERS_MAX:]}
        found.append(said)
    Path(SAID).write_text(json.dumps(found), "utf-8")
    return 0


def apart(part: str, folder: str, seconds: int) -> tuple[int, str]:
    """Return the exit code of one part, negative for a signal, and what it printed."""
    output = Path(f"{folder}.{part}").absolute()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            code = _alone(part, folder, seconds, output)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), output.read_text("utf-8", "replace") if output.exists() else ""


def _alone(part: str, folder: str, seconds: int, output: Path) -> int:
    os.chdir(folder)
    opened = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    signal.alarm(seconds)  # nobody catches it: it ends the process
    try:
        if part == "tests":
            import pytest

            return int(pytest.main(["-q", "-p", "no:cacheprovider", "--tb=short", "tests"]))
        sys.argv = ["attack.py"]
        runpy.run_path("attack.py", run_name="__main__")
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return code & 0xFF


if __name__ == "__main__":
    sys.exit(main())
