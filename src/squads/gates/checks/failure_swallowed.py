"""`failure.swallowed`: where something failed, nobody reports that it went well.

Why it matters: the mail server is away, the handler logs a line, and the order says "confirmed". The caller believes
what it is told: no retry, no alarm, no second look, and whoever finds out does so weeks later, from the customer.

Refused:

    def capture(order):
        try:
            gateway.charge(order.card, order.cents)
        except Exception:
            logger.exception("charge failed")
        order.state = "paid"
        return True

Approved:

    def capture(order):
        try:
            gateway.charge(order.card, order.cents)
        except GatewayError as error:
            raise NotPaid(order.id) from error
        order.state = "paid"
        return True

What is weighed, and how heavily:

- A handler that returns success (`True`, 200, "sent", the very value that the good way returns), or after which the
  function says so: it returns it, marks something as done, commits, writes a receipt: major. It does not matter that
  a line is logged, nor what a comment says.
- A check that answers "yes" when it could not look, and one named for bad news (`is_revoked`) that answers "no":
  major.
- Everything caught around something that writes, sends, pays or verifies, and nothing said at all: major; `suppress`
  and a `return` in `finally` are no different. A number that looks like a result, out of a handler for everything:
  major.
- A counter of what was done that counts on after a failure, a report whose place for failures nobody fills, a good
  answer that was assumed before the `try`, a caller who drops the `False` that a handler answers: major.
- An `__exit__` that answers yes to errors that nobody raises to leave, and a context manager made of a generator that
  ends what its block raised, where leaving well writes something: major.
- An outcome that says "failed" instead of raising, and that nothing depends on before success is said, here or by the
  callers: a command's return code, the status of an HTTP request that writes, exceptions that `gather` returns,
  futures, processes, batches that may be refused in part, calls that were told not to raise, what the artifact's own
  functions answer (`False`, `None`, an error, a list of what failed), what a decorator swallows: major. A log line,
  a counter that nobody reads and a test that only logs are no look.
- Functions are played, with the attempt that goes well and with the one that fails each time, also round by round: a
  handler that tells only on one way (`if error.response is None`), a status of which only some kinds are asked
  (`>= 500`), a last round that never comes, a result that says `True` beside what is missing: major.
- What was to be copied or sent away is removed although that failed; a pipe whose last part never fails; an exit code
  that a script drops; failures that count only where nothing at all went well: major.
- A list of failures that is kept for nobody, and a handler that goes past the list that its function answers: major.
- A `finally` that sets a state to success, tries that end in nothing, a command that ends with exit code 0: major.
- A raise, also of another error; a failure that is returned; what is kept and told afterwards; another way to do the
  same work; what is to be expected (a missing key, a file that is not there, an optional import): nothing is said.
  Neither are metrics, caches, clean-up, messages that go beside other work, and functions that say in their name
  that they may fail.
- A loop that logs what failed and goes on to the next, and claims nothing afterwards: nothing is said.
- Tests: not read.

Where it comes from: CWE-390, CWE-391 and CWE-636; PEP 20: errors should never pass silently.
"""

from __future__ import annotations

import ast
import re

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import CannotLook, check
from squads.gates.failures.handlers import Handlers, Swallowed
from squads.gates.failures.results import Results
from squads.gates.failures.sources import interesting
from squads.gates.python import PYTHON_FILES, Program, read_program

INVARIANT = Invariant(
    id="failure.swallowed",
    statement="Where something failed, the code does not report success.",
    why="Who is told that it went well neither tries again nor looks; the loss is found weeks later, by somebody else.",
    severity=Severity.MAJOR,
    cwe=390,
    refused=(
        "def capture(order, gateway, logger):\n    try:\n        gateway.charge(order.card, order.cents)\n"
        '    except Exception:\n        logger.exception("charge failed")\n    order.state = "paid"\n    return True\n'
    ),
    approved=(
        "def capture(order, gateway, logger):\n    try:\n        gateway.charge(order.card, order.cents)\n"
        "    except ConnectionError as error:\n        raise RuntimeError(order.id) from error\n"
        '    order.state = "paid"\n    return True\n'
    ),
    origin="CWE-390, CWE-391 and CWE-636; PEP 20.",
)
_TESTS = re.compile(r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$")
_TEXT_MAX = 4_000


def holds_handlers(file: File) -> bool:
    """Return whether failures may end in a file."""
    return b"except" in file.content or interesting(file.content)


@check(INVARIANT, files=PYTHON_FILES, holds=holds_handlers)
def failure_swallowed(artifact: Artifact) -> list[Finding]:
    """Return the places where a failure ends and success is reported."""
    program = read_program(artifact)
    with program.lock:
        try:
            return _findings(program)
        except RecursionError as error:
            raise CannotLook("the Python is nested too deeply to be read; flatten its expressions") from error


def _findings(program: Program) -> list[Finding]:
    handlers, results = Handlers(program), Results(program)
    found: dict[tuple[str, int], Finding] = {}
    for module in results.modules():
        if _TESTS.search(module.path):
            continue
        for one in (*handlers.found(module), *results.found(module)):
            for finding in (_finding(program, one), *_said(program, one)):
                place = finding.location
                assert place is not None
                found.setdefault((place.path, place.line or 0), finding)
    return list(found.values())


def _said(program: Program, one: Swallowed) -> list[Finding]:
    """Return a finding where success is said, if that is far from where the failure ends."""
    if one.also is None or isinstance(one.also, ast.Module):
        return []
    here, there = program.place(one.node), program.place(one.also)
    if here.path == there.path and here.line - 3 <= there.line <= here.end_line + 3:
        return []
    if _TESTS.search(there.path):
        return []
    return [_finding(program, Swallowed(one.also, "success is said here, whatever failed before", light=one.light))]


def _finding(program: Program, one: Swallowed) -> Finding:
    place = program.place(one.node)
    last = program.place(one.also).line if one.also is not None else place.end_line
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MINOR if one.light else Severity.MAJOR,
        message=f"A failure ends here: {one.what}."[:_TEXT_MAX],
        location=Location(
            path=place.path,
            line=place.line,
            column=place.column,
            end_line=max(place.end_line, min(last, place.line + 12)),
        ),
        evidence=place.text[:_TEXT_MAX],
        satisfy="Let it out, raise an error that says what was not done, or return a failure that is looked at.",
    )
