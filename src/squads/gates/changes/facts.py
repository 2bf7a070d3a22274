"""What a file fixes by value: constants, defaults, arguments by name, decorators, settings, each by its name."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.changes.pieces import folded, tree_of

SETTINGS = re.compile(r"\.(?:ya?ml|toml|json|ini|cfg|env|properties)$|(?:^|/)\.env[\w.]*$")
_SIZE_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that a file fixes."""

    name: str
    """Where it stands, with what it is: `get(verify)`, `RETRIES`, `database.pool`."""
    kind: str
    """`constant`, `default`, `argument`, `comparison`, `decorator`, `entry` or `setting`."""
    value: str
    line: int
    end_line: int

    @property
    def word(self) -> str:
        """The part that names the value itself."""
        if self.kind == "decorator":
            return self.name.rsplit("@", 1)[-1]
        inner = re.search(r"\(([^()]*)\)$", self.name)
        return inner[1] if inner else self.name.rsplit(".", 1)[-1] if self.kind != "setting" else self.name


def facts(path: str, text: str) -> dict[str, Fact]:
    """Return what a file fixes; empty for what cannot be read."""
    if len(text) > _SIZE_MAX:
        return {}
    try:
        if path.endswith((".py", ".pyi")):
            tree = tree_of(text)
            found = list(_python(tree.body, "")) if tree is not None else []
        elif SETTINGS.search(path):
            found = list(_settings(path, text))
        else:
            found = []
    except (SyntaxError, ValueError, RecursionError, TypeError):
        return {}
    seen: dict[str, Fact] = {}
    for one in found:
        name = one.name
        while name in seen:
            name += "'"
        seen[name] = one
    return seen


def changed_facts(path: str, old: str, new: str) -> Iterator[tuple[Fact, Fact | None, Fact | None]]:
    """Yield (what to point at, before, now) for every value that differs, was taken away or came."""
    before, now = facts(path, old), facts(path, new)
    # What is handed to the same argument may stand in a call that is written in another way.
    came = Counter(_held(f) for n, f in now.items() if n not in before)
    went = Counter(_held(f) for n, f in before.items() if n not in now)
    for name, fact in now.items():
        was = before.get(name)
        if (was is None and not went[_held(fact)]) or (was is not None and was.value != fact.value):
            yield fact, was, fact
    for name, fact in before.items():
        if name not in now and not came[_held(fact)]:
            yield fact, fact, None


def _held(fact: Fact) -> tuple[str, str, str, str]:
    return "" if fact.kind == "argument" else fact.name, fact.kind, fact.word, fact.value


def _python(body: list[ast.stmt], owner: str) -> Iterator[Fact]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _function(node, owner)
            case ast.ClassDef():
                for decorator in node.decorator_list:
                    yield _fact(f"{owner}{node.name}@", "decorator", decorator)
                yield from _python(node.body, f"{owner}{node.name}.")
            case ast.Assign() | ast.AnnAssign() if node.value is not None:
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    yield from _value(f"{owner}{ast.unparse(target)}", node.value, node)
            case ast.If() | ast.Try() | ast.With():
                yield from _python(node.body, owner)


def _value(name: str, value: ast.expr, at: ast.AST) -> Iterator[Fact]:
    if isinstance(value, ast.Dict) and value.keys and all(isinstance(k, ast.Constant) for k in value.keys):
        for key, inner in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield from _value(f"{name}.{key.value!s}", inner, inner)
    elif isinstance(value, ast.Call) and any(isinstance(a, ast.Dict) for a in value.args):
        rest = [a for a in value.args if not isinstance(a, ast.Dict)]
        yield _fact(name, "constant", ast.Call(value.func, rest, []), at)
        for held in value.args:
            if isinstance(held, ast.Dict):
                yield from _value(name, held, at)
    elif isinstance(value, ast.Call) and value.keywords:
        bare = ast.Call(value.func, value.args, [k for k in value.keywords if k.arg is None])
        yield _fact(name, "constant", bare, at)
        for word in value.keywords:
            if word.arg:
                yield _fact(f"{name}({word.arg})", "argument", word.value)
    elif not isinstance(value, ast.Lambda):
        yield _fact(name, "constant", value, at)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> Iterator[Fact]:
    arguments, name = node.args, f"{owner}{node.name}"
    plain = [*arguments.posonlyargs, *arguments.args]
    pairs = [*zip(reversed(plain), reversed(arguments.defaults), strict=False)]
    pairs += [(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    for argument, default in pairs:
        yield _fact(f"{name}({argument.arg})", "default", default)
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        yield _fact(f"{name}@{ast.unparse(called)}", "decorator", decorator)
    for call in ast.walk(ast.Module(node.body, [])):
        if isinstance(call, ast.Dict) and len(call.keys) > 1:
            for key, inner in zip(call.keys, call.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield _fact(f"{name}.{key.value}", "entry", inner)
        if isinstance(call, ast.Compare | ast.BinOp):
            held = [n.id for n in ast.walk(call) if isinstance(n, ast.Name) and n.id.isupper()]
            if held:
                left = ast.unparse(call.left)[:40] if isinstance(call, ast.Compare) else ""
                yield _fact(f"{name}.{left}({'_'.join(held)})", "comparison", call)
        if isinstance(call, ast.Call):
            for word in call.keywords:
                named = [n.id for n in ast.walk(word.value) if isinstance(n, ast.Name) and n.id.isupper()]
                if word.arg and named:
                    held_by = f"{name}.{ast.unparse(call.func)[:80]}({word.arg}_{'_'.join(named)})"
                    yield _fact(held_by, "argument", word.value)
                if word.arg and isinstance(word.value, ast.Constant):
                    yield _fact(f"{name}.{ast.unparse(call.func)[:80]}({word.arg})", "argument", word.value)


def _fact(name: str, kind: str, value: ast.expr, at: ast.AST | None = None) -> Fact:
    place = at or value
    line = getattr(place, "lineno", 1)
    return Fact(name, kind, folded(value), line, getattr(place, "end_lineno", None) or line)


def _settings(path: str, text: str) -> Iterator[Fact]:
    if path.endswith((".yml", ".yaml")):
        import yaml

        try:
            for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
                yield from _yaml(document, "")
        except yaml.YAMLError:
            return
        return
    lines = text.split("\n")
    if path.endswith((".toml", ".json")):
        data = tomllib.loads(text) if path.endswith(".toml") else json.loads(text)
        for name, value in _flat(data, ""):
            last = re.sub(r"\[\d+\]", "", name).rsplit(".", 1)[-1]
            pattern = re.compile(rf"""(?:^|[\s{{,"'.]){re.escape(last)}["']?\s*[=:]""")
            lines_of = [n for n, line in enumerate(lines, 1) if pattern.search(line)]
            near = next((n for n in lines_of if str(value) in lines[n - 1]), lines_of[0] if lines_of else 1)
            yield Fact(name, "setting", repr(value), near, near)
        return
    section = ""
    for number, line in enumerate(lines, 1):
        head = re.match(r"\s*\[([^\]]+)\]", line)
        pair = re.match(r"\s*(?:export\s+)?([\w.-]+)\s*[=:]\s*(.*?)\s*$", line)
        if head:
            section = f"{head[1]}."
        elif pair and not line.lstrip().startswith(("#", ";")):
            yield Fact(f"{section}{pair[1]}", "setting", pair[2], number, number)


def _yaml(node: object, name: str) -> Iterator[Fact]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _yaml(value, f"{name}.{key.value}".lstrip("."))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _yaml(value, f"{name}[{number}]")
    elif isinstance(node, yaml.ScalarNode):
        line = node.start_mark.line + 1
        yield Fact(name, "setting", f"{node.tag} {node.value}", line, node.end_mark.line + 1)


def _flat(data: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flat(value, f"{name}.{key}".lstrip("."))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _flat(value, f"{name}[{number}]")
    else:
        yield name, data
