"""Two suites side by side: what both know of a test, and where what is said of it stands."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from squads.gates.changes.apart import is_flag
from squads.gates.changes.around import Around
from squads.gates.changes.asked import Asked
from squads.gates.changes.concepts import roots, words_of
from squads.gates.changes.demands import Demand, softer
from squads.gates.changes.edges import edge_held, followed, moved_along, steps
from squads.gates.changes.held import Held
from squads.gates.changes.lines import now_at
from squads.gates.changes.pieces import tree_of
from squads.gates.changes.stubs import Code
from squads.gates.changes.suite import TEST_FILE, Suite, Test

_GONE = re.compile(
    r"(?i)\b(?:remov|drop|delet|retir|deprecat|take out|get rid|no longer|abolish|withdraw|unship|sunset)"
)
_HEAD = re.compile(r"\bdef (\w+)\(([^)]*)\)")
_ASYNC = re.compile(r"asyncio|anyio|trio|Isolated")


@dataclass(frozen=True, slots=True)
class Weaker:
    """One thing that a change takes away."""

    path: str
    line: int | None
    end_line: int | None
    what: str
    text: str = ""


class Suites:
    """Two suites, the brief of the change between them, and which of the base's names are gone."""

    def __init__(self, old: Suite, new: Suite, brief: str, gone: set[str], touched: set[str]) -> None:
        self.old = old
        self.new = new
        self.brief = brief
        self.gone = gone
        """Modules, functions and classes outside the tests that the change removed."""
        self.touched = touched
        self.was, self.now = Held(old), Held(new)
        self._around = Around(old), Around(new)
        self._same: dict[tuple[str, str, str], bool] = {}
        self._found: dict[tuple[str, bool], ast.arguments | None] = {}
        self.suspects: set[tuple[str, str, str]] = set()

    def _feature_gone(self, test: Test) -> bool:
        """Return whether what a test looks at is gone, or the brief asks to take it away."""
        uses = {n.id for n in ast.walk(test.node) if isinstance(n, ast.Name)} | test.called
        if self._takes_no_more(test):
            return True
        tree = self.old.trees.get(test.path)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.ImportFrom) and node.module:
                names = {a.asname or a.name for a in node.names}
                if names & uses and (
                    node.module.rsplit(".", 1)[-1] in self.gone or {a.name for a in node.names} & self.gone & uses
                ):
                    return True
            elif isinstance(node, ast.Import) and any(a.name.rsplit(".", 1)[-1] in self.gone for a in node.names):
                return True
        if uses & self.gone:
            return True
        words = words_of(test.name) - roots(["test", "return", "given", "raise", "work", "correct"])
        for sentence in re.split(r"(?<=[.;\n])\s*", self.brief):
            if _GONE.search(sentence):
                told = roots(re.findall(r"[A-Za-z][a-z]+", sentence.replace("_", " ")))
                if len(words & told) >= max(1, (len(words) + 1) // 2) or (
                    test.called & set(re.findall(r"\w{4,}", sentence)) - self._defined
                ):
                    return True
        return False

    @cached_property
    def code(self) -> Code:
        """The code of the base, and what is new since."""
        now = {p: f for p, f in self.new.files.items() if p in self.touched and not TEST_FILE.search(p)}
        return Code({p: f for p, f in self.old.files.items() if not TEST_FILE.search(p)} | now)

    def _signature(self, name: str, suite: Suite) -> ast.arguments | None:
        """Return the arguments of a function of the files that the change writes, before or after it."""
        key = (name, suite is self.new)
        if key not in self._found:
            self._found[key] = None
            for path, file in suite.files.items():
                if path in self.touched and path.endswith(".py") and not TEST_FILE.search(path):
                    tree = tree_of(file.text) if re.search(rf"\bdef {re.escape(name)}\(", file.text) else None
                    for node in ast.walk(tree) if tree is not None else ():
                        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                            self._found[key] = node.args
        return self._found[key]

    @cached_property
    def _defined(self) -> set[str]:
        """The functions that stand after the change, in the files that it writes."""
        return {n for p, f in self.new.files.items() if p in self.touched and p.endswith(".py")
                and not TEST_FILE.search(p) for n in re.findall(r"\bdef (\w+)\(", f.text)}  # fmt: skip

    @cached_property
    def _narrower(self) -> set[str]:
        """The functions whose first lines are not as they were, told without reading the code."""
        heads: list[set[tuple[str, str]]] = []
        for suite in (self.old, self.new):
            code = (f for p, f in suite.files.items() if p in self.touched and p.endswith(".py"))
            heads.append({pair for f in code for pair in _HEAD.findall(f.text)})
        return {name for name, _ in heads[0] ^ heads[1]}

    def _written(self, word: str) -> bool:
        """Return whether the code of the change still speaks of something, which may have gone into a class."""
        return any(
            re.search(rf"\b{re.escape(word)}\b", f.text)
            for p, f in self.new.files.items()
            if p in self.touched and p.endswith(".py") and not TEST_FILE.search(p)
        )

    def _takes_no_more(self, test: Test) -> bool:
        """Return whether a test hands something in that what it tests takes no more."""
        for call in ast.walk(test.node):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func).rsplit(".", 1)[-1]
            if name not in self._narrower:
                continue
            was, now = self._signature(name, self.old), self._signature(name, self.new)
            if was is None or now is None:
                continue
            if now.kwarg or now.vararg or any(isinstance(a, ast.Starred) for a in call.args):
                continue
            known = {a.arg for a in (*now.posonlyargs, *now.args, *now.kwonlyargs)}
            all_before = [a.arg for a in (*was.posonlyargs, *was.args, *was.kwonlyargs)]
            gone = [a for a in all_before if a not in known and not self._written(a)]
            if (
                gone
                and len(known) < len(all_before)
                and (
                    any(k.arg in gone for k in call.keywords)
                    or len(call.args) > len([a for a in (*now.posonlyargs, *now.args) if a.arg not in ("self", "cls")])
                )
            ):
                return True
        return False

    def _merged(self, test: Test) -> bool:
        """Return whether other tests demand what this one did, with the same values, perhaps as parameters."""
        wanted = {lit for lit in test.literals if lit not in ("0", "1", "True", "False", "''")}
        subjects = {
            n.func.attr if isinstance(n.func, ast.Attribute) else getattr(n.func, "id", "")
            for n in ast.walk(test.node)
            if isinstance(n, ast.Call)
        } - {"", "approx", "raises", "len", "list", "set", "sorted"}
        exceptions = {d.expected for d in test.demands if d.subject.startswith("raises")}
        inputs = {
            ast.unparse(n)
            for n in ast.walk(test.node)
            if isinstance(n, ast.Constant) and isinstance(n.value, int | float | str) and not isinstance(n.value, bool)
        } - {ast.get_docstring(test.node) or ""}
        body = ast.get_docstring(test.node, clean=False)
        inputs.discard(repr(body))
        for other in self.new.tests.values():
            before = self.old.tests.get((other.path, other.owner, other.name))
            if other.path not in self.touched or (before is not None and text_of(before.node) == text_of(other.node)):
                continue
            text = ast.unparse(other.node) + " " + " ".join(e for _, s in other.sets for e in s)
            if not subjects & (other.called | set(re.findall(r"\w+", text))):
                continue
            if exceptions and not all(e in text for e in exceptions):
                continue
            held = sum(1 for lit in wanted | inputs if lit in text)
            if len(other.demands) >= 1 and held >= len(wanted | inputs) * 0.8 and all(lit in text for lit in wanted):
                return True
        return False

    def _unchanged(self, test: Test) -> bool:
        """Return whether a test stands as it stood, and asks what it asked."""
        before = self.old.tests.get(test.key)
        return before is not None and (
            self._as_it_was(before, test)
            or [a.demand.text for a in self.was.of[test.key]] == [a.demand.text for a in self.now.of[test.key]]
        )

    def words_of(self, key: tuple[str, str, str]) -> set[str]:
        """Return the names of what a test of the base looks at."""
        test = self.old.tests[key]
        return (test.called | {test.name}) & (imports(self.old.trees[test.path]) | {test.name})

    def _as_it_was(self, old: Test, new: Test) -> bool:
        """Return whether nothing differs of what a test says and stands on."""
        if new.key not in self._same:
            self._same[new.key] = self._around[0].of(old) == self._around[1].of(new)
        return self._same[new.key]

    def _constant(self, test: Test, asked: Asked) -> int | None:
        """Return the line of a constant that stood before with another value, and that a demand is made with."""
        was, now = self.was.names.get(test.path, {}), self.now.names.get(test.path, {})
        used = {n.id for n in ast.walk(asked.node) if isinstance(n, ast.Name)}
        for node in self.new.trees[test.path].body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    name = ast.unparse(target)
                    if name in used and name in was and name in now and text_of(was[name]) != text_of(now[name]):
                        return node.lineno
        return None

    @cached_property
    def fresh(self) -> list[Test]:
        """The tests after the change that are new, or not as they were."""
        return [t for k, t in self.new.tests.items() if t.path in self.touched and not (
            k in self.old.tests and self._as_it_was(self.old.tests[k], t))]  # fmt: skip

    def kept(self, asked: Asked, near: tuple[str, str, str] | None = None) -> bool:
        """Return whether the new suite asks as much as this, in the same way or in another."""
        if self.now.holds(asked, near) or self.now.again(asked, self.fresh) or self._more(asked):
            return True
        if any(is_flag(asked.demand, other.demand, self.new.files) for _, other in self.now.like(asked)):
            return True
        return followed(asked, self.was, self.now, self.touched, self._steps) or any(
            self.now.holds(other, near) for other in moved_along(asked, self._steps)
        )

    @cached_property
    def _steps(self) -> list[tuple[float, float]]:
        """The numbers of the code that are others since, as the brief asks."""
        return steps(self.brief, self.old.files, self.new.files, self.touched)

    def _more(self, asked: Asked) -> bool:
        """Return whether the same is expected of other values now, and of more of them than before."""
        if not asked.short or not asked.demand.expected or asked.demand.strength < 8:
            return False
        if any(True for _ in self.now.weaker(asked)):
            return False
        if edge_held(asked, self.was, self.now, self.touched) is False:
            return False
        before = {a.demand.text for t, a in self.was.on(asked.short[0]) if t.path in self.touched}
        now = {a.demand.text: a.demand for t, a in self.now.on(asked.short[0])
               if t.path in self.touched and not t.skips and not a.demand.guarded}  # fmt: skip
        strict = [d for d in now.values() if d.strength >= asked.demand.strength and d.wide <= asked.demand.wide]
        same = any(d.expected == asked.demand.expected and d.text not in before for d in strict)
        return same and len(strict) > len(before)

    def _otherwise(self, asked: Asked) -> bool:
        """Return whether a new or different test expects something else of the same, as strictly."""
        before = {a.demand.text for _, a in self.was.like(asked)}
        those = [a.demand for t, a in self.now.like(asked) if t in self.fresh and a.demand.text not in before]
        return any(d.subject == asked.demand.subject and not softer(asked.demand, d) for d in those)

    def _holds(self, old: Test, node: ast.AST | None) -> bool:
        """Return whether the new suite asks all that a statement of an old test asked, or all of the test."""
        known = [a for a in self.was.of[old.path, old.owner, old.name] if node is None or a.node is node]
        known = known or [a for a in self.was.of[old.path, old.owner, old.name] if within(node, a.node)]
        return bool(known) and all(self.kept(a, old.key) for a in known)

    def _by_itself(self, demand: Demand, test: Test) -> bool:
        """Return whether what is expected is computed by what is tested."""
        node = demand.node.test if isinstance(demand.node, ast.Assert) else demand.node
        if isinstance(node, ast.Compare) and len(node.comparators) == 1 and isinstance(node.ops[0], ast.Eq):
            left, right = node.left, node.comparators[0]
        elif isinstance(node, ast.Call) and len(node.args) >= 2 and re.search(r"Equal", ast.unparse(node.func)):
            left, right = node.args[0], node.args[1]
        else:
            return False
        one, other = self._whole(left, test), self._whole(right, test)
        return bool(one) and one == other and "(" in one

    def _whole(self, node: ast.expr, test: Test) -> str:
        """Return the call behind an operand, through one name of the test."""
        if isinstance(node, ast.Name):
            values = [
                n.value
                for n in ast.walk(test.node)
                if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == node.id for t in n.targets)
            ]
            if len(values) != 1:
                return ""
            node = values[0]
        node = node.value if isinstance(node, ast.Await) else node
        return ast.unparse(node) if isinstance(node, ast.Call) else ""

    def _at(
        self, test: Test, node: ast.AST, what: str, *, head: bool = False, near: str = "", old: Test | None = None
    ) -> Weaker:
        line = getattr(node, "lineno", test.node.lineno)
        end = line if head else getattr(node, "end_lineno", None) or line
        if near and old is not None and old.path == test.path:
            lines = self.old.lines(old.path)
            at = next((n for n, text in enumerate(lines, 1) if near.strip("()") in text and n >= 1), None)
            if at is not None:
                now = now_at(lines, self.new.lines(test.path), at)
                if now < line or now > end:
                    end = max(end, now) if now - end <= 3 else end
                line = now if line <= now <= end else line
        lines = self.new.lines(test.path)
        return Weaker(test.path, line, max(line, end), what, "\n".join(lines[line - 1 : end])[:400])

    def _elsewhere(self, gone: list[str], new: Test) -> bool:
        def text_of(test: Test) -> str:
            return ast.unparse(test.node) + " ".join(e for _, s in test.sets for e in s)

        others = [text_of(t) for k, t in self.new.tests.items() if t is not new and k not in self.old.tests]
        return any(all(e.strip("()") in text or e in text for e in gone) for text in others)

    def _covered(self, demand: Demand, old: Test, new: Test) -> bool:
        """Return whether something else of the test demands as much: one comparison of the whole, or a split test."""
        base = re.split(r"[.\[(]", demand.subject)[0]
        key = re.search(r"(?:\['|\[\"|\.)(\w+)['\"\]]*$", demand.subject)
        for other in new.demands:
            if (
                other.strength >= 10
                and key
                and demand.expected
                and demand.expected in other.expected
                and key[1] in other.expected
            ):
                return True
            whole = other.strength >= 10 and demand.expected and demand.expected in other.expected
            if whole and (other.subject == base or demand.subject.startswith(other.subject)):
                return True
        raises = demand.subject.startswith("raises")  # what is around it says what it asks
        for test in () if raises else self.new.tests.values():
            before = self.old.tests.get((test.path, test.owner, test.name))
            if (test is not new and any(d.text == demand.text and not d.guarded for d in test.demands)) and (
                before is None or not any(d.text == demand.text for d in before.demands)
            ):
                return True
        return False

    def _made_by(self, test: Test, demand: Demand) -> set[str]:
        """Return what the subject of a demand was made by, through the names of the test."""
        names = {n.id for n in ast.walk(demand.node) if isinstance(n, ast.Name)}
        found: set[str] = set()
        for node in ast.walk(test.node):
            if (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call | ast.Await)) and (
                any(isinstance(t, ast.Name) and t.id in names for t in node.targets)
            ):
                found |= set(re.findall(r"([A-Za-z_]\w*)\(", ast.unparse(node.value)))
        return found


def text_of(node: ast.AST) -> str:
    """Return what a node says, in one way of writing."""
    return ast.unparse(node)


def imports(tree: ast.Module) -> set[str]:
    """Return the names that a file takes from others."""
    return {a.asname or a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}


def matched_elsewhere(demand: Demand, test: Test) -> bool:
    """Return whether the text that `raises(..., match=...)` looked for is looked for by a demand of its own."""
    told = re.search(r"(?:match=|Regex\([\w.]+, )r?(['\"])(.+?)\1", demand.text)
    if told is None or not demand.subject.startswith("raises"):
        return False
    again = any(d.subject.startswith("raises") and d.expected == demand.expected for d in test.demands)
    plain = told[2].replace("\\", "")
    return again and any(plain in d.text for d in test.demands if not d.subject.startswith("raises"))


def within(node: ast.AST | None, outer: ast.AST) -> bool:
    """Return whether a node stands in the lines of another."""
    if node is None or not hasattr(node, "lineno") or not hasattr(outer, "lineno"):
        return False
    line: int = node.lineno
    first: int = outer.lineno
    return first <= line <= (getattr(outer, "end_lineno", None) or first)


def body_of(test: Test) -> str:
    """Return what a test does, in one way of writing."""
    return test.body


def asynchronous(test: Test, suite: Suite) -> bool:
    """Return whether a mark of the test, its class or its file, or a setting, runs a coroutine."""
    if any(_ASYNC.search(ast.unparse(d)) for d in test.node.decorator_list):
        return True
    tree = suite.trees[test.path]
    for node in tree.body:
        if marks_async(node):
            return True
        if isinstance(node, ast.ClassDef) and node.name == test.owner:
            around = [*node.decorator_list, *node.bases, *(s for s in node.body if marks_async(s))]
            if any(_ASYNC.search(ast.unparse(n)) for n in around):
                return True
    return any(b"asyncio_mode" in f.content and b"auto" in f.content for f in suite.files.values())


def marks_async(node: ast.stmt) -> bool:
    """Return whether a statement marks a file or a class as one whose coroutines run."""
    return isinstance(node, ast.Assign | ast.AnnAssign) and "pytestmark" in ast.unparse(node) and bool(
        _ASYNC.search(ast.unparse(node)))  # fmt: skip
