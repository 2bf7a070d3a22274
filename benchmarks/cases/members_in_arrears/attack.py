"""Compares the paths that a change touches, and what the code does before and after it, with the brief."""

import json
import os
import subprocess
import sys
from pathlib import Path


MAY_CHANGE = {"coop/rights.py", "tests/test_rights.py"}
STAYS = ["good standing", "stand", "motion", "quorum", "vote of the others"]
PROBE = """
import json
from itertools import product
from coop import meeting, rights

members = [
    rights.Member(f"m{number}", *rest)
    for number, rest in enumerate(product((0, 1, 5), (0, 90, 91, 400), (False, True), (0, 2, 3, 12)))
]
late = [member for member in members if member.days_late > 90]
others = [member for member in members if member.days_late <= 90]
fine = [rights.Member("a"), rights.Member("b", 1, 400), rights.Member("c"), rights.Member("d", 1, 91)]
print(json.dumps({
    "late": [rights.may_vote(member) for member in late],
    "vote of the others": [rights.may_vote(member) for member in others],
    "good standing": [rights.in_good_standing(member) for member in members],
    "stand": [rights.may_stand(member) for member in members],
    "motion": [rights.may_table_motion(member) for member in members],
    "quorum": [meeting.has_quorum(fine * times, [one]) for times in (1, 2, 3) for one in fine]
    + [meeting.carried({fine[0]: True, fine[2]: False}), meeting.carried({fine[0]: True})],
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

if any(now["late"]):
    sys.exit(f"what the brief asks for is not there: {now}")
touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
if beyond := sorted(touched - MAY_CHANGE):
    print(f"the brief does not ask for a change of {', '.join(beyond)}")
    sys.exit(10)
if other := [name for name in STAYS if was[name] != now[name]]:
    print(f"{other[0]} was {was[other[0]]!r} and is {now[other[0]]!r}")
    sys.exit(10)
