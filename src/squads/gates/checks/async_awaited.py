"""`async.awaited`: whatever makes a coroutine, somebody awaits it.

Why it matters: calling an `async def` runs nothing. Without `await` the mail is not sent, the row is not saved and
the permission is not checked, while the code goes on as if all of that had been done; a coroutine is also always
true. All that is left is a warning on standard error, if the interpreter still gets to print it.

Refused:

    async def approve(order):
        order.state = "approved"
        save(order)                      # `async def save`

Approved:

    async def approve(order):
        order.state = "approved"
        await save(order)

What is weighed, and how heavily:

- A coroutine that is dropped, bound to a name that nobody reads, only compared, printed, tested or asked for an
  attribute of its result, put into a list or private attribute that nobody awaits, or returned to somebody who drops
  it: major. Functions and methods of the artifact are followed through imports, classes, inheritance, parameters,
  handlers and plain functions that return what a coroutine function made, tables of handlers, `getattr`, `super()`,
  decorators and annotations such as `Callable[..., Awaitable]` or of what a box holds (`dict[str, asyncio.Queue]`);
  of libraries, the coroutines that are known are, and so are methods of an unknown client of which others are
  awaited.
- A coroutine function that is handed to somebody who calls it and drops what it returns (`call_later`, `Thread`,
  `add_done_callback`, `@click.command`), and a coroutine that is handed to somebody who wants the function: major. So
  are `with` and `for` over what needs `async with` and `async for`.
- A task whose reference nobody keeps may be collected before it is done: major where what it runs writes, sends or
  pays, otherwise minor. Tasks of a task group are kept by it.
- What is handed to an unknown function, stored where others may read it, or returned to an unknown caller may be
  awaited there: nothing is said. So it is where a decorator may change what a call returns.
- Tests: a note. They make coroutines that they do not await on purpose.

Where it comes from: Python's documentation, Coroutines and Tasks; asyncio, Developing with asyncio.
"""

from __future__ import annotations

import ast
import re

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import CannotLook, check
from squads.gates.coroutines.calls import Makers
from squads.gates.coroutines.entered import Entered
from squads.gates.coroutines.fate import Fates, Lost
from squads.gates.python import PYTHON_FILES, Function, Module, Program, read_program

INVARIANT = Invariant(
    id="async.awaited",
    statement="Every coroutine that is made is awaited, or handed to somebody who awaits it.",
    why="Calling an `async def` runs nothing: its work is not done, and the code goes on as if it had been.",
    severity=Severity.MAJOR,
    cwe=252,
    refused=(
        "async def save(order):\n    await order.store.write(order)\n\n\n"
        'async def approve(order):\n    order.state = "approved"\n    save(order)\n'
    ),
    approved=(
        "async def save(order):\n    await order.store.write(order)\n\n\n"
        'async def approve(order):\n    order.state = "approved"\n    await save(order)\n'
    ),
    origin="Python's documentation, Coroutines and Tasks; asyncio, Developing with asyncio.",
)
_INTEREST = re.compile(rb"\basync\b|\bawait\b|asyncio|anyio")
_TESTS = re.compile(r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$")
_EFFECTS = re.compile(
    r"(?i)save|send|write|commit|insert|update|delete|publish|charge|pay|post|store|record|notify|mail|audit|ship|refund"
    r"|enqueue|persist|deliver|transfer|settle|revoke|grant|create|dispatch|handle|process|run|work"
)
_MEASURES = re.compile(r"(?i)metric|heartbeat|telemetry|ping|warm|prefetch|stat|trace|refresh|watch|tick|progress|log")
_TEXT_MAX = 4_000


def holds_async(file: File) -> bool:
    """Return whether a file may make or use coroutines."""
    return bool(_INTEREST.search(file.content))


@check(INVARIANT, files=PYTHON_FILES, holds=holds_async)
def async_awaited(artifact: Artifact) -> list[Finding]:
    """Return the coroutines that nobody awaits."""
    program = read_program(artifact)
    with program.lock:
        try:
            return _Look(program).findings()
        except RecursionError as error:
            raise CannotLook("the Python is nested too deeply to be read; flatten its expressions") from error


class _Look:
    """One look at one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._makers = Makers(program)
        self._fates = Fates(program, self._makers)
        self._entered = Entered(program, self._makers)

    def findings(self) -> list[Finding]:
        """Return the findings of every file that may make coroutines, and of those that may call into them."""
        texts = self._program.files.texts()
        if not any(_INTEREST.search(content) for _, content in texts):
            return []
        modules = [self._program.files.module(path) for path, content in texts if _INTEREST.search(content)]
        words = {
            f.name.encode() for m in modules for f in m.functions.values() if isinstance(f.node, ast.AsyncFunctionDef)
        }
        pattern = re.compile(rb"\b(?:" + b"|".join(map(re.escape, sorted(words))) + rb")\b") if words else None
        if pattern is not None:
            modules += [
                self._program.files.module(path)
                for path, content in texts
                if not _INTEREST.search(content) and pattern.search(content)
            ]
        found: dict[tuple[str, int], Finding] = {}
        for module in modules:
            for finding in self._of_module(module):
                assert finding.location is not None
                found.setdefault((finding.location.path, finding.location.line or 0), finding)
        return list(found.values())

    def _of_module(self, module: Module) -> list[Finding]:
        found = []
        for call in module.calls:
            mapped = self._mapped(call)
            kind, name = ("coroutine", mapped) if mapped else self._makers.made(call)
            if kind is None:
                continue
            lost = self._fates.lost(call, task=kind == "task", inner=bool(mapped))
            if lost is None or (kind == "generator" and not lost.how.startswith(("dropped", "bound"))):
                continue
            if kind == "task":
                found.append(self._task(call, lost))
            else:
                found.append(self._finding(call, f"The coroutine of {name}() is {lost.how}.", Severity.MAJOR))
                found += [
                    self._finding(value, f"Who calls this drops the coroutine of {name}().", Severity.MAJOR)
                    for value in self._makers.handed_at.get(call, [])[:4]
                ]
                if lost.node is not call and self._far(call, lost.node):
                    found.append(self._finding(lost.node, f"The coroutine of {name}() is {lost.how}.", Severity.MAJOR))
        for name, reads in module.attributes.items():
            for read in reads:
                said = self._property(name, read)
                if said is not None:
                    found.append(said)
        for one in self._entered.found(module):
            text = (
                " ".join(ast.unparse(one.node).split())[:60] if isinstance(one.node, ast.expr) else "A special method"
            )
            found.append(self._finding(one.node, f"{text} is {one.how}.", Severity.MAJOR))
        return found

    def _mapped(self, call: ast.Call) -> str:
        """Return the coroutine function that a `map` calls for each element; empty where it is none."""
        if len(call.args) < 2 or "map" not in self._program.names.names(call.func):
            return ""
        function = self._makers.named(call.args[0])
        return function.name if function else ""

    def _far(self, one: ast.AST, other: ast.AST) -> bool:
        return abs(getattr(one, "lineno", 0) - getattr(other, "lineno", 0)) > 1 or (
            self._program.place(one).path != self._program.place(other).path
        )

    def _property(self, name: str, read: ast.Attribute) -> Finding | None:
        """Return a finding where reading a property made a coroutine that is lost."""
        functions = [t for t in self._program.names.things(read) if isinstance(t, Function)]
        if not functions or not all(
            self._makers.is_property(f) and isinstance(f.node, ast.AsyncFunctionDef) for f in functions
        ):
            return None
        lost = self._fates.lost(read)
        if lost is None:
            return None
        return self._finding(read, f"The coroutine of the property {name} is {lost.how}.", Severity.MAJOR)

    def _task(self, call: ast.Call, lost: Lost) -> Finding:
        inner = call.args[0] if call.args else None
        name = ast.unparse(inner.func if isinstance(inner, ast.Call) else inner) if inner is not None else ""
        bodies = self._makers.functions(inner) if isinstance(inner, ast.Call) else []
        last = name.rsplit(".", 1)[-1]
        matters = not _MEASURES.search(last) and (
            bool(_EFFECTS.search(last)) or any(_EFFECTS.search(ast.unparse(f.node)) for f in bodies)
        )
        dropped = lost.how.startswith("dropped")
        return self._finding(
            call,
            f"The task of {name or 'a coroutine'} is {lost.how}; the event loop keeps no reference to it, "
            "so it may be collected before it is done.",
            Severity.MAJOR if matters and dropped else Severity.MINOR,
            satisfy="Keep it until it is done: in a set with `add_done_callback(set.discard)`, or in a TaskGroup.",
        )

    def _finding(
        self, node: ast.AST, message: str, severity: Severity, *, satisfy: str = "Write `await` before it."
    ) -> Finding:
        place = self._program.place(node)
        if _TESTS.search(place.path):
            severity = Severity.NOTE
            message += " A test may do so on purpose."
        end = place.end_line if not isinstance(node, ast.AsyncFunctionDef) else place.line
        return Finding(
            invariant=INVARIANT.id,
            severity=severity,
            message=message[:_TEXT_MAX],
            location=Location(path=place.path, line=place.line, column=place.column, end_line=end),
            evidence=place.text[:_TEXT_MAX],
            satisfy=satisfy,
        )
