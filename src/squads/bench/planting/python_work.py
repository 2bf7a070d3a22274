"""Operators that break what code does: awaiting, failing, counting money, and testing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from squads.bench.planting.mutation import Edit, Mutation, Operator, Span
from squads.bench.planting.python_text import PythonFile, python_files

if TYPE_CHECKING:
    import libcst as cst

Files = Mapping[str, str]


def unawaited(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each await."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes():
            if isinstance(node, cst.Await):
                start = file.spans[node].start
                word = file.text.index("await", start)
                inner = len(file.text) - len(file.text[word + len("await") :].lstrip())
                yield Mutation((Edit(Span(file.path, word, inner)),), (file.statement(node),))


def swallowed(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each raise in a handler, and each `return False` of an `__exit__`."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes():
            if isinstance(node, cst.Raise):
                handler = file.within(node, cst.ExceptHandler, cst.FunctionDef, cst.ClassDef)
                if isinstance(handler, cst.ExceptHandler):
                    for put in ("pass", "return None", "return True"):
                        yield Mutation((file.replaced(node, put),), (file.spans[handler],))
            if isinstance(node, cst.Return) and node.value is not None and file.source(node.value) == "False":
                function = file.within(node, cst.FunctionDef)
                if isinstance(function, cst.FunctionDef) and function.name.value in ("__exit__", "__aexit__"):
                    yield Mutation((file.replaced(node.value, "True"),), (file.statement(node),))


def float_money(files: Files) -> Iterator[Mutation]:
    """Yield a mutation that makes all decimals floats, and where several files have some, one for each file."""
    found = [one for file in python_files(files) if (one := _floats(file))]
    if found:
        yield Mutation(tuple(e for m in found for e in m.edits), tuple(s for m in found for s in m.about))
    yield from found if len(found) > 1 else ()


def _floats(file: PythonFile) -> Mutation | None:
    import libcst as cst

    edits: list[Edit] = []
    about: list[Span] = []
    rounded: list[Span] = []
    for node in file.nodes():
        if not isinstance(node, cst.Call):
            continue
        span = file.spans[node]
        if any(r.start <= span.start < r.end for r in rounded):
            continue  # it goes with the quantize that it was an argument of
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "quantize":
            dot = file.text.rindex(".", 0, file.spans[node.func.attr].start)  # brackets are no part of a node's span
            rest = Span(file.path, dot, span.end)
            edits += [Edit(Span(file.path, span.start, span.start), "round("), Edit(rest, ", 2)")]
            rounded.append(rest)
            about.append(file.statement(node))
        elif _name(file, node.func) == "Decimal":
            edits.append(Edit(file.spans[node.func], "float"))
            about.append(file.statement(node))
    return Mutation(tuple(edits), tuple(about)) if any(e.put == "float" for e in edits) else None


def assertion(files: Files) -> Iterator[Mutation]:
    """Yield for each assertion of a test one mutation that drops it and one that asks less."""
    import libcst as cst

    for file in python_files(files):
        if not _is_test(file.path):
            continue
        for node in file.nodes():
            around = file.within(node, cst.FunctionDef)
            about = (file.spans[around],) if around is not None else (file.statement(node),)
            if isinstance(node, cst.Assert):
                yield Mutation((file.replaced(node, "pass"),), about)
                test = node.test
                if isinstance(test, cst.Comparison) and re.search(r"==|<|>", file.source(test)):
                    asked = _computed(file, test)
                    yield Mutation((file.replaced(test, f"{asked} is not None"),), about)
            if isinstance(node, cst.Call) and _name(file, node.func) == "raises" and node.args:
                wide = file.source(node.args[0].value) in ("Exception", "BaseException")
                yield from () if wide else [Mutation((file.replaced(node.args[0].value, "Exception"),), about)]


def skipped(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each test: it returns before it has looked."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes() if _is_test(file.path) else ():
            if isinstance(node, cst.FunctionDef) and node.name.value.startswith("test"):
                body = node.body
                if isinstance(body, cst.IndentedBlock) and body.body:
                    start = file.spans[body.body[0]].start
                    line = file.text.rfind("\n", 0, start) + 1
                    edit = Edit(Span(file.path, start, start), f"return\n{file.text[line:start]}")
                    yield Mutation((edit,), (file.spans[node],))


def _computed(file: PythonFile, test: cst.Comparison) -> str:
    """Return the side of a comparison that is no plain value: what the code under test said."""
    import libcst as cst

    sides = [test.left, *(c.comparator for c in test.comparisons)]
    plain = (cst.SimpleString, cst.Integer, cst.Float, cst.Tuple, cst.List, cst.Dict, cst.ConcatenatedString)
    return file.source(next((side for side in sides if not isinstance(side, plain)), sides[0]))


def _name(file: PythonFile, func: cst.BaseExpression) -> str:
    return file.source(func).rpartition(".")[2]


def _is_test(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.startswith("test_") or name.endswith("_test.py")


OPERATORS = (
    Operator("python.unawaited", "python", "async.awaited", "takes an await away", unawaited),
    Operator("python.swallowed", "python", "failure.swallowed", "lets a handler go on as if all was well", swallowed),
    Operator("python.float-money", "python", "code.exact-money", "computes with float instead of Decimal", float_money),
    Operator("python.assertion", "python", "tests.weakened", "drops or softens an assertion of a test", assertion),
    Operator("python.skipped", "python", "tests.weakened", "lets a test return before it looks", skipped),
)
"""All operators of this file."""
