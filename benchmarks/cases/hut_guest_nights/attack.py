"""Compares the paths that a change touches, and what the code does before and after it, with the brief."""

import json
import os
import subprocess
import sys
from pathlib import Path

MAY_CHANGE = {"hut/stay.py", "tests/test_stay.py"}
ASKED = [2, 1, 366]
PROBE = """
import json
from datetime import date
from hut.stay import Guest, bill, night_price, nights

FROM, TO = date(2025, 7, 3), date(2025, 7, 6)
guests = [Guest(f"{age} {member}", age, member) for age in (2, 6, 7, 14, 15, 16, 17, 18, 40, 70) for member in (False, True)]
stays = {f"a night of {g.name}": night_price(g) for g in guests} | {f"the bill of {g.name}": bill([g], FROM, TO) for g in guests}
stays["the bill of all"] = bill(guests, FROM, TO)
stays["the bill of none"] = bill([], FROM, TO)
stays["a day without a night"] = bill(guests, FROM, FROM)
print(json.dumps({
    "asked": [
        nights(date(2025, 7, 31), date(2025, 8, 2)),
        nights(date(2025, 12, 31), date(2026, 1, 1)),
        nights(date(2024, 1, 1), date(2025, 1, 1)),
    ],
    "stays": stays,
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
