"""What a `try` attempts: something that writes or pays, a verdict, a message, or what may fail without harm."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from squads.gates.failures.after import called, calls, is_log
from squads.gates.failures.telling import has_effects
from squads.gates.failures.words import BEST_EFFORT, EFFECTS, EXPECTED, JUDGES, LISTS, MESSAGES, WEAK, leaves
from squads.gates.python import Program
from squads.gates.secrets.words import words_of
from squads.gates.words import word_set

_BROAD = word_set("Exception BaseException StandardError")


class Attempt:
    """Answers what the blocks of one program attempt, and which of their failures are caught."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def tried(self, body: Sequence[ast.stmt]) -> str:
        """Return what a block tries: `effect`, `judge`, `message`, `quiet` for what may fail, or `unknown`."""
        kinds: set[str] = set()
        for call in calls(body):
            if is_log(call):
                continue
            text = ast.unparse(call.func)
            words = set(words_of(called(call)))
            if _changes_schema(call):
                kinds.add("quiet")
                continue
            owners = set(words_of(text)) - words
            if words & BEST_EFFORT or (owners & BEST_EFFORT and not words & {"commit", "charge", "verify"}):
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
            elif words & MESSAGES or owners & MESSAGES:
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


def _changes_schema(call: ast.Call) -> bool:
    """Return whether a call only makes what may be there already, or drops what may be gone."""
    first = call.args[0] if call.args else None
    text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return text.lstrip().lower().startswith(("alter ", "create ", "drop "))
