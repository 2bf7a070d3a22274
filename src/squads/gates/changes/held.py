"""What a whole suite holds: every demand of every test that runs, with its values."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from squads.gates.changes.apart import given_more, in_parts, is_part, same_value
from squads.gates.changes.asked import Asked, asked_by
from squads.gates.changes.demands import Demand, bounded, softer, wider
from squads.gates.changes.names import Names, Node, as_expression, constants, put
from squads.gates.changes.suite import Suite, Test
from squads.gates.changes.wholes import follows, texts_in

Key = tuple[str, str, str]
_TESTS_MAX = 60
_NOTHING = frozenset(("0", "0.0", "''", "False"))
_WORD = re.compile(r"[A-Za-z_]\w*")
_SET_UP = ("setUp", "setUpClass", "setUpTestData", "asyncSetUp", "setup_method", "setup_class")
_PLAIN_WORDS = "len list set dict tuple sorted str int float bool repr sum min max Decimal approx round abs raises"
_PLAIN = frozenset(_PLAIN_WORDS.split())
_PART = re.compile(r"(?s)(.+?)(?:\.(\w+)|\[['\"]?(?:(\w+))['\"]?\])")


class _Asked(dict[Key, list[Asked]]):
    """What each test asks, read when somebody wants to know."""

    def __init__(self, read: Callable[[Key], list[Asked]]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, key: Key) -> list[Asked]:
        found = self[key] = self._read(key)
        return found


class Held:
    """A suite, read for what it asks."""

    def __init__(self, suite: Suite) -> None:
        self.suite = suite
        self.of: dict[Key, list[Asked]] = _Asked(self._read)
        """What each test asks."""
        self.names: dict[str, Names] = {p: constants(t.body) for p, t in suite.trees.items()}
        """What the constants of each file stand for."""
        self.by_subject: dict[str, list[tuple[Test, Asked]]] = {}
        self.by_short: dict[tuple[str, ...], list[Asked]] = {}
        self.by_key: dict[tuple[str, ...], list[tuple[Test, Asked]]] = {}
        self._indexed: set[Key] = set()
        self._helpers = suite.helpers
        self._known: dict[str, set[str]] = {}
        self._words: dict[str, set[str]] = {}
        self._speaks: dict[str, list[Test]] = {}
        self._on: dict[str, list[tuple[Test, Asked]]] = {}
        self._shared = {n: v for names in self.names.values() for n, v in names.items()}
        self._made = {n: made for n, h in self._helpers.items() if (made := _expression(h)) is not None}

    def _read(self, key: Key) -> list[Asked]:
        test, helpers = self.suite.tests[key], self._helpers
        tree = self.suite.trees[test.path]
        imported = {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
        names = {n: v for n, v in self._shared.items() if n in imported} | self.names[test.path]
        names |= {p: m for n, m in self._made.items() for p in (n, f"self.{n}")}
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == test.owner:
                own = constants(node.body)
                names |= {f"self.{n}": v for n, v in own.items()} | own
                for made in node.body:
                    if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef) and made.name in _SET_UP:
                        names |= {n: put(v, names) for n, v in _set_up(made.body).items()}
        names |= {a: _given(a, helpers, names) or ast.Name(a, ast.Load()) for a in _arguments(test.node)}
        if test.path not in self._known:
            self._known[test.path] = _known(tree)
        return asked_by(test.node, names, helpers, self._known[test.path])

    def _reach(self, asked: Asked) -> None:
        """Read the tests that may ask of the same."""
        words = {w for w in asked.key if w.isidentifier()} - _PLAIN - {"isinstance"}
        words = words or set(_WORD.findall(asked.demand.subject)) - _PLAIN
        words &= set(_WORD.findall(asked.demand.subject))
        for test in min((t for w in words if (t := self._with(w))), key=len, default=[]):  # with the rarest of them
            key = test.key
            if key in self._indexed:
                continue
            self._indexed.add(key)
            if test.skips:
                continue
            for one in self.of[key]:
                self.by_subject.setdefault(one.demand.subject, []).append((test, one))
                self.by_short.setdefault(one.short, []).append(one)
                self.by_key.setdefault(one.key, []).append((test, one))

    def _with(self, word: str) -> list[Test]:
        """Return the tests that speak of something, themselves or through a helper."""
        if word not in self._speaks:
            told = {n for n, h in self._helpers.items() if word in self._called(n, h)} | {word}
            self._speaks[word] = [t for t in self.suite.tests.values()
                                  if told & self._words_of(t.path) and told & self._words_in(t)]  # fmt: skip
        return self._speaks[word]

    def _words_of(self, path: str) -> set[str]:
        if path not in self._words:
            self._words[path] = set(_WORD.findall(self.suite.files[path].text))
        return self._words[path]

    def _words_in(self, test: Test) -> set[str]:
        key = "::".join(test.key)
        if key not in self._words:
            first = min([test.node.lineno, *(d.lineno for d in test.node.decorator_list)])
            said = self.suite.lines(test.path)[first - 1 : test.node.end_lineno]
            for node in self.suite.trees[test.path].body if test.owner else ():
                if isinstance(node, ast.ClassDef) and node.name == test.owner:
                    said += [ast.unparse(n) for n in node.body
                             if not isinstance(n, ast.FunctionDef) or n.name.lower().startswith("setup")]  # fmt: skip
            self._words[key] = set(_WORD.findall("\n".join(said)))
        return self._words[key]

    def _called(self, name: str, helper: Node) -> set[str]:
        key = f"{name}()"
        if key not in self._words:
            self._words[key] = {getattr(n, "id", "") or getattr(n, "attr", "") for n in ast.walk(helper)
                                if isinstance(n, ast.Name | ast.Attribute)}  # fmt: skip
        return self._words[key]

    def on(self, name: str) -> list[tuple[Test, Asked]]:
        """Return what is asked of what a call of this name returns."""
        if name not in self._on:
            tests = self._with(name)
            tests = tests if len(tests) <= _TESTS_MAX else []  # what nearly everything calls tells little
            self._on[name] = [(t, a) for t in tests for a in self.of[t.key] if a.short[:1] == (name,)]
        return self._on[name]

    def like(self, asked: Asked) -> list[tuple[Test, Asked]]:
        """Return what asks of the same subject."""
        self._reach(asked)
        found = self.by_subject.get(asked.demand.subject, []) if asked.demand.subject != "raises" else []
        return found or (self.by_key.get(asked.key, []) if len(asked.key) > 2 else [])

    def holds(self, asked: Asked, near: Key | None = None) -> bool:
        """Return whether something asks as much as this; `near` is where it is looked for first."""
        if near in self.suite.tests and not self.suite.tests[near].skips and any(
            one.demand.subject == asked.demand.subject and _as_much(asked, one) for one in self.of[near]
        ):  # fmt: skip
            return True
        if any(_as_much(asked, other) for _, other in self.like(asked)):
            return True
        for other in self.by_short.get(asked.short, []) if asked.short else []:
            # Whose method it is cannot be told: a fixture or a local made it. The rest is the same.
            if not other.plain and _as_much(asked, other):
                return True
        those = self.on(asked.short[0]) if asked.short else []
        if any(not t.skips and given_more(asked.demand, o.demand) and _as_much(asked, o) for t, o in those):
            return True
        parts = in_parts(asked.demand)
        if parts and all(any(is_part(o.demand, t) for _, o in self.by_subject.get(s, [])) for s, t in parts):
            return True
        if self._follows(asked, near):
            return True
        part = _PART.fullmatch(asked.demand.subject)
        wholes = self.by_subject.get(part[1], []) if part else []
        word = (part[2] or part[3] or "") if part else ""
        told = asked.demand.expected or asked.demand.text
        return any(
            other.demand.strength >= 10 and word in other.demand.expected and told in other.demand.expected
            for _, other in wholes
        )

    def _follows(self, asked: Asked, near: Key | None) -> bool:
        """Return whether a demand is true of what another one says that the whole of its subject is."""
        there = near is not None and near in self.suite.tests and not self.suite.tests[near].skips
        told = self.of[near] if there and near is not None else []
        for text in texts_in(asked.demand.text):
            those = [*(a for _, a in self.by_subject.get(text, ()) if asked.plain), *told]
            for other in those[:_TESTS_MAX]:
                one = other.demand
                exactly = one.subject == text and one.strength >= 10 and not one.guarded
                if exactly and follows(asked.demand.text, text, one.expected):
                    return True
        return False

    def again(self, asked: Asked, fresh: Iterable[Test]) -> bool:
        """Return whether a test that is new or different asks for all the values of this, as strictly."""
        demand, wanted = asked.demand, _values(asked.demand.text)
        calls = {w for w in asked.key if w.isidentifier()} - _PLAIN
        if demand.subject.startswith("raises"):
            # What is around it was made elsewhere; what is handed in there, and what is expected, is what counts.
            handed = {repr(n.value) for part in (asked.node, asked.row) if part is not None
                      for n in ast.walk(part) if isinstance(n, ast.Constant) and n.value is not None}  # fmt: skip
            wanted |= handed | {demand.expected}
        elif not demand.expected and not demand.polarity:
            return False
        elif len(wanted) > 2:
            wanted -= _NOTHING  # it may be the default now
        telling = {w for w in wanted if len(w) > 3 or re.fullmatch(r"-?\d\d+|-?\d*\.\d+", w)}
        told = {w.strip("'\"") for w in telling}
        helpers = {n for n, h in self._helpers.items() if calls & self._called(n, h)}
        near = [t for t in fresh if (calls | helpers) & self._words_in(t)
                or any(w in self.suite.files[t.path].text for w in told)] if wanted else []  # fmt: skip
        for test in near[:_TESTS_MAX]:
            for other in self.of[test.key] if not test.skips else ():
                one = other.demand
                alike = one.wide > 0 and min(one.strength, demand.strength) >= 8 and not wider(demand, one)
                if one.guarded or (one.strength < demand.strength - 0.4 and not alike) or one.strength < 4.5:
                    continue
                if wider(demand, one):
                    continue
                itself = other.short and re.search(rf"\b{re.escape(other.short[0])}\(", one.expected)
                if one.polarity != demand.polarity or itself or (not other.short and says_itself(one)):
                    continue
                held = _values(one.text) | _values(one.subject) | {one.expected}
                if demand.expected != one.expected and len(asked.short) == len(other.short) and (
                    asked.short[:1] == other.short[:1] and asked.short != other.short
                ):  # fmt: skip
                    continue  # another case of the same call
                shared = calls & {w for w in other.key if w.isidentifier()}
                told_values = _values(demand.expected)
                said = told_values <= _values(one.expected) if told_values else demand.expected == one.expected
                said = said or demand.subject.startswith("raises")
                if wanted <= held and said and (shared or telling):
                    return True
        return False

    def weaker(self, asked: Asked) -> Iterator[tuple[Test, Asked]]:
        """Yield what asks of the same subject, and asks less; what asks for the opposite is about something else."""
        said = _truth(asked.demand.expected)
        for test, other in self.like(asked):
            other_way = said is not None and other.demand.polarity == str(not said).lower()
            if not other_way and softer(asked.demand, other.demand):
                yield test, other


def _expression(helper: Node) -> ast.Lambda | None:
    """Return a helper that is one expression as that expression; fixtures are put in by name, and not called."""
    if isinstance(helper, ast.AsyncFunctionDef) or helper.decorator_list:
        return None
    return as_expression(helper)


def _given(name: str, helpers: Mapping[str, Node], names: dict[str, ast.expr], depth: int = 0) -> ast.expr | None:
    """Return what a fixture gives, where it is one expression."""
    helper = helpers.get(name)
    if helper is None or depth > 3 or not any("fixture" in ast.unparse(d) for d in helper.decorator_list):
        return None
    last = helper.body[-1]
    value = last.value if isinstance(last, ast.Return | ast.Expr) else None
    value = value.value if isinstance(value, ast.Yield) else value
    if value is None:
        return None
    for made in helper.body:
        if isinstance(made, ast.FunctionDef) and isinstance(value, ast.Name) and made.name == value.id:
            return _expression(made)  # a fixture that gives a function
    own = {a: g for a in _arguments(helper) if (g := _given(a, helpers, names, depth + 1)) is not None}
    return put(put(value, constants(helper.body)), names | own)


def _set_up(body: Sequence[ast.stmt]) -> dict[str, ast.expr]:
    """Return what a method that runs before a test leaves for it."""
    found: dict[str, ast.expr] = {}
    for name, value in constants(body).items():
        found[name] = put(value, found)
    return {n: v for n, v in found.items() if n.startswith("self.")}


def _arguments(node: Node) -> list[str]:
    return [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _known(tree: ast.Module) -> set[str]:
    """Return the names that mean the same everywhere in a file: imports, definitions, built-in functions."""
    found = set(dir(__builtins__)) if not isinstance(__builtins__, dict) else set(__builtins__)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(a.asname or a.name).split(".")[0] for a in node.names}
    return found


def _as_much(old: Asked, new: Asked) -> bool:
    one, other = old.demand, new.demand
    if one.text == other.text:
        return not other.guarded or bool(one.guarded)
    if softer(one, other):
        return False
    if bounded(one) and bounded(other):
        return True
    if re.match(r"isinstance\(|type\(", one.text) and not re.match(r"isinstance\(|type\(", other.text):
        return other.strength >= 10 and re.match(r"['\"\[({]|True|False|None", other.expected) is not None
    if one.polarity and other.strength >= 8 and other.expected:
        said = _truth(other.expected)
        return said is None or said == (one.polarity == "true")
    if one.polarity or other.polarity:
        return one.polarity == other.polarity
    return same_value(one.expected, other.expected) or (one.strength < 8 and other.strength >= 8)


def says_itself(demand: Demand) -> bool:
    """Return whether what is expected is computed by a function that is tested."""
    calls = set(re.findall(r"([A-Za-z_]\w*)\(", demand.subject))
    return bool((calls - _PLAIN) & set(re.findall(r"([A-Za-z_]\w*)\(", demand.expected)))


def _values(text: str) -> set[str]:
    """Return the constants of a text of code."""
    try:
        tree = ast.parse(text.removeprefix("raises "))
    except (SyntaxError, ValueError):
        return {text}
    return {repr(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant) and n.value is not None}


def _truth(text: str) -> bool | None:
    try:
        return bool(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError):
        return None
