"""Compares the paths that a change touches, and what the code does before and after it, with the brief."""

import json
import os
import subprocess
import sys
from pathlib import Path

MAY_CHANGE = {"CHANGELOG.md", "rehearsals/plan.py", "tests/test_plan.py"}
ASKED = ["10:00", "11:35", "12:40"]
PROBE = """
import inspect, json
from datetime import datetime
from rehearsals.ics import export
from rehearsals.plan import plan_day

TEN = datetime(2025, 3, 1, 10)

def begins(*works, **how):
    return [f"{slot.begins:%H:%M}" for slot in plan_day(TEN, [(f"W{n}", n) for n in works], **how)]

new = "pause_minutes" in inspect.signature(plan_day).parameters
print(json.dumps({
    "asked": begins(60, 30, 25, pause_minutes=35) if new else None,
    "stays": {
        "a plan": begins(60, 30, 45),
        "a plan of odd minutes": begins(62, 33, 17, 1),
        "an empty plan": begins(),
        "a work of no minutes": begins(10, 0, 10),
        "the export": export(plan_day(TEN, [("Eroica", 61), ("Tapiola", 7)]), "Hall"),
    },
}))
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
if now["asked"] != ASKED:
    sys.exit(f"what the brief asks for is not there: {now['asked']}")
touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
if beyond := sorted(touched - MAY_CHANGE):
    print(f"the brief does not ask for a change of {', '.join(beyond)}")
    sys.exit(10)
if other := [name for name in was["stays"] if was["stays"][name] != now["stays"].get(name)]:
    print(f"{other[0]} was {was['stays'][other[0]]!r} and is {now['stays'].get(other[0])!r}")
    sys.exit(10)
