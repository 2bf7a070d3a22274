"""One demand taken apart, or made on more: what still asks as much although it is written in another way."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from squads.contracts.artifact import File
from squads.gates.changes.demands import Demand
from squads.gates.changes.suite import Test

_PARTS_MAX = 40
_NUMBER = re.compile(r"(?:[A-Za-z_.]+\(['\"]?)?(-?\d[\d_]*(?:\.\d+)?)(?:['\"]?\))?")


def in_parts(demand: Demand) -> list[tuple[str, str]]:
    """Return (subject, expected) of every part of a whole that is expected; empty for what has no parts."""
    if demand.strength < 10 or not demand.expected:
        return []
    try:
        whole = ast.parse(demand.expected, mode="eval").body
    except (SyntaxError, ValueError):
        return []
    if isinstance(whole, ast.Call) and whole.keywords and not whole.args and all(k.arg for k in whole.keywords):
        return [(f"{demand.subject}.{k.arg}", ast.unparse(k.value)) for k in whole.keywords[:_PARTS_MAX]]
    if isinstance(whole, ast.Dict) and whole.keys and all(isinstance(k, ast.Constant) for k in whole.keys):
        told = [
            (f"{demand.subject}[{ast.unparse(k)}]", ast.unparse(v))
            for k, v in zip(whole.keys, whole.values, strict=True)
            if k
        ]
        return [*told[:_PARTS_MAX], (demand.subject, f"len {len(told)}")]
    if isinstance(whole, ast.Tuple):
        return [(f"{demand.subject}[{n}]", ast.unparse(e)) for n, e in enumerate(whole.elts[:_PARTS_MAX])]
    return []


def given_more(one: Demand, other: Demand) -> bool:
    """Return whether two demands are on the same calls, and the other's are given more than the one's."""
    if len(other.subject) <= len(one.subject) or one.subject[:1] != other.subject[:1]:
        return False
    try:
        a, b = (ast.parse(d.subject.removeprefix("raises "), mode="eval").body for d in (one, other))
    except (SyntaxError, ValueError):
        return False
    return ast.dump(a) != ast.dump(b) and _covers(a, b)


def _covers(a: ast.AST, b: ast.AST) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, ast.Call) and isinstance(b, ast.Call):
        given = {k.arg: k.value for k in b.keywords}
        return (
            _covers(a.func, b.func)
            and bool(a.args or a.keywords or (not b.args and not b.keywords))
            and len(a.args) <= len(b.args)
            and all(_covers(x, y) for x, y in zip(a.args, b.args, strict=False))
            and all(k.arg in given and _covers(k.value, given[k.arg]) for k in a.keywords)
        )
    if isinstance(a, ast.Attribute) and isinstance(b, ast.Attribute):
        return a.attr == b.attr and _covers(a.value, b.value)
    return ast.dump(a) == ast.dump(b)


def is_part(demand: Demand, told: str) -> bool:
    """Return whether a demand asks for one part of a whole, exactly."""
    if told.startswith("len "):
        return demand.text.startswith("len(") and demand.expected == told[4:] and not demand.guarded
    return demand.strength >= 10 and demand.expected == told and not demand.guarded


def same_value(one: str, other: str) -> bool:
    """Return whether two expected values are one: `0` and `Decimal("0.00")`."""
    if one == other:
        return True
    numbers = [_NUMBER.fullmatch(t) for t in (one, other)]
    if not all(numbers):
        return False
    a, b = (float(m[1].replace("_", "")) for m in numbers if m)
    return a == b


def is_flag(old: Demand, new: Demand, files: Mapping[str, File]) -> bool:
    """Return whether `x is True` became `x`, where the code says that this is true or false and nothing else."""
    told = re.fullmatch(r"(.+) (?:is|==) (True|False)", old.text, re.DOTALL)
    if told is None or new.polarity != told[2].lower() or (new.guarded and not old.guarded):
        return False
    name, called = _last(told[1])
    if not name or (name, called) != _last(new.text.removeprefix("not ")):
        return False
    head = rf"\bdef {name}\([^)]*\) *-> *bool\b"
    says = head if called else rf"{head}|\b{name}(?: *: *bool\b| *= *(?:True|False)\b)"
    return any(re.search(says, f.text) for p, f in files.items() if p.endswith(".py"))


def _last(text: str) -> tuple[str, bool]:
    """Return the last name of an expression, and whether it is called."""
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return "", False
    called = node.func if isinstance(node, ast.Call) else node
    return getattr(called, "attr", "") or getattr(called, "id", ""), called is not node


def idle(pairs: Sequence[tuple[Test, Test | None]]) -> Iterator[tuple[Test, int, str]]:
    """Yield (test, line, what) of tests that no longer do what others still do in another way before they ask."""
    stood = [(old, new, _acts(old), _acts(new)) for old, new in pairs if new is not None]
    others: Counter[str] = Counter()
    for _, _, before, now in stood:
        if set(now) - set(before):
            others.update({_kind(a) for a in set(before) - set(now)})
    for _, new, before, now in stood:
        lost = [a for a in before if a not in now]
        if lost and not set(now) - set(before) and new.path and all(others[_kind(a)] for a in lost):
            line = new.node.lineno
            asked = [d.node for d in new.demands if hasattr(d.node, "lineno")]
            if asked and not _taken_in(new):
                yield (
                    new,
                    getattr(asked[0], "lineno", line),
                    f"{new.name} asks before anything of `{lost[0][:60]}` happened",
                )


def _taken_in(test: Test) -> bool:
    """Return whether a test has its values from a list, which may say what was an act before."""
    return any("parametrize" in ast.unparse(d) for d in test.node.decorator_list)


def _acts(test: Test) -> list[str]:
    """Return the statements of a test that do something: calls for their effect, and what is set in others."""
    found = (
        ast.unparse(n)
        for n in ast.walk(test.node)
        if (isinstance(n, ast.Expr) and isinstance(n.value, ast.Call | ast.Await))
        or (isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Attribute))
    )
    return [t for t in found if "assert" not in t.lower()]


def _kind(text: str) -> str:
    return text.split("(")[0]
