"""What keeps a taking from going below zero: a question in the statement, a lock before it, a look afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from squads.gates.sql.fits.routines import Body
from squads.gates.sql.lex import Token, text_of
from squads.gates.sql.limits.paths import Branch, branches, conjuncts
from squads.gates.sql.limits.takings import Taking, read_into, refuses, spelled_with_rows
from squads.gates.words import word_set

_SHARED = (("row", "exclusive"), ("row", "share"), ("access", "share"), ("share", "mode"))
_LOCKS = word_set("pg_advisory_lock pg_advisory_xact_lock")


def locks_at(body: Body, routines: Mapping[str, Body] | None = None) -> int | None:
    """Return which statement of a body first shuts others out: of a row, of a number, or of a table."""
    for number, part in enumerate(body.parts):
        if locks(part, routines or {}):
            return number
    return None


def locks(part: Sequence[Token], routines: Mapping[str, Body], depth: int = 0) -> bool:
    """Return whether a statement takes a lock that conflicts with itself, or a routine that it calls does."""
    words = [t.value if t.kind == "word" else "" for t in part]
    if not _LOCKS.isdisjoint(words) and "try" not in words:
        return True
    if ("lock" in words[:3] or "lock" in words[-12:-1]) and ("table" in words or "mode" in words):
        pairs = set(pairwise(words))
        if pairs.isdisjoint(_SHARED) or ("share", "row") in pairs:
            return True
    for n, word in enumerate(words):
        if word == "for" and (words[n + 1 : n + 2] == ["update"] or words[n + 1 : n + 4] == ["no", "key", "update"]):
            return words[n + 1 : n + 5].count("skip") == 0 and ("skip", "locked") not in pairwise(words[n:])
    if "transaction_isolation" in [t.value for t in part] and "serializable" in [t.value for t in part]:
        return True
    called = [routines[t.value] for t, b in pairwise(part) if b.text == "(" and t.value in routines]
    return depth < 3 and any(locks(p, routines, depth + 1) for body in called for p in body.parts)


def covered(taking: Taking, routines: Mapping[str, Body], beside: Sequence[Body] = ()) -> bool:
    """Return whether a taking cannot go below zero unseen. `beside` are bodies that run for the same row before."""
    return (
        _where_covers(taking)
        or _in_its_branch(taking, routines)
        or _looked_at_after(taking)
        or _held(taking.body, taking, taking.at, routines)
        or any(_held(b, taking, len(b.parts), routines) for b in beside)
        or any(
            _held(routines[t.value], taking, len(routines[t.value].parts), routines)
            for part in taking.body.parts[: taking.at]
            for t, b in pairwise(part)
            if b.text == "(" and t.value in routines and routines[t.value] is not taking.body
        )
    )


def _held(body: Body, taking: Taking, before: int, routines: Mapping[str, Body]) -> bool:
    """Return whether a body locks, then reads, then refuses where too little is there, whenever something is taken."""
    lock = locks_at(body, routines)
    if lock is None:
        return False
    stands_in = branches(taking.body)[taking.at]
    said = {b.text for b in stands_in if b.condition}
    read = {taking.column} | read_into(body, taking.column)
    stacks = branches(body)
    for number, part in enumerate(body.parts[: before + 1]):
        condition, around = _gives_up(part, stacks[number])
        inside = body is taking.body and set(around) <= set(stands_in)
        if not condition or not (inside or all(b.text in said for b in around)):
            continue
        parts = list(conjuncts(condition))
        asks = [c for c in parts if _compares(c) and any(t.value in read for t in c)]
        rest = [c for c in parts if c not in asks]
        if not asks or not all(text_of(c).lower() in said or _harmless(c, taking) for c in rest):
            continue
        reads = [n for n, earlier in enumerate(body.parts[: number + 1]) if _reads(earlier, taking.column)]
        if lock <= (reads[-1] if reads else number):
            return True
    return False


def _in_its_branch(taking: Taking, routines: Mapping[str, Body]) -> bool:
    """Return whether something is taken only in the branch where enough is there, read under a lock."""
    lock = locks_at(taking.body, routines)
    if lock is None or lock > taking.at:
        return False
    read = {taking.column} | read_into(taking.body, taking.column)
    reads = [n for n, p in enumerate(taking.body.parts[: taking.at]) if _reads(p, taking.column)]
    if reads and lock > reads[-1]:
        return False
    return any(
        _enough(taking, [taking.column if w in read else w for w in spelled_with_rows(c).split()])
        for branch in branches(taking.body)[taking.at]
        for c in conjuncts(branch.condition)
    )


def _reads(part: Sequence[Token], column: str) -> bool:
    return any(t.value == "select" for t in part) and any(t.value in (column, "*") for t in part)


def _gives_up(part: Sequence[Token], stack: tuple[Branch, ...]) -> tuple[Sequence[Token], tuple[Branch, ...]]:
    """Return the condition under which a statement refuses, and the branches around it; empty where it does not."""
    words = [t.value if t.kind == "word" else "" for t in part]
    if words[:1] == ["assert"]:
        return part[1:], stack
    behind = words[len(words) - words[::-1].index("then") :] if "then" in words else words
    return (stack[-1].condition, stack[:-1]) if stack and refuses(behind) else ((), ())


def _compares(tokens: Sequence[Token]) -> bool:
    return any(t.text in ("<", ">", "<=", ">=") for t in tokens)


def _harmless(condition: Sequence[Token], taking: Taking) -> bool:
    """Return whether a condition speaks of nothing but what is taken: less than nothing need not be there."""
    names = {w for w in spelled_with_rows(condition).split() if w[0].isalpha() or w[0] == "_"}
    return names <= taking.amount | {"not", "is", "null", "found"}


def _where_covers(taking: Taking) -> bool:
    part = taking.body.parts[taking.at]
    words = [t.value if t.kind == "word" else "" for t in part]
    after = words.index("set") if "set" in words else 0
    if "where" not in words[after:]:
        return False
    condition = part[after + words[after:].index("where") + 1 :]
    texts = [t.value if t.kind == "word" else "" for t in condition]
    if "returning" in texts:
        condition = condition[: texts.index("returning")]
    if "or" in texts:
        return False
    return any(_enough(taking, spelled_with_rows(conjunct).split()) for conjunct in conjuncts(condition))


def _enough(taking: Taking, condition: Sequence[str]) -> bool:
    """Return whether a condition says that a column is no less than what is taken from it."""
    at = next((n for n, word in enumerate(condition) if word in ("<", ">", "<=", ">=")), None)
    if at is None or taking.column not in condition or not taking.amount <= set(condition):
        return False
    more = condition[at] in (">", ">=")
    if (taking.column in condition[:at]) == (more == (condition[0].lower() == "not")):
        return False
    return bool(taking.amount) or not (condition[at] in ("<=", ">=") and "0" in condition)


def _looked_at_after(taking: Taking) -> bool:
    """Return whether what is left is looked at once it was taken, and refused below zero."""
    read = {taking.column} | read_into(taking.body, taking.column)
    for part in taking.body.parts[taking.at + 1 :]:
        words = [t.value if t.kind == "word" else "" for t in part]
        if "if" not in words:
            continue
        start = words.index("if")
        then = words.index("then") if "then" in words else len(words)
        condition = part[start + 1 : then]
        less = any(a.text == "<" and b.text == "0" for a, b in pairwise(condition))
        denied = any(a.text == ">=" and b.text == "0" for a, b in pairwise(condition)) and words[start + 1] == "not"
        if (less or denied) and any(t.value in read for t in condition) and refuses(words[then:]):
            return True
    return False
