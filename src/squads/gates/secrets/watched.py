"""What a program writes where others read it: into a log, onto a stream, into an error, an event, an answer.

Every function is gone through once with samples in place of secrets, and whatever is written on the way is looked at:
what hides enough of a secret passes, whatever it is called, and a mask that leaves it does not.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from squads.gates.python import Program
from squads.gates.secrets import pure
from squads.gates.secrets.expressions import Expressions
from squads.gates.secrets.given import Given
from squads.gates.secrets.pure import UNKNOWN, Thing, written
from squads.gates.secrets.python import Shown
from squads.gates.secrets.samples import ENVIRONMENT
from squads.gates.secrets.uses import Uses
from squads.gates.secrets.world import Frame
from squads.gates.words import word_set

_LEVELS = word_set("debug info warning warn error exception critical log fatal trace success notice msg")
_LOGGER = re.compile(r"(?i)log(?:ger|ging|uru)?\d*$|^_?log_?|structlog|logger")
_EVENTS = word_set(
    "incr increment gauge timing start_span start_as_current_span track capture identify emit record event log_event "
    "send_event record_event annotate put_metadata leave_breadcrumb"
)
_MESSAGES = word_set("flash mail_admins mail_managers notify alert chat_postMessage post_message add_note notify_error")
_WATCHER = re.compile(
    r"(?i)analytic|telemetr|posthog|segment|mixpanel|amplitude|metric|sentry|breadcrumb|audit|tracer|span|datadog|newrelic"
    r"|bugsnag|rollbar|honeycomb|scope|event|statsd|trail"
)
_DIRECT = word_set(
    "capture_message set_extra set_context set_tag set_attribute set_attributes add_event add_breadcrumb labels "
    "bind_contextvars"
)
# Where a program tells what went wrong: a key, an argument, an attribute, a list.
_TROUBLE = re.compile(
    r"(?i)^_*(?:last_?)?(?:error|err|failure|detail|reason|problem|diagnostic|debug|trace|cause|stderr|warning)s?"
    r"(?:_?(?:text|message|detail|msg|info|log|report|string))?$"
)
_TRAIL = re.compile(r"(?i)\bINSERT\s+INTO\s+[\w.\"]*(?:log|audit|event|history|trail|trace)")
_DUMPED = re.compile(r"(?i)debug|support|diagnos|report|crash|dump|bundle|snapshot|trace|\.log\b")
_ANSWERS = word_set("JsonResponse HttpResponse JSONResponse jsonify json_response Response PlainTextResponse")
# What a message itself calls what comes next.
_SAYS = re.compile(
    r"(?i)(?:password|passwd|passphrase|secret|api[ _-]?key|access[ _-]?token|auth[ _-]?token)\s*=\s*['\"]?$"
)
_ABOUT_IT = re.compile(
    r"(?i)name|id$|mask|hidden|hint|prefix|kind|type|path|file|field|label|ref|alias|count|len|redact|short"
)
_ROUTE = re.compile(r"(?i)\b\w*(app|router|bp|blueprint|api)\w*\.(get|post|route|api_route)\(")


class Watched(Given):
    """A world that hears what is written."""

    def __init__(self, program: Program, uses: Uses) -> None:
        super().__init__(program, uses)
        self.told: dict[ast.AST, Shown] = {}
        self.heard: set[ast.AST] = set()
        """What was gone through before the steps were used up."""
        self._checking = 0

    def ran(self, node: ast.AST, frame: Frame, machine: Expressions) -> None:
        """Look at what a call, a raise or a return writes."""
        if self._checking > 2:
            return
        self._checking += 1
        try:
            if isinstance(node, ast.Call):
                self._call(node, frame, machine)
            elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                self._raised(node, node.exc, frame, machine)
            elif isinstance(node, ast.Return) and node.value is not None:
                self._returned(node, node.value, frame, machine)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and _TROUBLE.search(str(key.value)):
                        self._told(value, machine.value(value, frame), "into an error", frame)
            elif isinstance(node, ast.Assert) and node.msg is not None:
                self._told(node, machine.value(node.msg, frame), "into an error", frame)
            elif isinstance(node, ast.Assign) and _told_in(node.targets[0]):
                self._told(node, machine.value(node.value, frame), "into an error", frame)
        finally:
            self._checking -= 1
        if not machine.cut:
            self.heard.add(node)

    def _tell(self, node: ast.AST, name: str, where: str, frame: Frame) -> None:
        self.told.setdefault(node, Shown(node, f"{name} is written {where}"))
        for caller in frame.callers[:1]:
            self.told.setdefault(caller, Shown(caller, f"{name} is given to be written {where}"))

    def _told(self, node: ast.AST, value: object, where: str, frame: Frame) -> None:
        """Look at a message: a bare secret is a value that is kept, and no message."""
        name = self.shown(value)
        if name and not self.bare(value):
            self._tell(node, name, where, frame)

    def _call(self, call: ast.Call, frame: Frame, machine: Expressions) -> None:
        for argument, where in self._written(call, frame, machine):
            value = argument if not isinstance(argument, ast.expr) else machine.value(argument, frame)
            name = self.shown(value)
            if name:
                self._tell(call, name, where, frame)
                return

        self._troubled(call, frame, machine)

    def _troubled(self, call: ast.Call, frame: Frame, machine: Expressions) -> None:
        """Look at what is handed on as the reason of a failure, kept in a trail, or shown as a default."""
        method = self.program.calls.method(call)
        for word in call.keywords:
            if word.arg and _TROUBLE.search(word.arg):
                self._told(call, machine.value(word.value, frame), "into an error", frame)
        if method in _MESSAGES or (method in _LEVELS and self._receiver(call) == "messages"):
            for argument in [*call.args, *(k.value for k in call.keywords)]:
                self._told(call, machine.value(argument, frame), "into a message", frame)
        elif method in ("append", "add") and isinstance(call.func, ast.Attribute) and call.args:
            if _TROUBLE.search(_called(call.func.value)):
                self._told(call, machine.value(call.args[0], frame), "into an error", frame)
        elif method in ("execute", "executemany", "fetch", "fetchrow") and len(call.args) > 1:
            if _TRAIL.search(written(machine.value(call.args[0], frame))):
                self._told(call, [machine.value(a, frame) for a in call.args[1:]], "into a trail", frame)
        elif method in ("add_argument", "option"):
            words = {k.arg: k.value for k in call.keywords}
            text = ast.unparse(call) + ("%(default)s" if self._shows_defaults(call) else "")
            if "default" in words and ("%(default)s" in text or "show_default=True" in text) and "SUPPRESS" not in text:
                name = self.shown(machine.value(words["default"], frame))
                if name:
                    self._tell(call, name, "into a help text", frame)
        elif method in ("write_text", "dump", "write", "write_bytes", "writestr"):
            around = frame.function.name if frame.function else ""
            if method == "write" and re.search(r"(?i)\.log\b|debug|trace", self._opened(call)):
                self._told(call, [machine.value(a, frame) for a in call.args], "into a log", frame)
            if _DUMPED.search(f"{around} {ast.unparse(call)}"):
                values = [machine.value(a, frame) for a in call.args]
                name = self.shown(values)
                if name.startswith(ENVIRONMENT) or re.search(r"(?i) of .*(settings|config)", name):
                    self._tell(call, name, "into a file", frame)

    def _shows_defaults(self, call: ast.Call) -> bool:
        return "ArgumentDefaultsHelpFormatter" in self.program.files.module_of(call).source.text

    def _raised(self, node: ast.Raise, exc: ast.Call, frame: Frame, machine: Expressions) -> None:
        plain = isinstance(exc.func, ast.Name) and exc.func.id in dir(builtins)
        given = [(a, False) for a in exc.args] + [(k.value, True) for k in exc.keywords]
        for argument, by_name in given:
            value = machine.value(argument, frame)
            if by_name and not isinstance(value, str):
                continue
            # An error that carries a value for its handler is not a text that is shown.
            if self.bare(value) and not (plain and len(exc.args) > 1):
                continue
            name = self.shown(value)
            if name:
                self._tell(node, name, "into an error", frame)
                return

    def _returned(self, node: ast.Return, value: ast.expr, frame: Frame, machine: Expressions) -> None:
        function = frame.function
        if function is None or isinstance(function.node, ast.Lambda):
            return
        if function.name in ("__repr__", "__str__", "__format__", "__rich_repr__"):
            name = self.shown(machine.value(value, frame))
            if name:
                self._tell(node, name, "into the text of an object", Frame())
        elif any(_ROUTE.search(ast.unparse(d) + "(") for d in function.node.decorator_list) or (
            isinstance(value, ast.Call) and self.program.calls.method(value) in _ANSWERS
        ):
            given = [*value.args, *(k.value for k in value.keywords)] if isinstance(value, ast.Call) else []
            name = self.shown([machine.value(v, frame) for v in (value, *given)])
            if name.startswith(ENVIRONMENT) or re.search(r"(?i) of .*(settings|config|secrets)", name):
                self._tell(node, name, "into an answer", frame)

    def _written(self, call: ast.Call, frame: Frame, machine: Expressions) -> Iterator[tuple[object, str]]:
        """Yield what a call writes out: expressions or values."""
        method = self.program.calls.method(call)
        values = [a.value if isinstance(a, ast.Starred) else a for a in call.args]
        if method in ("print", "pprint", "pp") and (
            isinstance(call.func, ast.Name) or self._receiver(call) == "pprint"
        ):
            if any(k.arg == "file" and "std" not in ast.unparse(k.value) for k in call.keywords):
                return
            yield from self._message(values, frame, machine)
        elif method in ("echo", "secho", "rprint", "confirm") and self._receiver(call) in ("click", "typer"):
            yield from self._message(values[:1], frame, machine)
        elif method in ("print", "log") and re.search(r"(?i)console|rich", self._receiver(call)):
            yield from self._message(values, frame, machine)
        elif method == "write" and self._receiver(call) in ("stderr", "stdout"):
            yield from ((v, "to a stream") for v in values if not self._made_here(v))
        elif method == "warn" and "warnings.warn" in self.program.names.names(call.func):
            yield from ((v, "to a stream") for v in values[:1])
        elif method in _LEVELS and self._is_logger(call):
            yield self._logged(values, frame, machine), "into a log"
            for word in call.keywords:
                if word.arg not in ("exc_info", "stack_info", "stacklevel"):
                    # `log.info("x", api_key=value)` shows it under its name, as a dict with that key would.
                    key: list[ast.expr | None] = [ast.Constant(value=word.arg)] if word.arg else [None]
                    yield ast.Dict(keys=key, values=[word.value]), "into a log"
        elif method in _DIRECT or (method in _EVENTS and _WATCHER.search(self._receiver(call))):
            yield from ((v, "into an event") for v in [*values, *(k.value for k in call.keywords)])
        elif (method == "exit" and self._receiver(call) == "sys") or (
            method == "error" and "parser" in self._receiver(call)
        ):
            yield from ((v, "to a stream") for v in values if isinstance(v, ast.JoinedStr | ast.BinOp | ast.Call))
        elif method in ("abort", "HttpResponseServerError", "HttpResponseBadRequest"):
            yield from ((v, "into an error") for v in [*values[1:], *(k.value for k in call.keywords)])
        elif method == "bind" and self._is_logger(call):
            yield from (
                (ast.Dict(keys=[ast.Constant(value=k.arg)], values=[k.value]), "into a log")
                for k in call.keywords
                if k.arg
            )
        elif method == "__init__" and ast.unparse(call.func).startswith("super()"):
            owner = self.program.files.class_of(call)
            bases = [ast.unparse(b) for b in owner.node.bases] if owner else []
            if any(re.search(r"(Error|Exception|Warning)$", b) for b in bases):
                yield from ((v, "into an error") for v in values)

    def _message(self, values: list[ast.expr], frame: Frame, machine: Expressions) -> Iterator[tuple[object, str]]:
        """Yield what a command prints as a message: a bare value is its output, a value in a sentence is one."""
        for value in values:
            if self._made_here(value):
                continue
            if len(values) == 1 and not isinstance(value, ast.JoinedStr | ast.BinOp | ast.Call):
                found = machine.value(value, frame)
                if not isinstance(found, dict | Thing | list):
                    continue
            yield value, "to a stream"

    def _logged(self, values: list[ast.expr], frame: Frame, machine: Expressions) -> object:
        found = [machine.value(v, frame) for v in values]
        said = self._said(values, found)
        if said:
            return self.of(said)
        pattern = next((n for n, v in enumerate(found[:2]) if isinstance(v, str) and "%" in v), None)
        if pattern is not None and len(found) > pattern + 1:
            rest = found[pattern + 1 :]
            right: object = (
                rest[0] if len(rest) == 1 and isinstance(rest[0], dict) and "%(" in str(found[pattern]) else tuple(rest)
            )
            return [*found[:pattern], pure.percent(str(found[pattern]), right)]
        return found

    def _said(self, values: list[ast.expr], found: list[object]) -> str:
        """Return what a message calls a value of which nothing else is known: `"api_key=%s", new`."""
        if not found or not isinstance(found[0], str) or ("%s" not in found[0] and "{}" not in found[0]):
            return ""
        pieces = re.split(r"%[rs]|\{\}", found[0])
        for piece, value, given in zip(pieces, values[1:], found[1:], strict=False):
            if (
                given is UNKNOWN
                and isinstance(value, ast.Name | ast.Attribute)
                and not _ABOUT_IT.search(_called(value))
            ):
                said = _SAYS.search(piece)
                if said:
                    return said[0].strip(" ='\"")
        return ""

    def _made_here(self, node: ast.expr) -> bool:
        """Return whether a message shows what was drawn just now: a command tells it to whoever asked for it."""
        parts = (
            [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
            if isinstance(node, ast.JoinedStr)
            else [node]
        )
        named = [p for p in parts if isinstance(p, ast.Name)]
        origins = [o for p in named for o in self.program.values.origins(p)]
        return any(
            isinstance(o, ast.Call) and re.search(r"secrets\.|random|generate|uuid|urandom|new_", ast.unparse(o.func))
            for o in origins
        )

    def _is_logger(self, call: ast.Call) -> bool:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if receiver is None:
            return any(n.startswith(("logging.", "loguru.")) for n in self.program.names.names(call.func))
        if _LOGGER.search(self._receiver(call)):
            return True
        return any(n.startswith(("logging.", "structlog.", "loguru.")) for n in self.program.names.names(receiver))

    @staticmethod
    def _receiver(call: ast.Call) -> str:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        while isinstance(receiver, ast.Call):
            receiver = receiver.func.value if isinstance(receiver.func, ast.Attribute) else receiver.func
        if isinstance(receiver, ast.Attribute):
            return receiver.attr
        return receiver.id if isinstance(receiver, ast.Name) else ""


def _called(node: ast.expr) -> str:
    """Return what a target is called: a name, an attribute, a constant key."""
    if isinstance(node, ast.Subscript):
        return node.slice.value if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str) else ""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _told_in(target: ast.expr) -> bool:
    """Return whether a target is an attribute or item in which others read what went wrong."""
    return not isinstance(target, ast.Name) and bool(_TROUBLE.search(_called(target)))
