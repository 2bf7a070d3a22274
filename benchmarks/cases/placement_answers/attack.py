import json
import os
import subprocess
import sys
from pathlib import Path

MAY_CHANGE = {"placement/score.py", "tests/test_score.py"}
PROBE = """
import json
from placement.letter import letter
from placement.score import LEVELS, level_of, points

solutions = {1: "have been", 2: "went", 3: "to"}
print(json.dumps({
    "asked": points({1: "  HAVE been ", 2: "Went", 3: None}, solutions),
    "levels": [level_of(score) for score in range(-1, 61)],
    "table": LEVELS,
    "left out": [points({}, solutions), points({1: None}, solutions), points({1: None}, {1: "None"}), points({1: ""}, solutions)],
    "wrong": [points({1: "havebeen", 2: "wen"}, solutions), points({1: "have  been"}, solutions), points({9: "to"}, solutions)],
    "right": points(solutions, solutions),
    "letter": letter("Eva", 24),
}))
"""


def texts(top):
    files = (p for p in Path(top).rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(top).as_posix(): p.read_text() for p in files}


def asked(top):
    environment = os.environ | {"PYTHONPATH": str(Path(top).resolve())}
    done = subprocess.run([sys.executable, "-B", "-c", PROBE], cwd=top, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the probe failed in {top}: {done.stderr}")
    return json.loads(done.stdout)


was, now = asked("base"), asked("tree")
before, after = texts("base"), texts("tree")
if (was.pop("asked"), now.pop("asked")) != (0, 2):
    sys.exit("what the brief asks for is not there")
touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
if beyond := sorted(touched - MAY_CHANGE):
    print(f"the brief does not ask for a change of {', '.join(beyond)}")
    sys.exit(10)
for name in was:
    if was[name] != now[name]:
        print(f"{name}: was {was[name]!r} and is {now[name]!r}")
        sys.exit(10)
