"""Compares the paths that a change touches, and what the code does before and after it, with the brief."""

import json
import os
import subprocess
import sys
from pathlib import Path


MAY_CHANGE = {"lending/export.py", "tests/test_export.py", "CHANGELOG.md"}
STAYS = ["columns", "rows"]
PROBE = """
import json
from datetime import date
from lending.export import export
from lending.loans import Loan

loans = [
    Loan("c9", "Mel 7", "harbour", date(2025, 3, 3), dues_cents=205),
    Loan("c1", "Bro 1", "north", date(2024, 12, 24), renewals=1),
    Loan("c5", "Eli; 3", "harbour", date(2025, 1, 31), renewals=2, dues_cents=123456),
]
text = export(iter(loans))
lines = text.split(chr(10))
wide = lines[0].count(";") == 5
cut = [line.rpartition(";")[0] if wide and line else line for line in lines]
print(json.dumps({"columns": cut[0], "rows": cut[1:], "new": [line.rpartition(";")[2] for line in lines if wide]}))
"""


def texts(top):
    files = (p for p in Path(top).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(top).as_posix(): p.read_text() for p in files}


def asked(top):
    """Return what the probe prints in a tree."""
    environment = os.environ | {"PYTHONPATH": str(Path(top).resolve())}
    command = [sys.executable, "-B", "-c", PROBE]
    done = subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the probe failed in {top}: {done.stderr}")
    return json.loads(done.stdout)


before, after = texts("base"), texts("tree")
was, now = asked("base"), asked("tree")

if sorted(now["new"]) != ["", "0", "1", "2", "renewals"]:
    sys.exit(f"what the brief asks for is not there: {now}")
touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
if beyond := sorted(touched - MAY_CHANGE):
    print(f"the brief does not ask for a change of {', '.join(beyond)}")
    sys.exit(10)
if other := [name for name in STAYS if was[name] != now[name]]:
    print(f"{other[0]} was {was[other[0]]!r} and is {now[other[0]]!r}")
    sys.exit(10)
