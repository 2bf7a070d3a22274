"""Which column keeps the tenants of a program apart, told by its name, its schema, its brief, and by how it is used.

A name alone proves little: `club_id` is a tenant's key where the caller has a club (`g.club.id`, `self._till.club_id`)
and rows are asked for by it. So a key is a strong name, one that the brief tells of, or one that the program compares
with what it knows of its caller.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.shared import keys_told, may_keep_apart
from squads.gates.sql.tenancy.words import AMBIGUOUS, is_strong_key, may_be_key, names_person, root_of
from squads.gates.words import word_set

_CALLER = re.compile(
    r"(^|_)(user|me|principal|ctx|context|request|caller|actor|auth|identity|viewer|g|self|cls|session|claims|token|scope"
    r"|agent|member|operator|who|current|login|account|info|state|credentials|staff|employee|till|terminal)(_|$)"
)
_ITSELF = re.compile(r"^(self|cls|session|info|state|account|login|member|agent|operator|staff|employee)\b")
_CALLER_INSIDE = re.compile(r"[._](user|caller|ctx|context|request|principal|actor|identity|auth)\b")
_WHO = re.compile(
    r"\b(user|current_user|me|principal|ctx|request\.(state|user|auth)|caller|actor|identity|viewer|g|claims)\b"
)
_THINGS = re.compile(
    r"cart|basket|address|request|trace|correlation|session|order|plan|subscription|role|avatar|default|next|last"
)
_COLUMN = re.compile(r"[Cc]olumn|Field|Mapped|ForeignKey|fields\.|Required|Optional\(|Relation")
HAS_COLUMNS = re.compile(rf"{_COLUMN.pattern}|Optional\s*\(|fields|columns|__slots__|Table")
"""What a file holds that has models or tables with columns."""
_SET_ELSEWHERE = re.compile(
    r"set_config\s*\(\s*['\"]\w+\.|set\s+(local\s+|session\s+)?\w+\.\w*(tenant|org|workspace|account|company)\w*\s*(=|to)"
    r"|with_loader_criteria|django_scopes|django_tenants|schema_context|set_current_tenant|search_path"
    r"|schema_translate_map|do_orm_execute",
    re.IGNORECASE,
)
_SET_WORDS = word_set("set_config criteria django_ schema_ tenant search_path do_orm org workspace account company")
_GIVES = re.compile(r"^(get_|current_|active_|require_|my_|the_|resolve_|request_)|(_var|_ctx|_context|_of_request)$")


def sets_tenant(text: str) -> bool:
    """Return whether a program gives the tenant to the database, or to its sessions, so that queries need not."""
    small = text.lower()
    return any(w in small for w in _SET_WORDS) and _SET_ELSEWHERE.search(text) is not None


def roots_of(modules: Modules, brief: str, keyed: Iterable[str]) -> frozenset[str]:
    """Return the roots of the keys that keep tenants apart in a program.

    Args:
        modules: Every module that is known, with the SQL in it.
        brief: What was asked for.
        keyed: The keys that a schema tells.
    """
    roots = {root_of(k) for k in keyed}
    words = modules.every_word
    told = keys_told(brief, {w for w in words if not names_person(w)})
    roots |= {root_of(w) for w in words if is_strong_key(w) and w not in ("org",)} | {root_of(k) for k in told}
    roots |= {root_of(k) for t in modules.trees(_telling(modules, roots)) for k in _from_callers(t, brief)}
    return frozenset(r for r in roots if len(r) > 2)


def _telling(modules: Modules, roots: set[str]) -> Iterator[str]:
    """Yield the files whose words may tell of a key beside those that are known."""
    for path, words in modules.loose.items():
        new = {w for w in words if len(root := root_of(w)) > 2 and root not in roots}
        keys = {w for w in new if may_be_key(w)}
        ids = {w for w in new if w.endswith("_id") and not names_person(w) and not _THINGS.search(w)}
        known = any(root_of(w) not in AMBIGUOUS for w in keys)
        if known or ((keys or ids) and not modules.read_in(path).isdisjoint(keys | ids)):
            yield path


def key_words(modules: Modules, roots: frozenset[str]) -> Iterator[str]:
    """Yield the files whose words may name a tenant's key in a query."""
    for path, words in modules.loose.items():
        weak = {w for w in words if may_be_key(w)}
        if (
            any(root_of(w) in roots or is_strong_key(w) for w in words)
            or any(root_of(w) not in AMBIGUOUS for w in weak)
            or (weak and not modules.read_in(path).isdisjoint(weak))
        ):
            yield path


def _from_callers(tree: ast.Module, brief: str) -> Iterator[str]:
    """Yield keys that rows are asked for by what the program knows of its caller, or what its functions are given."""
    asked = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg:
            asked.add(node.arg.split("__")[0])
        elif isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
            asked.add(node.left.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            inserted = re.findall(r"\binsert\s+into\s+[\w.\"]+\s*\(([^)]*)\)", node.value, re.IGNORECASE)
            asked |= {w for columns in inserted for w in re.findall(r"\w+", columns)}
            asked |= set(re.findall(r"\b(\w+)\"?\s*=\s*(?:%|:|\$|\?)", node.value))
    given: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                given[root_of(argument.arg)] = given.get(root_of(argument.arg), 0) + 1
        elif isinstance(node, ast.Name) and _GIVES.search(node.id):
            bare = root_of(_GIVES.sub("", _GIVES.sub("", node.id.lower().strip("_"))))
            given[bare] = given.get(bare, 0) + 2
    for name in _surrounding(tree):
        yield from (k for k in asked if may_be_key(k) and root_of(k) == name)
    for root in _of_arguments(tree):
        given[root] = given.get(root, 0) + 2
    for key in sorted(asked):
        root = root_of(key)
        if given.get(root, 0) > 1 and may_be_key(key) and root not in AMBIGUOUS and may_keep_apart(brief, root):
            yield key
    for node in ast.walk(tree):
        name = ""
        if isinstance(node, ast.Attribute) and is_caller(node.value):
            name = node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and is_caller(node.value):
            name = str(node.slice.value)
            node = ast.Attribute(node.value, name)
        if name and name.endswith("_id") and _real(node) and not names_person(name) and not _THINGS.search(name):
            yield from (k for k in asked if root_of(k) == root_of(name))
        if name and may_be_key(name):
            if (
                root_of(name) in AMBIGUOUS
                and _ITSELF.match(ast.unparse(node))
                and not _CALLER_INSIDE.search(ast.unparse(node))
            ):
                continue
            yield from (k for k in asked if may_be_key(k) and root_of(k) == root_of(name))


def _surrounding(tree: ast.Module) -> Iterator[str]:
    """Yield the roots of what a module calls the caller's own, and keeps for each request: `current_shop`."""
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func).rsplit(".", 1)[-1]
            if called in ("ContextVar", "LocalProxy", "local"):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield root_of(_GIVES.sub("", _GIVES.sub("", target.id.lower().strip("_"))))


def _of_arguments(tree: ast.Module) -> Iterator[str]:
    """Yield the roots of what functions read from an argument that is no model: `who.club_id`, `wer.verein_id`."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            held = function.args
            names = {a.arg for a in (*held.posonlyargs, *held.args, *held.kwonlyargs)}
            for node in ast.walk(function):
                read = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr.endswith("_id")
                if read and getattr(getattr(node, "value", None), "id", "") in names:
                    yield root_of(node.attr)  # type: ignore[attr-defined]


def _real(node: ast.AST) -> bool:
    """Return whether an attribute is read from a person or a request, not from an object of whatever kind."""
    return _WHO.search(ast.unparse(node)) is not None


def is_caller(node: ast.AST) -> bool:
    """Return whether an expression stands for who asks: `request.user`, `self._caller`, `g`, `me`."""
    if isinstance(node, ast.Attribute):
        return _CALLER.search(node.attr.lower()) is not None or is_caller(node.value)
    if isinstance(node, ast.Call):
        return is_caller(node.func)
    return isinstance(node, ast.Name) and _CALLER.search(node.id.lower()) is not None


def gives(name: str, roots: frozenset[str]) -> bool:
    """Return whether a function or variable is called after the tenant of the caller: `current_tenant`, `club_var`."""
    bare = _GIVES.sub("", _GIVES.sub("", name.lower().strip("_")))
    return bare != name.lower() and root_of(bare) in roots


def own_keys(tree: ast.Module, roots: frozenset[str]) -> dict[str, set[str]]:
    """Return the keys among the columns of every class and table of a module."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, set()).update(_table_keys(node.value, roots))
        if not isinstance(node, ast.ClassDef):
            continue
        keys = found.setdefault(node.name, set())
        for statement in node.body:
            for name in _columns(statement):
                if root_of(name) in roots and root_of(name) != root_of(node.name):
                    keys.add(name)
    return found


def _columns(statement: ast.stmt) -> Iterator[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    text = ast.unparse(statement) if targets else ""
    if _COLUMN.search(text):
        for target in targets:
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    named = [t.id for t in targets if isinstance(t, ast.Name)]
    if named[:1] in (["columns"], ["fields"], ["__slots__"]) and isinstance(statement, ast.Assign):
        yield from (
            c.value for c in ast.walk(statement.value) if isinstance(c, ast.Constant) and isinstance(c.value, str)
        )


def _table_keys(node: ast.expr, roots: frozenset[str]) -> set[str]:
    """Return the keys of `Table("documents", metadata, Column("tenant_id", ...))`."""
    called = node.func if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or getattr(called, "attr", getattr(called, "id", "")) != "Table":
        return set()
    columns = [a.args[0] for a in node.args if isinstance(a, ast.Call) and a.args]
    texts = [c.value for c in columns if isinstance(c, ast.Constant) and isinstance(c.value, str)]
    return {t for t in texts if root_of(t) in roots}
