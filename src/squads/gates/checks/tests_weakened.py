"""`tests.weakened`: a change leaves its tests demanding at least what they demanded before.

Why it matters: a fault that a test catches is mended by mending the code, or by asking less. The second is one word
long, all is green afterwards, and everything that relied on the demand goes on relying on it.

Refused:

    -    assert total(cart) == 1190
    +    assert total(cart) is not None

Approved:

    -    assert total(cart) == 1190
    +    assert total(cart) == 1190
    +    assert total(empty) == 0

What is weighed, and how heavily:

- A test that is gone, or that nothing collects any more (its name, its class, its file, `collect_ignore`, a setting
  of pytest), while what it tested still stands and the brief does not ask to take that away: major.
- A skip, an xfail or a condition that always holds, a demand that is gone, asks less (`==` to `in`, a wider
  tolerance, a wider exception, an alternative), may not be reached (a branch, an empty loop, a handler, a `return`
  before it), or compares the subject with itself; sets of parameters that are gone; the subject replaced by a mock:
  major.
- Demands are compared with their values: parameters, lists, constants, fixtures and locals are put in their places. A
  tolerance counts where it lets pass more than a ten-thousandth, or a whole step of whole numbers.
- Another expected value is what a change of behaviour looks like: nothing is said, unless the brief keeps the
  behaviour.
- Code under test that only computes, and that a test or a fixture of tests of the base replaces: major.
- What hands in an argument that the code takes no more goes with it. A hook that leaves tests out only where somebody
  asks for that, and folders that hold no test, pass.
- A demand counts as held where a new or different test asks for all of its values as strictly, in whatever words.
- A whole that is taken apart counts as held where all of its parts are asked for exactly, and so does a demand on the
  same calls that are given more. Where the code's number is another one, as the brief asks, demands at its edge may go
  along with it; demands next to each other with different answers may not move away from the edge.
- A test that no longer does what others of the change still do in another way before they ask: major.
- What was renamed, moved, merged into parameters or put into a helper with all its demands, and stronger demands:
  nothing is said. Skips that ask for a system, a version or a program pass.
- Where test files are removed and the base is not shown, that is refused. Where they may have been changed and the
  base is not shown, it abstains and says what to give. Files that stand alone change nothing, and are not looked at.

Where it comes from: CWE-1164; "Working Effectively with Legacy Code", on tests that preserve behaviour.
"""

from __future__ import annotations

import re

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.changes import collecting
from squads.gates.changes.gate import check_of_change
from squads.gates.changes.renames import renamed
from squads.gates.changes.suite import TEST_FILE, suite_of
from squads.gates.changes.suites import Weaker
from squads.gates.changes.weaker import Compared
from squads.gates.check import CannotLook, base_of

INVARIANT = Invariant(
    id="tests.weakened",
    statement="A change leaves its tests demanding at least what they demanded before.",
    why="A test that asks less lets the fault pass that it was written for, and everything stays green.",
    severity=Severity.MAJOR,
    cwe=1164,
    refused=(
        "tests/test_cart.py\n def test_total():\n"
        "-    assert total([500, 690]) == 1190\n+    assert total([500, 690]) is not None\n"
    ),
    approved=(
        "tests/test_cart.py\n def test_total():\n     assert total([500, 690]) == 1190\n+    assert total([]) == 0\n"
    ),
    origin='CWE-1164; "Working Effectively with Legacy Code".',
)
FILES = ("*/tests/*.py", "tests/*.py", "*/test/*.py", "test/*.py", "test_*.py", "*_test.py", "tests.py", "conftest.py",
         *collecting.SETTINGS)  # fmt: skip
_TEXT_MAX = 4_000
_FRESH_MAX = 20
_DEFINED = re.compile(r"(?m)^[ \t]*(?:async )?(?:def|class) (\w+)")
_WORD = re.compile(r"[A-Za-z_]\w*")


def holds_tests(file: File) -> bool:
    """Return whether a file is a test, or says which tests run."""
    if file.path.rsplit("/", 1)[-1] in collecting.SETTINGS:
        return b"pytest" in file.content or b"coverage" in file.content
    return bool(TEST_FILE.search(file.path))


@check_of_change(INVARIANT, files=FILES, holds=holds_tests)
def tests_weakened(work: ReviewWork) -> list[Finding]:
    """Return what a change takes from its tests."""
    artifact, base = work.artifact, base_of(work)
    assert artifact is not None
    if base is None:
        if artifact.base is None:
            return []
        removed = [p for p in artifact.removals if TEST_FILE.search(p)]
        if not removed:
            raise CannotLook(
                "the change touches tests, and what they were before is not shown; give the base's files as the "
                "input `base`"
            )
        return [_finding(Weaker(p, None, None, "a file of tests is gone")) for p in removed]
    try:
        return _compared(artifact, base, work.brief)
    except RecursionError as error:
        raise CannotLook("the tests are nested too deeply to be read; flatten their expressions") from error


def _compared(artifact: Artifact, base: Artifact, brief: str) -> list[Finding]:
    old = {f.path: f for f in base.files}
    new = {p: f for p, f in old.items() if p not in artifact.removals} | {f.path: f for f in artifact.files}
    touched = {f.path for f in artifact.files} | set(artifact.removals)
    renames = renamed(old, new, brief)
    gone = _gone(old, new, artifact) - set(renames)

    before = suite_of(old, collecting.patterns(old), renames)

    def compared(given: dict[str, File], known: Compared | None = None) -> Compared:
        read = known.new.trees if known is not None else None
        return Compared(before, suite_of(given, collecting.patterns(new), read=read), brief, gone, touched)

    # What came new is read only where something seems to be gone: a large change brings many files with none of it.
    fresh = {p for p in new if p not in old and TEST_FILE.search(p) and not p.endswith("conftest.py")}
    one = compared({p: f for p, f in new.items() if p not in fresh})
    weaker = list(one.found())
    if weaker and fresh:
        suspects = one.suspects
        words = {n for k in suspects for n in one.words_of(k)} | set(renames.values())
        held = {p for p in fresh if words & set(_WORD.findall(new[p].text))} if len(fresh) > _FRESH_MAX else fresh
        one = compared({p: f for p, f in new.items() if p not in fresh or p in held}, one)
        weaker = list(one.found(suspects))
    found = [*weaker, *collecting.found(old, new, (before, one.new))]
    missing = [p for p in artifact.removals if TEST_FILE.search(p) and p not in old and p.endswith(".py")]
    found += [Weaker(p, None, None, "a file of tests is gone") for p in missing]
    once: dict[tuple[str, int | None, str], Weaker] = {}
    for said in found:
        once.setdefault((said.path, said.line, said.what if said.line is None else ""), said)
    return [_finding(one) for one in once.values()]


def _gone(old: dict[str, File], new: dict[str, File], artifact: Artifact) -> set[str]:
    """Return the names of modules, functions and classes outside the tests that the change takes away."""
    gone: set[str] = set()
    for path, file in old.items():
        if not path.endswith(".py") or TEST_FILE.search(path):
            continue
        if path in artifact.removals:
            stem = path.removesuffix(".py").removesuffix("/__init__").rsplit("/", 1)[-1]
            gone |= {stem} | _defined(file)
        elif new[path].content != file.content:
            gone |= _defined(file) - _defined(new[path])
    there = {n for p, f in new.items() if p.endswith(".py") and not TEST_FILE.search(p) for n in _defined(f)}
    return gone - there


def _defined(file: File) -> set[str]:
    return set(_DEFINED.findall(file.text))


def _finding(one: Weaker) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MAJOR,
        message=f"The tests demand less: {one.what}."[:_TEXT_MAX],
        location=Location(path=one.path, line=one.line, end_line=one.end_line),
        evidence=one.text[:_TEXT_MAX],
        satisfy="Leave what the test demands, and mend the code; or say in the brief which demand goes, and why.",
    )
