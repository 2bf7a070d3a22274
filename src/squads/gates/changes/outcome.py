"""What a function does wherever it is written: its orders, refusals, checks and what it passes over.

Where a brief lets these stay, a function that was asked for may be written in another way, and helpers may come: what
it does is read together with them, and compared with what it did.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from squads.gates.changes.about import tokens
from squads.gates.changes.brief import Brief
from squads.gates.changes.lines import now_at
from squads.gates.changes.names import Node, as_expression, put
from squads.gates.changes.phrasing import FORBIDS, KEEPS, OTHERS, REST, SENTENCES, STAYS
from squads.gates.changes.pieces import Piece, pieces
from squads.gates.changes.stands import locals_of

Found = tuple[tuple[int, int], str, str]
_Calls = list[tuple[ast.AST, list[ast.expr]]]
_SAME = re.compile(
    r"(?i)\b(?:same (?:\w+ )?(?:as|like) (?:today|before|now|ever)|unchanged"
    r"|otherwise\b[^.;]{0,30}\b(?:stays?|remains?|as (?:it|they|before)|same)"
    r"|in the (?:same )?order (?:given|they))\b"
)
_ALL = re.compile(
    r"(?i)\bbehav|\bsame\b|\botherwise\b|\b(?:nothing|everything|all) else\b|\brest\b|\bidentical\b|\bas it is\b"
)
# Where all that comes out is to be the same, nothing that was asked for is about it.
_STRONG = re.compile(
    r"(?i)\b(?:results?|output|outcome|answers?|behaviou?r)\b[^.;]{0,40}"
    r"\b(?:same|identical|not change|unchanged|as before)\b"
    r"|\bbehaves?\b[^.;]{0,20}\b(?:as before|same|as (?:it does|today|now))\b"
    r"|\bsame (?:results?|output|behaviou?r|answers?)\b"
)
_SORTS = frozenset({"sorted", "sort"})
_CHECKS = re.compile(r"(?i)^_?(?:raise_for|check|validat|verif|ensure|require|assert|enforce|must_)")
# What is said to stay, by what it is about.
_KEPT = {
    "order": re.compile(r"(?i)\border(?:ing|ed)?\b|\bsort|\bsequence\b"),
    "rows": re.compile(
        r"(?i)\brows?\b|\brecords?\b|\bentries\b|\bcounts?\b|\bcounted\b|\binclud|\beverybody\b|\beveryone\b"
    ),
    "refusal": re.compile(r"(?i)\brais|\berror|\bexception|\breject|\brefus|\bvalid|\bcheck|\bverif|\bplausib|\bguard"),
    "retries": re.compile(r"(?i)\b(?:no|without|not)(?: \w+){0,2} retr"),
    "acts": re.compile(r"(?!)"),
    "caught": re.compile(r"(?i)\brais|\berror|\bexception"),
}
# What is asked for, by what may differ with it.
_ASKED = {
    "order": re.compile(
        r"(?i)\bsort|\border|\bnewest|\boldest|\bfirst\b|\blatest\b|\balphabet|\btop\b|\bgroup|\brank|\bby \w+\b"
    ),
    "rows": re.compile(
        r"(?i)\bskip|\bonly\b|\bfilter|\bignor|\bomit|\bdrop|\bout\b|\bwithout\b|\bexclud|\bunless\b|\bhid|\bduplicat"
        r"|\bif\b|\binvalid|\bempty|\bmissing|\bblank|\blimit|\bremov|\binactive|\bexpired|\bno longer\b|\bnot\b"
    ),
    "refusal": re.compile(
        r"(?i)\brais|\berror|\bexception|\breject|\brefus|\bfail|\bvalid|\bcheck|\ballow|\baccept|\btolera|\bpermit"
    ),
    "retries": re.compile(r"(?!)"),
    "caught": re.compile(r"(?i)\bfail|\bcatch|\bdown\b|\bfall|\bswallow|\bignor|\bhandl|\bgo(?:es)? on\b"),
    "acts": re.compile(
        r"(?i)\bremov|\bdrop|\breplac|\binstead|\bno longer\b|\bstop|\bmov(?:e|ing)\b|\bswitch|\bmigrat|\bonly\b"
    ),
}
_OPEN = re.compile(r"(?i)\b(?:fix\w*|bugs?|wrong\w*|broken|crash\w*|correct\w*|repair\w*)\b")
# Calls that make an answer, which may be made in another way; and what is only said.
_BUILDS = re.compile(
    r"(?i)^(?:append\w*|extend|insert|add|update|setdefault|pop\w*|remove|discard|clear|sort|reverse|write\w*|print|echo"
    r"|debug|info|warn\w*|error|exception|log|close|seek|super|__init__|execute\w*|join|put|set\w*)$"
)
_HELPERS_MAX = 30


@dataclass(slots=True)
class _Does:
    """What a function does, with the new functions that it uses."""

    orders: dict[tuple[object, ...], ast.AST] = field(default_factory=dict)
    raised: dict[str, list[tuple[ast.AST, ast.expr | None]]] = field(default_factory=dict)
    checked: dict[str, _Calls] = field(default_factory=dict)
    passed: list[tuple[ast.AST, ast.expr]] = field(default_factory=list)
    again: list[ast.AST] = field(default_factory=list)
    caught: dict[str, ast.AST] = field(default_factory=dict)
    """Handlers that raise nothing, by what they catch."""
    acts: dict[str, _Calls] = field(default_factory=dict)
    """Calls for their effect, with the conditions that they stand under."""
    tests: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)


def outcome(brief: Brief, old: str, new: str, came: Mapping[str, Node]) -> Iterator[Found]:
    """Yield ((line, last line), what is different, the words against it); `came` are all functions that are new."""
    told, asked = _told(brief.text)
    if not told:
        return
    whole = bool(_ALL.search(told)) and not _OPEN.search(asked)
    judged = {
        name
        for name, kept in _KEPT.items()
        if (kept.search(told) and (name not in ("rows", "caught") or not _ASKED[name].search(asked)))
        or (whole and name not in ("retries", "caught") and not _ASKED[name].search(asked))
        or (name != "retries" and _STRONG.search(told) and not _OPEN.search(asked))
    }
    before, after = pieces(old), pieces(new)
    gone = {n.rsplit(".", 1)[-1]: p.node for n, p in before.items() if n not in after and isinstance(p.node, Node)}
    for name, now in after.items() if judged else ():
        was = before.get(name)
        if was is None or was.text == now.text or not isinstance(was.node, Node) or not isinstance(now.node, Node):
            continue
        did, does = _does(was.node, gone), _does(now.node, came)
        for at, what in _differs(judged, did, does, was, now, asked):
            line = getattr(at, "lineno", 1)
            if at in (was.node, *ast.walk(was.node)):  # it is gone: where it stood
                line = now_at(old.split("\n"), new.split("\n"), line)
            end = line if isinstance(at, ast.stmt) else max(line, getattr(at, "end_lineno", line) or line)
            yield (line, end), f"{name} {what}, and the brief lets that stay", told[:200]


def _told(text: str) -> tuple[str, str]:
    """Return what a brief lets stay, and the rest of it."""
    told: list[str] = []
    asked: list[str] = []
    for sentence in SENTENCES.split(text.strip()):
        sentence = re.sub(r"\([^()]*\)", " ", sentence) if not FORBIDS.search(sentence) else sentence
        for clause in re.split(r"[;:]|,? but |, (?=and (?:leave|keep|do not|don't))|, so ", sentence):
            stays = any(p.search(clause) for p in (FORBIDS, STAYS, REST, KEEPS, OTHERS, _SAME, _KEPT["retries"]))
            (told if stays else asked).append(" ".join(clause.split()))
    return ". ".join(told), ". ".join(asked)


def _does(node: Node, helpers: Mapping[str, Node]) -> _Does:
    found = _Does()
    left, seen = [node], {node.name}
    said = {n: e for n, h in helpers.items() if (e := as_expression(h)) is not None}
    while left and len(seen) < _HELPERS_MAX:
        one = left.pop()
        names = locals_of(one)
        _walk(found, one.body, [], said | {n: v for n, v in names.items() if not isinstance(v, ast.Call)}, helpers)
        for word in tokens(one):
            found.called.add(word)
            if word in helpers and word not in seen:
                seen.add(word)
                left.append(helpers[word])
    return found


def _walk(
    found: _Does,
    body: Sequence[ast.stmt],
    guards: list[ast.expr],
    names: Mapping[str, ast.expr],
    helpers: Mapping[str, Node],
) -> None:
    for node in body:
        heads = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr | ast.withitem)]
        for part in (p for head in heads for p in ast.walk(head)):
            if isinstance(part, ast.Call) and _last(part) in _SORTS:
                found.orders[_order(part, names, helpers)] = part
            if isinstance(part, ast.comprehension):
                found.passed += [(t, t) for t in part.ifs if _of_one(t, part.target)]
                continue
            if isinstance(part, ast.IfExp):
                found.tests.add(_bare(part.test))
        act = node.value.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Await) else getattr(
            node, "value", None)  # fmt: skip
        if isinstance(node, ast.Expr) and isinstance(act, ast.Call) and not _BUILDS.search(_last(act)):
            found.acts.setdefault(_last(act), []).append((node, list(guards)))
        match node:
            case ast.Raise(exc=ast.expr() as error):
                word = ast.unparse(error.func if isinstance(error, ast.Call) else error).rsplit(".", 1)[-1]
                guard = put(guards[-1], names) if guards else None
                found.raised.setdefault(word, []).append((node, guard))
            case ast.Expr(value=ast.Call() as call) if _CHECKS.search(_last(call)):
                found.checked.setdefault(_last(call), []).append((node, list(guards)))
            case ast.If():
                found.tests.add(_bare(node.test))
                if isinstance(node.body[-1], ast.Continue) and all(_idle(s) for s in node.body):
                    found.passed.append((node, node.test))
                _walk(found, node.body, [*guards, node.test], names, helpers)
                _walk(found, node.orelse, [*guards, node.test], names, helpers)
            case ast.For() | ast.AsyncFor() | ast.While():
                if not isinstance(node, ast.While):
                    found.targets.add(ast.unparse(node.target))
                _walk(found, node.body, guards, names, helpers)
                _walk(found, node.orelse, guards, names, helpers)
            case ast.Try():
                tried = {ast.unparse(n.func) for s in node.body for n in ast.walk(s) if isinstance(n, ast.Call)}
                for handler in node.handlers:
                    if not any(isinstance(n, ast.Raise) for s in handler.body for n in ast.walk(s)):
                        found.caught[ast.unparse(handler.type) if handler.type else ""] = handler
                    calls = [n for s in handler.body for n in ast.walk(s) if isinstance(n, ast.Call)]
                    found.again += [n for n in calls if ast.unparse(n.func) in tried and not _BUILDS.search(_last(n))]
                    _walk(found, handler.body, guards, names, helpers)
                for block in (node.body, node.orelse, node.finalbody):
                    _walk(found, block, guards, names, helpers)
            case ast.With() | ast.AsyncWith():
                _walk(found, node.body, guards, names, helpers)
            case ast.Match():
                for case in node.cases:
                    _walk(found, case.body, [*guards, node.subject], names, helpers)


def _idle(node: ast.stmt) -> bool:
    """Return whether a statement only leaves, or says so."""
    said = isinstance(node, ast.Expr) and re.match(
        r"(?:\w+\.)*(?:log\w*|print|warn\w*|debug|info)\b", ast.unparse(node)
    )
    return isinstance(node, ast.Continue) or bool(said)


def _of_one(test: ast.expr, target: ast.expr) -> bool:
    """Return whether a condition asks for something of each one, and looks nothing up."""
    names = {n.id for n in ast.walk(test) if isinstance(n, ast.Name)}
    held = {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
    return names <= held and not any(isinstance(n, ast.Call | ast.In | ast.NotIn) for n in ast.walk(test))


def _last(call: ast.Call) -> str:
    return ast.unparse(call.func).rsplit(".", 1)[-1]


def _bare(test: ast.expr) -> str:
    """Return a condition without its sign: `not a`, `a is None` and `a is not None` ask the same."""
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test = test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return " ".join(sorted((ast.unparse(test.left), ast.unparse(test.comparators[0]))))
    return ast.unparse(test)


def _order(call: ast.Call, names: Mapping[str, ast.expr], helpers: Mapping[str, Node]) -> tuple[object, ...]:
    """Return what something is sorted by, however that is written."""
    given = {k.arg: k.value for k in call.keywords}
    turned = isinstance(r := given.get("reverse"), ast.Constant) and r.value is True
    key = given.get("key")
    if isinstance(key, ast.Name) and key.id in names and key.id not in helpers:
        key = names[key.id]
    if isinstance(key, ast.Name | ast.Attribute):
        made = helpers.get(ast.unparse(key).rsplit(".", 1)[-1])
        last = made.body[-1] if made is not None else None
        if made is not None and isinstance(last, ast.Return) and last.value is not None:
            key = ast.Lambda(made.args, put(last.value, locals_of(made)))
    if key is None:
        return ("itself", turned)
    own = {a.arg for a in key.args.args} if isinstance(key, ast.Lambda) else {"attrgetter", "itemgetter", "operator"}
    body = key.body if isinstance(key, ast.Lambda) else key
    if isinstance(body, ast.Call) and _last(body) in ("attrgetter", "itemgetter"):
        body = ast.Tuple(body.args, ast.Load())
    parts = []
    for part in body.elts if isinstance(body, ast.Tuple) else [body]:
        minus = isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub)
        parts.append((minus != turned, *sorted(w for w in tokens(part) if w not in own)))
    return tuple(parts)


def _differs(
    judged: set[str], did: _Does, does: _Does, was: Piece, now: Piece, asked: str
) -> Iterator[tuple[ast.AST, str]]:
    fresh = [k for k in does.orders if k not in did.orders]
    if "order" in judged and fresh:
        for one in fresh:
            yield does.orders[one], "has another order"
    if "rows" in judged:
        known = did.tests | {_bare(t) for _, t in did.passed}
        for at, test in does.passed:
            if _bare(test) not in known:
                yield at, f"passes over what `{ast.unparse(test)[:60]}` says"
    if "retries" in judged and not did.again:
        for at in does.again:
            yield at, "tries again"
    for word, acts in did.acts.items() if "acts" in judged else ():
        if word not in does.called and all(re.search(rf"(?i)\b{w}\b", asked) for w in set(does.acts) - set(did.acts)):
            yield acts[0][0], f"no longer calls {word}"
        yield from _under(word, acts, does.acts.get(word, []), did)
    for word, at in does.caught.items() if "caught" in judged else ():
        if word not in did.caught and not did.caught.keys() & {"", "Exception"}:
            yield at, f"takes {word or 'everything'} that was raised"
    checks = any(_CHECKS.search(w) for w in does.called - did.called)
    if "refusal" not in judged:
        return
    for word, rows in did.raised.items():
        others = does.raised.get(word)
        if others is None and not checks and not set(does.raised) - set(did.raised):
            yield rows[0][0], f"no longer raises {word}"
        elif others and len(rows) == len(others) == 1 and was.signature == now.signature:
            (_, a), (at, b) = rows[0], others[0]
            held = b is not None and any(isinstance(n, ast.Call) and _last(n) not in did.called for n in ast.walk(b))
            if a is None or b is None or held or not _names(a) - _names(b):
                continue
            # What has other names since may be the same.
            if _names(a) <= does.called or _names(b) <= _names(a):
                yield at, f"raises {word} for `{ast.unparse(b)[:60]}`, and did for `{ast.unparse(a)[:60]}`"
    for word, calls in did.checked.items():
        since = does.checked.get(word)
        if since is None and word not in does.called and not checks:
            yield calls[0][0], f"no longer calls {word}"
        yield from _under(word, calls, since or [], did)


def _under(word: str, was: _Calls, since: _Calls, did: _Does) -> Iterator[tuple[ast.AST, str]]:
    """Yield what was called in any case, and is only called under a condition that came."""
    always = any(not g for _, g in was)
    if always and since and all(g for _, g in since) and any(_bare(t) not in did.tests for t in since[0][1]):
        yield since[0][0], f"calls {word} only under a condition"


def _names(node: ast.expr) -> set[str]:
    return {
        n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute)
    }
