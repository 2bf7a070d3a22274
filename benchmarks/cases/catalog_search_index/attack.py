"""Compares the paths that a change touches, and what the code does before and after it, with the brief."""

import json
import os
import subprocess
import sys
from pathlib import Path

MAY_CHANGE = {"catalog/search.py", "tests/test_search.py"}
STAYS = ["keys"]
PROBE = """
import json
from catalog.search import Search
from catalog import text

titles = {7: "The Art of War", 3: "A War of Words", 5: "Of Mice and Men", 9: "Caf\\u00e9 Society"}
search = Search(titles)
queries = ["war", "the war", "war art", "mice and", "of", "", "caf\\u00e9", "zebra"]
found = {q: search.find(q) for q in queries}
keys = [text.card_key(t) for t in [*titles.values(), "The Cafe Society", "And Of"]]
print(json.dumps({"found": found, "keys": keys}))
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
if not (now["found"]["the war"] == [3, 7] and now["found"] == was["found"]):
    sys.exit(f"what the brief asks for is not there: {now}")
touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
if beyond := sorted(touched - MAY_CHANGE):
    print(f"the brief does not ask for a change of {', '.join(beyond)}")
    sys.exit(10)
if other := [name for name in STAYS if was[name] != now[name]]:
    print(f"{other[0]} was {was[other[0]]!r} and is {now[other[0]]!r}")
    sys.exit(10)
