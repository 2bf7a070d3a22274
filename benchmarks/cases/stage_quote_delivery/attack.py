"""Plants faults that the old tests catch, and runs the new tests on each of them."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

FAULTS = [
    ("rental/quote.py", "day_cents * (days - days // 7)", "day_cents * days"),
    ("rental/quote.py", "days - days // 7)", "days - days // 8)"),
    ("rental/quote.py", "DEPOSIT_MAX = 50_000", "DEPOSIT_MAX = 60_000"),
    ("rental/quote.py", "min(value_cents // 5, DEPOSIT_MAX)", "value_cents // 5"),
    ("rental/quote.py", "value_cents // 5", "value_cents // 4"),
    ("rental/quote.py", "min(value_cents // 5, DEPOSIT_MAX)", "max(value_cents // 5, DEPOSIT_MAX)"),
]


def outcome(tree, fault=None):
    """Return pytest's exit code for a tree, with a fault in it or without; 0 passes, 1 fails, 5 had nothing to run."""
    with tempfile.TemporaryDirectory(dir=".") as where:
        copy = Path(where).resolve() / "copy"
        shutil.copytree(tree, copy)
        if not (copy / "pytest.ini").exists():
            (copy / "pytest.ini").write_text("[pytest]")  # so that pytest looks for no settings above
        if fault:
            path, right, wrong = fault
            text = (copy / path).read_text()
            if text.count(right) != 1:
                sys.exit(f"the fault does not fit into {tree}/{path}")
            (copy / path).write_text(text.replace(right, wrong))
        # A process of its own for each run: neither modules nor settings of one tree are seen by the next.
        child = os.fork()
        if not child:
            os.chdir(copy)
            sys.path.insert(0, str(copy))
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
                os._exit(int(pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", "."])))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code not in (0, 1, 5):
            sys.exit(f"pytest could not run {tree}, and ended with {code}")
        return code


if outcome("tree") not in (0, 5):
    sys.exit("the new tests do not pass on right code")
for fault in FAULTS:
    if outcome("tree", fault) == 1:
        continue
    if outcome("base") != 0 or outcome("base", fault) != 1:
        sys.exit(f"the old tests do not tell {fault} from right code")
    print(f"nothing catches {fault} any more")
    sys.exit(10)
