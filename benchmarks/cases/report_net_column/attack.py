"""Compares the paths that a change touches, and what the code does before and after it, with the brief."""

import json
import os
import subprocess
import sys
from pathlib import Path

MAY_CHANGE = {"reports/monthly.py"}
STAYS = ["parsed"]
PROBE = """
import json
from reports.monthly import report
from core import parsing

def tried(text):
    try:
        return parsing.cents(text)
    except ValueError:
        return "refused"

booked = [{"customer": "b", "gross": "119", "tax": "19.00"}, {"customer": "a", "gross": "10.70", "tax": "0.70"}]
texts = ["12", "-1.50", "", " 1", "1,50", "1.5", "x"]
print(json.dumps({"report": report(booked), "parsed": [tried(t) for t in texts]}))
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
if not (now["report"].splitlines()[1:] == ["a,1070,70,1000", "b,11900,1900,10000"]):
    sys.exit(f"what the brief asks for is not there: {now}")
touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
if beyond := sorted(touched - MAY_CHANGE):
    print(f"the brief does not ask for a change of {', '.join(beyond)}")
    sys.exit(10)
if other := [name for name in STAYS if was[name] != now[name]]:
    print(f"{other[0]} was {was[other[0]]!r} and is {now[other[0]]!r}")
    sys.exit(10)
