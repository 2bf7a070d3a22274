"""What a `try` attempts: something that writes or pays, a verdict, a message, or what may fail without harm."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from squads.gates.failures.after import called, calls, is_log
from squads.gates.failures.telling import has_effects
from squads.gates.failures.words import BEST_EFFORT, EFFECTS, EXPECTED, JUDGES, LISTS, MESSAGES, WEAK, leaves
from squads.gates.python import Class, Function, Program
from squads.gates.secrets.words import words_of
from squads.gates.words import word_set

_ENDS = word_set("close stop release cancel shutdown disconnect detach")
_RESOURCES = word_set(
    "os loop pool socket sock session ws websocket conn connection channel fd file handle pid task tasks future "
    "futures timer code exc error signal client lock semaphore stream writer reader transport server cursor stack "
    "engine executor process proc worker thread browser page driver redis db database lease key token"
)
_ABSENT = re.compile(r"(?i)not_?found|missing|exists?|empty|duplicate|already|unknown|miss$|no_?such|retry|later|busy")
_KEEPS = word_set("copy archive backup export import restore replicate mirror")
_VOUCHES = frozenset(("verify", "validate", "check", "authorize", "authorise", "authenticate", "scan"))
_BESIDE = word_set("mailer notifier messenger smtp telegram discord search cdn")
"""What is told beside the work."""
_UPKEEP = ("alter ", "create ", "drop ", "pragma ", "vacuum", "analyze", "reindex", "set ", "refresh ", "listen ")
_BROAD = word_set("Exception BaseException StandardError")


class Attempt:
    """Answers what the blocks of one program attempt, and which of their failures are caught."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def tried(self, body: Sequence[ast.stmt]) -> str:
        """Return what a block tries: `effect`, `judge`, `message`, `quiet` for what may fail, or `unknown`."""
        kinds: set[str] = set()
        made: set[int] = set()
        for call in calls(body):
            if is_log(call):
                continue
            text = ast.unparse(call.func)
            words = set(words_of(called(call)))
            if _changes_schema(call):
                kinds.add("quiet")
                continue
            owners = set(words_of(text)) - words
            if words & _KEEPS:
                words.discard("log")  # the log is what is kept: `archive_log`
            if _builds(call, text):
                kinds.add("quiet")
                made |= {id(c) for a in call.args for c in ast.walk(a)}
            elif id(call) in made and words.isdisjoint(EFFECTS | JUDGES):
                kinds.add("read")
            elif _acts_on(call, words, owners):
                kinds.add("unknown")
            elif words & BEST_EFFORT or (owners & BEST_EFFORT and not words & {"commit", "charge", "verify"}):
                kinds.add("quiet")
            elif called(call) in (
                "int",
                "float",
                "str",
                "len",
                "get",
                "range",
                "list",
                "dict",
                "set",
                "isinstance",
                "open",
                "Path",
            ):
                mode = [a.value for a in call.args[1:2] if isinstance(a, ast.Constant)]
                kinds.add("effect" if called(call) == "open" and mode and "r" not in str(mode[0]) else "read")
            elif words & JUDGES:
                kinds.add("judge")
            elif words & MESSAGES or owners & (MESSAGES | _BESIDE):
                kinds.add("message")
            elif (
                words & EFFECTS
                or ("append" in words and owners & LISTS)
                or text in ("json.dump", "shutil.copy", "shutil.copyfile", "yaml.dump", "pickle.dump")
            ) or any(has_effects(f) for f in self._program.names.functions(call)):
                kinds.add("effect")
            else:
                kinds.add("unknown")
        for kind in ("effect", "judge", "message", "unknown"):
            if kind in kinds:
                return kind
        return "quiet" if kinds == {"quiet"} else "read"

    def checks(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether a block runs a command that raises where that failed."""
        return any(
            k.arg == "check" and isinstance(k.value, ast.Constant) and k.value.value is True
            for c in calls(body)
            for k in c.keywords
        )

    def is_its_work(self, body: Sequence[ast.stmt], function: Function | None) -> bool:
        """Return whether a block ends what its function is there to end, and answers for: vents, and no resource."""
        if function is None or not any(isinstance(r, ast.Constant) and r.value is True for r in function.returns):
            return False
        named = _ENDS & set(words_of(function.name))
        return any(
            called(c) in named
            and isinstance(c.func, ast.Attribute)
            and _RESOURCES.isdisjoint(words_of(f"{ast.unparse(c.func.value)}_{function.name}"))
            for c in calls(body)
        )

    def vouches(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether a block asks whether something may be relied on, and not only whether it is well-formed."""
        return any(w in _VOUCHES for c in calls(body) for w in words_of(called(c))[:1])

    def signalled(self, body: Sequence[ast.stmt], handler: ast.ExceptHandler) -> bool:
        """Return whether a handler takes the very error by which a function of the artifact says that it failed."""
        if handler.type is None:
            return False
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        types = [t for t in types if any(isinstance(o, Class) for o in self._program.names.things(t))]
        names = {ast.unparse(t).rsplit(".", 1)[-1] for t in types}
        names = {n for n in names if n not in _BROAD | EXPECTED and not leaves(n) and not _ABSENT.search(n)}
        for call in calls(body) if names else ():
            for function in self._program.names.functions(call):
                for one in ast.walk(function.node):
                    made = one.exc if isinstance(one, ast.Raise) else None
                    made = made.func if isinstance(made, ast.Call) else made
                    if made is not None and ast.unparse(made).rsplit(".", 1)[-1] in names:
                        return True
        return False

    def breadth(self, handler: ast.ExceptHandler) -> tuple[bool, bool]:
        """Return whether everything is caught, and whether only what is to be expected is."""
        if handler.type is None:
            return True, False
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = []
        for one in types:
            held = self._program.values.origins(one) if isinstance(one, ast.Name) else [one]
            for origin in held or [one]:
                inner = origin.elts if isinstance(origin, ast.Tuple) else [origin]
                names += [ast.unparse(i).rsplit(".", 1)[-1] for i in inner]
        return any(n in _BROAD for n in names), all(n in EXPECTED or leaves(n) for n in names)

    def strong(self, body: Sequence[ast.stmt]) -> bool:
        """Return whether a block itself calls what writes, sends, pays or verifies."""
        for call in calls(body):
            words = set(words_of(called(call)))
            if words & BEST_EFFORT and not words & {"commit"}:
                continue
            if words & ((EFFECTS | JUDGES) - WEAK) or (
                "append" in words and set(words_of(ast.unparse(call.func))) & LISTS
            ):
                return True
        return False


def _acts_on(call: ast.Call, words: set[str], owners: set[str]) -> bool:
    """Return whether a call ends something of the domain, such as a valve or an account, and no resource."""
    if words.isdisjoint(_ENDS) or not call.args or (words | owners) & _RESOURCES:
        return False
    return (
        isinstance(call.args[0], ast.Name | ast.Attribute) and words_of(ast.unparse(call.args[0]))[-1] not in _RESOURCES
    )


def _builds(call: ast.Call, text: str) -> bool:
    """Return whether a call only puts something into a message that is sent later: `message.add_attachment(...)`."""
    return bool(re.search(r"(?i)(?:^|[._])(?:message|msg|e?mail)\.(?:add_\w+|attach\w*|set_\w+|make_\w+)$", text))


def _changes_schema(call: ast.Call) -> bool:
    """Return whether a call only makes what may be there already, drops what may be gone, or looks after the store."""
    first = call.args[0] if call.args else None
    first = first.args[0] if isinstance(first, ast.Call) and called(first) in ("text", "SQL") and first.args else first
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return text.lstrip().lower().startswith(_UPKEEP)
