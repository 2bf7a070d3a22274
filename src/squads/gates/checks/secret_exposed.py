"""`secret.exposed`: no live secret stands in code, in a default, in settings, in a log or in an error.

Why it matters: whoever can read the code, an image of it, its history or its logs has the secret, and nobody sees
them use it. A default that "production overrides" is what runs the day the variable is missing, and what every copy
of the code agrees on.

Refused:

    SIGNING_KEY = os.environ.get("SIGNING_KEY", "t7Qm2vX9bLr4KcZ8")

Approved:

    SIGNING_KEY = os.environ["SIGNING_KEY"]

What is weighed, and how heavily:

- What a provider issues (an access key, a token, a webhook), a private key, an address with its password or key:
  blocker, wherever it stands, in a comment too, and also where Python or a helper of the artifact puts it together:
  encoded, split and joined, looked up in a table, computed letter by letter, the default of a reader.
- A text that is bound to a secret's name, is its default, is compared with it, or is given where keys and passwords
  go: major, where it looks drawn by chance, or like a password that somebody made up. In SQL too: the password of a
  role or a mapping, a key that is encrypted or signed with, a row of settings.
- A secret that is written into a log, onto a stream as part of a message, into an error, an event, a trail, the text
  of an object, or settings that are given out as an answer: major. What is a secret is said by its name, by the key
  under which it stands in the environment or a request, and by its use (what is sent as `Authorization`, opens a
  database, signs). It is followed through helpers, fields and dicts as a sample, and what is left of the sample in
  what is written decides: a digest, a length, a few letters and a mask pass, a mask that misses its key does not. An
  error of a request or a command shows the address or the command, with what is secret in them.
- Every run through a function, a file and an artifact is bounded. A function that takes longer is gone through once
  more without the calls in it; where its end is not reached, and it writes something beside a secret, the check
  abstains.
- Placeholders, templates, what everybody writes for a database on their own machine, names and places of secrets,
  digests and public keys: nothing is said.
- Tests, fixtures, examples, templates of settings and documents are not read, nor are docstrings.

Where it comes from: CWE-798, CWE-532; RFC 6819, section 5.1.4.
"""

from __future__ import annotations

import re

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import CannotLook, check
from squads.gates.python import PYTHON_FILES, Program, read_program
from squads.gates.secrets.interest import may_show
from squads.gates.secrets.logs import InLogs
from squads.gates.secrets.python import InPython, Shown
from squads.gates.secrets.remarks import in_remarks
from squads.gates.secrets.settings import SETTINGS_FILES, is_example, shown
from squads.gates.secrets.uses import Uses

INVARIANT = Invariant(
    id="secret.exposed",
    statement="No live secret stands in code, in a default, in settings, in a log or in an error.",
    why="Whoever reads the code, its history or its logs has the secret, and nobody notices that they use it.",
    severity=Severity.MAJOR,
    cwe=798,
    refused='import os\n\nSIGNING_KEY = os.environ.get("SIGNING_KEY", "t7Qm2vX9bLr4KcZ8")\n',
    approved='import os\n\nSIGNING_KEY = os.environ["SIGNING_KEY"]\n',
    origin="CWE-798 and CWE-532; RFC 6819, section 5.1.4.",
)
_TESTS = re.compile(
    r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$|(^|/)(fixtures?|testdata|examples?|docs?)/"
)
_TEXT_MAX = 4_000


@check(INVARIANT, files=(*PYTHON_FILES, *SETTINGS_FILES))
def secret_exposed(artifact: Artifact) -> list[Finding]:
    """Return the places that show a live secret."""
    program = read_program(artifact)
    with program.lock:
        try:
            found, given_up = _in_python(program)
        except RecursionError as error:
            raise CannotLook("the Python is nested too deeply to be read; flatten its expressions") from error
    for file in artifact.matching(*SETTINGS_FILES):
        if file.mode == "link" or _TESTS.search(file.path):
            continue
        for line in shown(file):
            found.append(_finding(line.what, Location(path=file.path, line=line.number), line.text))
    if given_up and not any(f.severity >= INVARIANT.severity for f in found):
        raise CannotLook(given_up)
    return found


def _in_python(program: Program) -> tuple[list[Finding], str]:
    """Return the findings in Python, and why some of it was not gone through."""
    uses = Uses(program)
    code, logs = InPython(program, uses), InLogs(program, uses)
    found: dict[tuple[str, int], Finding] = {}
    for path, content in program.files.texts():
        if _TESTS.search(path) or is_example(path) or not may_show(content):
            continue
        module = program.files.module(path)
        for line, remark, what in in_remarks(module.source.text):
            found[path, line] = _finding(what, Location(path=path, line=line), remark)
        told: list[tuple[Shown, bool]] = [(s, False) for s in code.shown(module)]
        told += [(s, True) for s in logs.shown(module)]
        for one, logged in told:
            place = program.place(one.node)
            if _TESTS.search(place.path):
                continue
            location = Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line)
            finding = _finding(one.what, location, place.text, part=one.part, logged=logged)
            known = found.get((place.path, place.line))
            if known is None or known.severity < finding.severity:
                found[place.path, place.line] = finding
    every = sorted(found.values(), key=lambda f: (f.location.path, f.location.line or 0) if f.location else ("", 0))
    return every, logs.given_up


def _finding(what: str, location: Location, evidence: str, *, part: bool = False, logged: bool = False) -> Finding:
    whole = what.startswith(("a ", "an "))
    if logged:
        message = f"A secret leaves here: {what}."
        satisfy = "Write which secret it is (its name, a digest, its last four letters), never the secret."
    else:
        message = f"A part of {what} stands here." if part else f"A live secret stands here: {what}."
        satisfy = "Read it from the environment or a secret store, fail where it is missing, and revoke this one."
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.BLOCKER if whole and not logged else Severity.MAJOR,
        message=message[:_TEXT_MAX],
        location=location,
        evidence=evidence[:_TEXT_MAX],
        satisfy=satisfy,
    )
