"""What a change takes from its tests: whole tests, demands, the strength of a demand, and whether they run at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from squads.gates.changes.apart import idle, is_flag
from squads.gates.changes.asked import Asked
from squads.gates.changes.demands import Demand, softer, wider
from squads.gates.changes.held import says_itself
from squads.gates.changes.lines import now_at
from squads.gates.changes.stubs import modules, stubbed, stubs
from squads.gates.changes.suite import Test
from squads.gates.changes.suites import (
    Suites,
    Weaker,
    asynchronous,
    body_of,
    imports,
    marks_async,
    matched_elsewhere,
    text_of,
)

_KEEPS = re.compile(
    r"(?i)refactor|no (?:change (?:of|in) )?behaviou?r|behaviou?r (?:stays|is unchanged|does not|must not"
    r"|unchanged|as it)"
    r"|same (?:results?|behaviou?r|output)|without changing|must not change|do(?:es)? not change|leave the tests"
    r"|tests? (?:as they|unchanged)|\bholds? (?:what|everything|all|as much)|\bas strict|\bgo on holding"
    r"|\b(?:does|holds?|do|tests?)\W+stays? the same|\bstays? the same"
)

_SETTINGS = ("pytest.ini", ".pytest.ini", "pyproject.toml", "setup.cfg", "tox.ini")


class Compared(Suites):
    """Two suites, the brief of the change between them, and which of the base's names are gone."""

    def found(self, only: set[tuple[str, str, str]] | None = None) -> Iterator[Weaker]:
        """Yield what became weaker, test by test: all of them, or `only` these. `suspects` are those that did."""
        yield from self._replaced()
        yield from self._fixtures()
        taken: set[tuple[str, str, str]] = set()
        pairs: list[tuple[Test, Test | None]] = []
        for key, test in self.old.tests.items():
            if test.path not in self.touched:
                continue
            match = self.new.tests.get(key)
            if match is not None:
                taken.add(key)
                if not self._as_it_was(test, match):
                    pairs.append((test, match))
        for key, test in self.old.tests.items():
            if test.path in self.touched and key not in self.new.tests:
                match = self._moved(test, taken)
                if match is not None:
                    taken.add((match.path, match.owner, match.name))
                pairs.append((test, match))
        for test, line, what in idle(pairs):
            yield Weaker(test.path, line, line, what, "")
        for test, match in pairs:
            if only is not None and test.key not in only:
                continue
            found = list(self._of(test, match))
            if found:
                self.suspects.add(test.key)
            yield from found

    def _of(self, test: Test, match: Test | None) -> Iterator[Weaker]:
        known = self.was.of[test.path, test.owner, test.name]
        where = match.key if match is not None else None
        lost = [a for a in known if a.plain and not a.demand.guarded and not self.kept(a, where)]
        if match is None:
            yield from self._removed(test, lost)
            return
        found = list(self._weakened(test, match))
        yield from found or self._lost(test, match, lost)

    def _replaced(self) -> Iterator[Weaker]:
        """Yield definitions of tests that stand in the place of what was imported to be tested."""
        for path, tree in self.new.trees.items():
            before = self.old.trees.get(path)
            if before is None or path not in self.touched:
                continue
            imported, still = imports(before), imports(tree)
            for node in tree.body:
                names = [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
                if isinstance(node, ast.Assign):
                    names = [t.id for t in node.targets if isinstance(t, ast.Name)]
                for name in names:
                    if name in imported and name not in still and name not in self.gone:
                        yield Weaker(path, node.lineno, node.end_lineno, f"{name} is no longer what was to be tested",
                                     self.new.lines(path)[node.lineno - 1])  # fmt: skip

    def _fixtures(self) -> Iterator[Weaker]:
        """Yield fixtures that tests of the base have since, and that replace what these are to test."""
        imported = {m for t in self.old.trees.values() for m in modules(t)}
        stood = ast.Module([n for p, t in self.old.trees.items() if p in self.touched for n in t.body], [])
        handed = {a.arg for k, t in self.new.tests.items() if k in self.old.tests and t.path in self.touched
                  for a in t.node.args.args}  # fmt: skip
        before_all = {(o, n) for o, n, _ in stubs(stood)}
        asked = {w for t in self.old.tests.values() if t.path in self.touched for d in t.demands
                 for w in re.findall(r"(\w+)\(", d.subject)}  # fmt: skip
        for path, tree in self.new.trees.items():
            before = self.old.trees.get(path)
            known = {n.name: n for n in before.body if isinstance(n, ast.FunctionDef)} if before else {}
            for node in tree.body if path in self.touched else ():
                marks = [ast.unparse(d) for d in getattr(node, "decorator_list", ())]
                own = isinstance(node, ast.FunctionDef) and node.name in handed and any("fixture" in m for m in marks)
                every = any("autouse=True" in m for m in marks)
                if not isinstance(node, ast.FunctionDef):
                    continue
                for owner, name, call in stubs(node) if own and not every else ():
                    if name in asked and (owner, name) not in before_all and any(self.code.functions(owner, name)):
                        what = f"{node.name} replaces {name}, which is to be tested"
                        yield Weaker(path, call.lineno, call.end_lineno, what, self.new.lines(path)[call.lineno - 1])
                if own or every:
                    for text, call in stubbed(node, known.get(node.name) if every else stood, self.code, imported):
                        what = f"{node.name} replaces {text}, which computes what the tests are to test"
                        yield Weaker(path, call.lineno, call.end_lineno, what, self.new.lines(path)[call.lineno - 1])

    # Where a test went

    def _moved(self, test: Test, taken: set[tuple[str, str, str]]) -> Test | None:
        """Return where a test went: under its own name elsewhere, or the same demands under another name."""
        left = [t for k, t in self.new.tests.items() if k not in taken and k not in self.old.tests]
        named = [t for t in left if t.name == test.name]
        if named:
            return named[0]
        body = body_of(test)
        best, most = None, 0.6
        for other in left:
            matcher = SequenceMatcher(None, body, body_of(other))
            if matcher.real_quick_ratio() >= most and matcher.quick_ratio() >= most and matcher.ratio() >= most:
                best, most = other, matcher.ratio()
        return best

    def _removed(self, test: Test, lost: list[Asked]) -> Iterator[Weaker]:
        found = list(self._taken_away(test, lost))
        yield from found
        for asked in lost if found else ():
            for other, one in self.now.on(asked.short[0]) if asked.short else ():
                if any(a.demand.strength <= one.demand.strength for _, a in self.was.like(one)):
                    continue  # it asked no more before
                if one.demand.strength < asked.demand.strength - 0.4 and not self._unchanged(other):
                    what = f"`{one.demand.text[:80]}` asks less than `{asked.demand.text[:80]}`, which is gone"
                    yield self._at(other, one.node, what)
                    return

    def _taken_away(self, test: Test, lost: list[Asked]) -> Iterator[Weaker]:
        known = self.was.of[test.path, test.owner, test.name]
        if not test.demands or self._feature_gone(test) or all(self.kept(a) for a in known if known):
            return
        if lost and test.path in self.new.files:
            found = list(self._lost(test, None, lost))
            if found:
                yield from found
                return
            if not _KEEPS.search(self.brief) and all(self._otherwise(a) for a in lost):
                return
        elif not lost and self._merged(test):
            return
        path = test.path
        if path not in self.new.files:
            moved = next((t.path for t in self.new.tests.values() if t.name == test.name), None)
            if moved is None:
                yield Weaker(path, None, None, f"{test.name} is gone with its file", ast.unparse(test.node)[:200])
            return
        still = [
            n
            for n in ast.walk(self.new.trees.get(path, ast.Module([], [])))
            if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
            and (n.name == test.name or SequenceMatcher(None, text_of(n), text_of(test.node)).ratio() > 0.8)
        ]
        if still and test.demands:
            line = next(
                (
                    n.lineno
                    for n in ast.walk(self.new.trees.get(path, ast.Module([], [])))
                    if isinstance(n, ast.ClassDef) and n.name == test.owner and still[0] in n.body
                    and still[0].name == test.name
                ),
                still[0].lineno,
            )  # fmt: skip
            yield Weaker(path, line, line, f"{test.name} is no longer collected", still[0].name)
            return
        line = now_at(self.old.lines(path), self.new.lines(path), test.node.lineno)
        yield Weaker(path, line, line, f"{test.name} is gone", "")

    def _lost(self, old: Test, new: Test | None, lost: list[Asked]) -> Iterator[Weaker]:
        """Yield what is asked no longer, with these values: where it is asked less strictly, or left out of a list."""
        if not lost or self._feature_gone(old) or old.skips:
            return
        for asked in lost:
            for test, other in self.now.weaker(asked):
                if self._unchanged(test) or matched_elsewhere(asked.demand, test):
                    continue
                fixed = self._constant(test, other)
                what = f"`{other.demand.text[:80]}` asks less than `{asked.demand.text[:80]}`"
                if fixed is not None:
                    yield Weaker(test.path, fixed, fixed, what, self.new.lines(test.path)[fixed - 1])
                else:
                    yield self._at(test, other.node, what)
                return
        for asked in lost:
            for test, other in self.now.like(asked):
                if says_itself(other.demand) and not says_itself(asked.demand):
                    at: int = getattr(other.node, "lineno", test.node.lineno)
                    line = self._constant(test, other) or at
                    what = f"`{other.demand.text[:80]}` expects what the subject itself says"
                    yield Weaker(test.path, line, line, what, self.new.lines(test.path)[line - 1])
                    return
        for asked in lost:
            if self.now.like(asked):
                continue  # something else is expected of it: a change of behaviour, or the brief's business
            for test in self.new.tests.values():
                if test.skips or self._unchanged(test) or test.path not in self.touched:
                    continue
                homes = [a.home for a in self.now.of[test.path, test.owner, test.name]
                         if a.home is not None and a.key[:1] == asked.key[:1]]  # fmt: skip
                if homes and hasattr(homes[0], "lineno"):
                    near = old if old.path == test.path else None
                    yield self._at(test, homes[0], f"nothing demands `{asked.demand.text[:80]}` any more",
                                   near=asked.demand.expected if near else "", old=near)  # fmt: skip
                    return
        missing = [a for a in lost if not self.now.like(a)]
        if new is not None and missing and new.path != old.path and old.path not in self.new.files:
            what = f"nothing demands `{missing[0].demand.text[:80]}` any more, which went with its file"
            yield Weaker(old.path, None, None, what, "")
        if new is None or not missing or new.path != old.path:
            return
        line = now_at(self.old.lines(old.path), self.new.lines(new.path), getattr(missing[0].node, "lineno", 1))
        line = min(max(line, new.node.lineno), new.node.end_lineno or line)
        yield Weaker(new.path, line, line, f"nothing demands `{missing[0].demand.text[:80]}` any more", "")

    # One test, before and after

    def _weakened(self, old: Test, new: Test) -> Iterator[Weaker]:
        if len(new.skips) > len(old.skips):
            before = [t for t, _ in old.skips]
            text, node = next(((t, n) for t, n in new.skips if t not in before), new.skips[-1])
            yield self._at(new, node, f"{new.name} is kept from running, or from failing, by {text[:80]}")
            return
        ran = isinstance(new.node, ast.AsyncFunctionDef) and asynchronous(old, self.old)
        if ran and not asynchronous(new, self.new):
            home = next((n for n in self.old.trees[old.path].body if marks_async(n)), None)
            line = new.node.lineno
            if home is not None and old.path == new.path:
                line = now_at(self.old.lines(old.path), self.new.lines(new.path), home.lineno)
            yield Weaker(new.path, line, line, f"{new.name} lost the mark that runs it", "")
            return
        yield from self._marked(old, new)
        yield from self._patches(old, new)
        yield from self._sets(old, new)
        yield from self._demands(old, new)

    def _marked(self, old: Test, new: Test) -> Iterator[Weaker]:
        """Yield marks that leave a test out, let it fail, or make it look at less."""
        options = " ".join(f.text for p, f in self.new.files.items() if p.rsplit("/", 1)[-1] in _SETTINGS)
        before = {ast.unparse(d) for d in old.node.decorator_list}
        for node in new.node.decorator_list:
            text = ast.unparse(node)
            mark = re.match(r"pytest\.mark\.(\w+)", text)
            if text in before:
                continue
            if mark is not None and re.search(rf"-m[ =]?[\"'\\]*not {mark[1]}\b", options):
                yield self._at(new, node, f"{new.name} is left out by its mark {mark[1]}")
            examples = [re.search(r"max_examples=(\d+)", t) for t in (*before, text)]
            numbers = [int(m[1]) for m in examples if m]
            if "max_examples" in text and numbers and numbers[-1] < min(numbers[:-1], default=100):
                yield self._at(new, node, f"{new.name} looks at {numbers[-1]} examples")
            given = next((t for t in before if t.startswith(("given(", "hypothesis.given("))), None)
            narrowed = re.compile(r"min_\w+=|max_\w+=|\.filter\(|just\(|sampled_from\(")
            if (
                given is not None
                and re.match(r"(?:hypothesis\.)?given\(", text)
                and (len(narrowed.findall(text)) > len(narrowed.findall(given)))
            ):
                yield self._at(new, node, f"{new.name} looks at less than `{given[:80]}`")
        was = ast.unparse(old.node)
        for call in ast.walk(new.node):
            assumes = isinstance(call, ast.Call) and ast.unparse(call.func) in ("assume", "hypothesis.assume")
            if assumes and ast.unparse(call) not in was:
                yield self._at(new, call, f"`{ast.unparse(call)[:80]}` leaves values out")
        if (
            any("strict=True" in t for t, _ in old.skips)
            and new.skips
            and not (any("strict=True" in t for t, _ in new.skips))
        ):
            yield self._at(new, new.skips[0][1], f"{new.name} may pass against its mark")

    def _patches(self, old: Test, new: Test) -> Iterator[Weaker]:
        before = {t for t, _ in old.patches}
        subjects = {w for d in old.demands for w in re.findall(r"([A-Za-z_]\w*)\(", d.text)}
        subjects |= {w for d in old.demands for w in self._made_by(old, d)}
        imported = modules(self.new.trees[new.path])
        for text, call in stubbed(new.node, old.node, self.code, imported):
            yield self._at(new, call, f"{new.name} replaces {text}, which computes what it is to test")
            return
        for text, node in new.patches:
            if text and text not in before and text in subjects:
                yield self._at(new, node, f"{new.name} replaces {text}, which it is to test")

    def _sets(self, old: Test, new: Test) -> Iterator[Weaker]:
        if not old.sets or self._holds(old, None):
            return
        for number, (_, elements) in enumerate(old.sets):
            now = new.sets[number] if number < len(new.sets) else None
            if now is None:
                if elements and not any(e in ast.unparse(new.node) for e in elements[1:]) and len(elements) > 1:
                    yield self._at(
                        new, new.node, f"{new.name} no longer goes through its {len(elements)} sets", head=True
                    )
                continue
            gone = [e for e in elements if e not in now[1]]
            if len(now[1]) < len(elements) and gone and not self._elsewhere(gone, new):
                yield self._at(new, now[0], f"{new.name} lost the set {gone[0][:60]}", near=gone[0], old=old)

    def _demands(self, old: Test, new: Test) -> Iterator[Weaker]:
        left = list(new.demands)
        missing: list[Demand] = []
        for demand in old.demands:
            same = next((d for d in left if d.text == demand.text), None)
            if same is None:
                missing.append(demand)
                continue
            left.remove(same)
            if same.guarded and not demand.guarded:
                yield self._at(
                    new,
                    same.node,
                    f"`{same.text[:80]}` may not be asked any more: it stands in or after {same.guarded}",
                )
                return
        told: set[int] = set()
        for demand in missing:
            successor = self._successor(demand, left)
            if self._holds(old, demand.node):
                if successor is not None:
                    left.remove(successor)
                continue
            if successor is None:
                if demand.strength == 0 or self._covered(demand, old, new):
                    continue
                line = now_at(self.old.lines(old.path), self.new.lines(new.path), getattr(demand.node, "lineno", 1))
                if old.path == new.path and line not in told:
                    first, last = new.node.lineno, new.node.end_lineno or new.node.lineno
                    line = min(max(line, first), last)
                    told.add(line)
                    yield Weaker(new.path, line, line, f"{new.name} no longer demands `{demand.text[:80]}`", "")
                elif old.path != new.path:
                    yield self._at(new, new.node, f"{new.name} no longer demands `{demand.text[:80]}`", head=True)
                continue
            left.remove(successor)
            why = self._softer(demand, successor, new)
            if why:
                yield self._at(new, successor.node, why)
        for demand in new.demands:
            if self._by_itself(demand, new) and not any(self._by_itself(d, old) for d in old.demands):
                yield self._at(new, demand.node, f"`{demand.text[:80]}` compares the subject with itself")

    def _successor(self, demand: Demand, left: list[Demand]) -> Demand | None:
        """Return the demand that took another's place: on the same subject, or written nearly alike."""
        if demand.subject.startswith("raises"):
            return next((d for d in left if d.subject.startswith("raises")), None)
        same = [d for d in left if d.subject == demand.subject or d.subject.startswith(f"{demand.subject}.")]
        same = same or [d for d in left if d.subject and (d.subject in demand.subject or demand.subject in d.subject)]
        if same:
            return max(same, key=lambda d: SequenceMatcher(None, d.text, demand.text).ratio())
        alike = [
            (SequenceMatcher(None, d.text, demand.text).ratio(), d) for d in left if not d.subject.startswith("raises")
        ]
        best = max(alike, key=lambda pair: pair[0], default=(0.0, None))
        if best[0] >= 0.5:
            return best[1]
        calls = set(re.findall(r"([A-Za-z_]\w*)\(", demand.text)) - {"len", "str", "sorted", "approx"}
        return next((d for d in left if calls & set(re.findall(r"([A-Za-z_]\w*)\(", d.text))), None)

    def _softer(self, old: Demand, new: Demand, test: Test) -> str:
        if new.guarded and not old.guarded:
            return f"`{new.text[:80]}` may not be asked: it stands in or after {new.guarded}"
        if matched_elsewhere(old, test) or is_flag(old, new, self.new.files):
            return ""
        if softer(old, new):
            wide = wider(old, new)
            return f"`{new.text[:80]}` {'lets more pass' if wide else 'demands less'} than `{old.text[:80]}`"
        if self._by_itself(new, test) and not self._by_itself(old, test):
            return f"`{new.text[:80]}` expects what the subject itself says"
        constant = re.compile(r"^[-\d.'\"\[({]|^(?:True|False|None|Decimal)")
        if (new.expected != old.expected and new.strength >= 8 and _KEEPS.search(self.brief)) and (
            constant.match(new.expected) and constant.match(old.expected)
        ):
            return f"`{new.text[:80]}` expects something else, and the brief keeps the behaviour"
        return ""
