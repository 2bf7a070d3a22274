"""The world in which every secret is a sample: a text of its own that is looked for in what the program writes.

A name, a key of the environment or of a header says that something is a secret, and so does its use: what is sent as
`Authorization`, what opens a database, what signs. What a mask leaves of the sample is what it leaves of the secret.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import re

from squads.gates.python import Class, Function, Instance, Module, Program
from squads.gates.python.bindings import Binding
from squads.gates.secrets import pure
from squads.gates.secrets.live import live
from squads.gates.secrets.machine import Machine
from squads.gates.secrets.pure import GAP, UNKNOWN, Box, Thing, known, written
from squads.gates.secrets.shapes import fields_of
from squads.gates.secrets.uses import Uses
from squads.gates.secrets.words import is_address, reveals, words_of
from squads.gates.secrets.world import World
from squads.gates.words import word_set

_TEXT_MAX = 3_000
_RUN = 11
"""From how many letters in a row a part of a secret counts as the secret."""
_CALLERS_MAX = 4
_LETS_IN = re.compile(r"(?i)sess|sid|auth|token|remember|jwt|login")
_BARE = word_set("token auth_header authorization_header old_token new_token current_token raw_token")
_WRAPPED = word_set("value data payload text secret_string secretstring secret secretbinary plaintext secret_value")
ENVIRONMENT = "the whole environment"
HEADERS = "the request's headers, credentials among them,"


class Length(int):
    """The length of a sample: no test of it is sure."""


class Samples(World):
    """Gives samples for secrets, and finds them again."""

    def __init__(self, program: Program, uses: Uses) -> None:
        self.program = program
        self.uses = uses
        self.machine: Machine | None = None
        self._known: dict[str, str] = {}
        self._runs: dict[str, str] = {}
        self._answers: dict[str, str] = {}
        self._handing: list[ast.arg] = []
        self._fields: dict[tuple[Class, bool], list[tuple[str, bool, bool]]] = {}
        self._named: dict[tuple[str, ast.expr], object] = {}

    # Samples

    def of(self, name: str, *, address: bool | None = None, text: str = "") -> str:
        """Return the sample for the secret of this name."""
        if name not in self._known:
            made = base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()
            made = re.sub(r"[^A-Za-z0-9]", "", made)[:24]
            self._look_for(made, name)
            if is_address(name) if address is None else address:
                made = f"postgresql://service:{made}@db.internal:5432/main"
            elif name.lower().endswith("authorization"):
                made = f"Bearer {made}"
            self._known[name] = made
        return text.format(self._known[name]) if text else self._known[name]

    def _look_for(self, text: str, name: str) -> None:
        lower = text.lower()
        for one in (lower, lower[::-1], text.encode().hex()):
            for start in range(len(one) - _RUN + 1):
                self._runs.setdefault(one[start : start + _RUN], name)
        self._answers.clear()

    def shown(self, value: object) -> str:
        """Return the name of the secret that a value's text shows; empty where it shows none."""
        return self._shown_in(written(value))

    def _shown_in(self, text: str) -> str:
        text = text[:_TEXT_MAX]
        if len(text) < _RUN or not self._runs:
            return ""
        if text not in self._answers:
            if len(self._answers) > 2_000:
                self._answers.clear()
            lower = text.lower()
            self._answers[text] = self._found(lower) or self._found("".join(filter(str.isalnum, lower)))
        return self._answers[text]

    def _found(self, text: str) -> str:
        runs = self._runs
        return next(
            (runs[part] for n in range(len(text) - _RUN + 1) if (part := text[n : n + _RUN]) in runs),
            "",
        )

    def bare(self, value: object) -> bool:
        """Return whether a value is a secret and nothing around it."""
        return isinstance(value, str) and value in self._known.values()

    def weight(self, value: object) -> int:
        """A value that shows a secret counts before all others."""
        if value is UNKNOWN or value is None:
            return 0
        text = written(value)
        return (10_000 if self._shown_in(text) else 0) + 1 + min(len(text.strip(GAP)), 999)

    def certain(self, *values: object) -> bool:
        """A secret may have any value."""
        return known(*values) and not any(isinstance(v, Length) or self.shown(v) for v in values)

    def insists(self, node: ast.expr) -> bool:
        """Return whether something is used like a secret."""
        return bool(self.uses.of(node))

    # Where secrets come from

    def named(self, name: str, node: ast.expr) -> object:
        """Return a sample for what is called like a secret, or used like one."""
        found = self._named.get((name, node))
        if found is None:
            found = self._named[name, node] = self._by_name(name, node)
        return pure.copied(found)

    def _by_name(self, name: str, node: ast.expr) -> object:
        if self._kind(node):
            return Thing("hidden", "**********", {"value": self.of(name)})
        if isinstance(node, ast.Name | ast.Attribute):
            if any(isinstance(t, Module | Class | Function) for t in self.program.names.things(node)):
                return UNKNOWN
            annotation = self._annotation(node)
            if annotation and re.search(r"\b(bool|int|float|date|datetime)\b", annotation):
                return UNKNOWN
            instance = next((t for t in self.program.names.things(node) if isinstance(t, Instance)), None)
            if instance is not None:
                return self.instance(instance.made_by)
        if self._secret(name, node):
            return self.of(name)
        used = self.uses.of(node)
        if used:
            return self._used(name, used)
        if isinstance(node, ast.Name | ast.Attribute) and name != "environ":
            keys = self.uses.taken(node)
            if keys:
                box = Box({k: self.of(k) for k in keys})
                box.more = True
                return box
        return UNKNOWN

    def _used(self, name: str, how: str) -> object:
        return (GAP, self.of(name)) if how == "pair" else self.of(name, address=how == "address")

    def _secret(self, name: str, node: ast.AST) -> bool:
        lower = name.lower()
        if lower.endswith("authorization") or lower in ("http_cookie", "cookie_header") or reveals(name):
            return True
        return lower in _BARE and self._credential(node)

    def _credential(self, node: ast.AST) -> bool:
        """Return whether a bare `token` lets somebody in: nothing here reads a language, and something signs in."""
        text = self.program.files.module_of(node).source.text
        if re.search(r"(?i)tokeni[sz]|lexer|parser\b|tokentype|page_?token|\btokens\b|syntax", text):
            return False
        return bool(
            re.search(r"(?i)bearer|authorization|jwt|oauth|log_?in|sign_?in|session|password|reset|rotat|revok", text)
        )

    def _kind(self, node: ast.expr) -> bool:
        """Return whether a type keeps the value out of its own text: `SecretStr`."""
        if any(re.search(r"(?:^|\.)Secret(?:Str|Bytes)?\(\)", n) for n in self.program.names.names(node)):
            return True
        return bool(re.search(r"\bSecret(Str|Bytes|Value)?\b", self._annotation(node)))

    def _annotation(self, node: ast.expr) -> str:
        bindings: list[Binding] = []
        if isinstance(node, ast.Name | ast.Attribute):
            bindings = self.program.values.all_bindings(node)
        for binding in bindings:
            holder = self.program.files.parent(binding.node)
            found = (
                binding.node.annotation if isinstance(binding.node, ast.arg) else getattr(holder, "annotation", None)
            )
            if isinstance(found, ast.expr):
                return ast.unparse(found)
        return ""

    def parameter(self, node: ast.arg, function: Function | None) -> object:
        """Return a sample for a parameter that is called or used like a secret, an object for one of a class."""
        annotation = ast.unparse(node.annotation) if node.annotation is not None else ""
        if function is not None and function.bound and function.parameters[:1] == [node] and function.owner:
            return self.instance(function.owner)
        if re.search(r"\bSecret(Str|Bytes|Value)?\b", annotation):
            return Thing("hidden", "**********", {"value": self.of(node.arg)})
        if re.search(r"^(bool|int|float|date|datetime|Decimal|UUID)\b", annotation):
            return UNKNOWN
        classes = [t.made_by for t in self.program.names.instances(node.annotation) if isinstance(t, Instance)]
        if not annotation:
            classes = self._called_like(node)
        if classes:
            return self.instance(classes[0])
        if self._secret(node.arg, node):
            return self.of(node.arg)
        used = self.uses.of(node)
        if used:
            return self._used(node.arg, used)
        keys = self.uses.taken(node)
        if keys:
            box = Box({k: self.of(k) for k in keys})
            box.more = True
            return box
        return self._handed(node, function)

    def _handed(self, node: ast.arg, function: Function | None) -> object:
        """Return what the artifact's own callers hand to a parameter, where that shows a secret."""
        function = function or self.program.function_of(node)
        if function is None or self.machine is None or node in self._handing:
            return UNKNOWN
        self._handing.append(node)
        try:
            for call in self.program.calls.callers(function)[:_CALLERS_MAX]:
                bound = self.program.calls.bind(call, function)
                if node is function.node.args.kwarg:
                    taken = {p.arg for p in bound if p is not node}
                    pairs = {k.arg: self.machine.value(k.value) for k in call.keywords if k.arg and k.arg not in taken}
                    found: object = Box({k: self.of(k) if v is UNKNOWN and reveals(k) else v for k, v in pairs.items()})
                else:
                    found = self.machine.value(bound[node][0]) if bound.get(node) else UNKNOWN
                if self.shown(found):
                    return found
        finally:
            self._handing.pop()
        return UNKNOWN

    def _called_like(self, node: ast.arg) -> list[Class]:
        """Return the one class that a parameter without a type is called like: `settings` of `CarrierSettings`."""
        words = words_of(node.arg)
        if words[-1:] not in (
            ("settings",),
            ("config",),
            ("configuration",),
            ("options",),
            ("credentials",),
            ("account",),
        ):
            return []
        module = self.program.files.module_of(node)
        found = [c for c in module.classes.values() if words_of(c.node.name)[-len(words) :] == words]
        return found if len(found) == 1 else []

    def instance(self, made_by: Class) -> Thing:
        """Return an object of a class of the artifact; its text is what its class makes of it."""
        thing = Thing("instance", made_by=made_by)
        thing.text = lambda: self._text_of(thing)
        return thing

    def _text_of(self, thing: Thing) -> object:
        machine, made_by = self.machine, thing.made_by
        assert machine is not None
        if not isinstance(made_by, Class):
            return GAP
        family = self.program.names.family(made_by)
        for name in ("__str__", "__repr__"):
            own = next((c.methods[name] for c in family if name in c.methods), None)
            if own is not None:
                return machine.of_object(own, thing)
        return self.box(thing, everything=False)

    def box(self, thing: Thing, *, everything: bool) -> Box:
        """Return the fields of an object: all of them, or those that its text shows."""
        box = Box()
        if isinstance(thing.made_by, Class):
            fields = self._fields.get((thing.made_by, everything))
            if fields is None:
                fields = [*fields_of(self.program, thing.made_by, everything=everything)]
                self._fields[thing.made_by, everything] = fields
            for name, hidden, wrapped in fields:
                value = thing.parts.get(name, UNKNOWN)
                if hidden:
                    continue
                if wrapped:
                    box[name] = Thing("hidden", "**********", {"value": value})
                    continue
                if value is UNKNOWN and (reveals(name) or self.uses.of_field(thing.made_by, name)):
                    value = self.of(f"{name} of {thing.made_by.node.name}")
                if not (
                    isinstance(value, str) and known(value) and not self.shown(value) and not live(value, "password")
                ):
                    box[name] = value
            if everything:
                box.update({k: v for k, v in thing.parts.items() if k not in box and not isinstance(v, Thing)})
        else:
            box.update(thing.parts)
        return box

    def environment(self) -> Box:
        """Return what stands for the environment."""
        box = Box({"SECRET_KEY": self.of(ENVIRONMENT), "DB_PASSWORD": self.of(ENVIRONMENT)})
        box.more = True
        return box

    def headers(self, node: ast.expr) -> Box:
        """Return the headers of a request: the names that the artifact sends, or `Authorization`."""
        module = self.program.files.module_of(node)
        text = module.source.text
        lower = re.search(r"\b(httpx|starlette|fastapi)\b", text) is not None
        served = re.search(
            r"\b(flask|fastapi|starlette|django|sanic|quart|bottle|rest_framework|aiohttp import web)\b", text
        )
        comes_in = bool(served) and ast.unparse(node).split(".")[0] in ("request", "req", "self")
        sent = {"Authorization"} if comes_in or not self.uses.headers else self.uses.headers
        box = Box({(name.lower() if lower else name): self._sent(name) for name in sent})
        box.more = True
        return box

    def _sent(self, name: str) -> str:
        return f"Bearer {self.of(HEADERS)}" if name.lower().endswith("authorization") else self.of(HEADERS)

    def attribute(self, base: object, node: ast.Attribute) -> object:
        """Return what an attribute holds by its name and its object's."""
        name = node.attr
        if isinstance(base, Thing):
            if name in base.parts:
                return base.parts[name]
            if base.kind == "exception" and name in ("cmd", "args", "message", "output"):
                return base.text
            if base.kind in ("exception", "response") and name in ("request", "response"):
                return Thing("response", GAP, {"url": base.parts.get("url", base.text)})
            if name == "__dict__":
                return self.box(base, everything=True)
            if base.kind == "hidden" or base.kind == "address":
                return UNKNOWN
        if isinstance(base, str) and self.bare(base) and name in _WRAPPED:
            return base
        before = ast.unparse(node.value)
        if self.program.names.names(node) & {"os.environ", "environ"}:
            return self.environment()
        if name.lower() == "cookies" and re.search(r"(?i)req", before):
            return Thing("cookies", self.of("the request's cookies"))
        if name == "headers" and (
            self.uses.sends(node)
            or re.search(r"(?i)req", before)
            or re.search(r"Session\(\)|Client\(\)", " ".join(self.program.names.names(node.value)))
        ):
            return self.headers(node)
        if name == "config" and re.search(r"(?i)(^|_|\.)(current_)?app$", before):
            box = Box({"SECRET_KEY": self.of("SECRET_KEY of the application's settings")})
            box.more = True
            return box
        return self.named(name, node)

    def item(self, base: object, key: object, node: ast.expr) -> object:
        """Return a sample for an item under a secret's name."""
        if isinstance(base, Thing) and base.kind in ("hidden", "exception", "address"):
            return UNKNOWN
        if isinstance(base, str) and self.bare(base):
            return base if isinstance(key, str) and (key.lower() in _WRAPPED or reveals(key)) else UNKNOWN
        if isinstance(base, Thing) and base.kind == "cookies":
            return base.text if isinstance(key, str) and _LETS_IN.search(key) else UNKNOWN
        if isinstance(key, str) and known(key):
            used = self.uses.of(node) or self.uses.of_key(key)
            if self._secret(key, node) or used:
                return self.of(key, address=True if used == "address" else None)
        return UNKNOWN
