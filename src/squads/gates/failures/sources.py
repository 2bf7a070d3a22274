"""Which calls make an outcome: a value that says whether something failed, instead of an exception that does."""

from __future__ import annotations

import ast
import re
from typing import Literal

from squads.gates.failures.after import called, calls, is_log, statements
from squads.gates.failures.telling import has_effects
from squads.gates.failures.words import EXPECTED, failure_like, is_negative, is_question, is_quiet, judges, says_failure
from squads.gates.python import Function, Module, Program
from squads.gates.words import word_set

Kind = Literal["command", "response", "gathered", "future", "process", "switched", "batch", "answer"]

READS = frozenset(("returncode", "check_returncode", "poll", "exitcode"))
_RUNS = frozenset(
    ("subprocess.run", "subprocess.call", "os.system", "subprocess.Popen().wait", "subprocess.Popen().communicate")
)
_CLEANS = re.compile(
    r"""['" ](?:rm|rmi|kill|pkill|killall|umount|stop|prune|down|clear|sleep|which|notify-send)['" ]"""
    r"""|['"](?:xdg-open|open|say|code|vim?|nano|less|stty|tput|reset|osascript)['" ]"""
)
MAILS = frozenset(("sendmail", "send_message"))
_MANY = re.compile(r"(?i)(?:addresses|recipients|receivers|people|emails|mails|list|all|empfaenger|to_addrs)$")
_PIPE = re.compile(
    r"""(?:^f?['"]|[;&(] ?)\s*(?:\w+=\S+ )*(?!ps |ls |find |grep |echo |cat |df |du |printf |yes )[^|]+[^|]\|\s*"""
    r"""(?:tee|gzip|bzip2|xz|zstd|pigz|logger|ts|cat|pv|openssl|gpg|lz4)\b(?!.*\|\|)"""
)
_WEIGHED = re.compile(r"st_size|getsize|PIPESTATUS|'-t'|--test\b|\bis_zipfile\b")
_WRITES = r"(?:post|put|patch|delete|request)"
_HTTP = re.compile(
    rf"^(?:requests|httpx)\.{_WRITES}$"
    rf"|^(?:requests\.(?:Session|session)|httpx\.(?:Async)?Client|aiohttp\.ClientSession)\(\)\.{_WRITES}$"
)
_CLIENT = re.compile(r"(?i)(?:^|[._])(?:session|client|http|https|requests)$")
_HTTP_WORDS = frozenset(("json", "data", "timeout", "headers", "files", "content"))
_HTTP_USED = re.compile(r"^\s*(?:import|from) (?:[\w., ]+, *)?(?:requests|httpx|aiohttp)\b", re.M)
_HTTP_RAISES = re.compile(r"raise_for_status\s*=\s*(?!False)|event_hooks|\.hooks\b")
# Options that keep a call from raising.
_SWITCHES: dict[str | None, bool] = {
    "fail_silently": True,
    "raise_on_error": False,
    "raise_on_exception": False,
    "propagate": False,
    "throw": False,
    "raise_errors": False,
    "ignore_errors": True,
}
# Batches whose answer lists what was refused, and that raise only where all of it was.
_BATCHES = word_set(
    "batch_write_item put_records put_record_batch send_message_batch put_events delete_objects insert_rows_json "
    "send_each send_each_for_multicast send_all send_multicast send_bulk_templated_email publish_batch"
)


_METHODS = _BATCHES | word_set(
    "run call system wait communicate post put patch delete request gather submit map apply_async map_async Process "
    "acquire is_valid sendmail send_message"
)
_SURE = re.compile(
    rb"\bsuppress\b|\bfinally\b|return_exceptions|subprocess|os\.system|[Ee]xecutor|[Pp]ool\b"
    rb"|done_callback|__a?exit__|ExitStack"
    rb"|\brequests\b|httpx|aiohttp|smtplib|silently|raise_on|propagate=|throw=|raise_errors"
    rb"|asyncio\.wait|return False|[Ff]ailed|_batch"
    rb"|batch_|put_(?:records|events)|delete_objects|insert_rows_json|send_(?:each|all|multicast|bulk)|"
    rb"(?<!raise )\b\w*rror\(|errors|rowcount|warn|problem|print\("
    rb"|acquire\(|is_valid|Process\(|compare_digest|==|\bstatus\b['\"\]]*\s*(?:!=|in\b|not in\b)"
)
_HANDLED = re.compile(rb"\bexcept\b")
_RAISED = re.compile(rb"\bexcept\b[^\n]*:[ \t]*\n[ \t]+raise\b")
_ANSWERED = re.compile(rb"\b(\w+)\s*(?::[^=\n]*)?:?=\s*(?:await\s+)?\(?[\w.\[\]'\"]+\(")
_ASKED = re.compile(rb"\b(\w+)(?:\.|\[['\"])status\b")


def interesting(content: bytes) -> bool:
    """Return whether a failure may end in a file, or an outcome be made; handlers that raise at once end none."""
    if _SURE.search(content):
        return True
    if len(_HANDLED.findall(content)) > len(_RAISED.findall(content)):
        return True
    asked = set(_ASKED.findall(content))
    return bool(asked) and not asked.isdisjoint(_ANSWERED.findall(content))


class Sources:
    """Answers which calls of one program make outcomes."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._kinds: dict[ast.Call, Kind | None] = {}
        self._raising: dict[Module, bool] = {}

    def kind(self, call: ast.Call) -> Kind | None:
        """Return what kind of outcome a call of a library makes; None where it makes none."""
        if call not in self._kinds:
            self._kinds[call] = self._kind(call)
        return self._kinds[call]

    def _kind(self, call: ast.Call) -> Kind | None:
        method = called(call)
        if method not in _METHODS and not any(k.arg in _SWITCHES for k in call.keywords):
            return None
        names = self._program.names.names(call.func)
        if names & _RUNS or self._waits(names):
            seen = self._checked(call) and not self._piped(call)
            return None if seen or _CLEANS.search(ast.unparse(call)) else "command"
        if method in MAILS and any(n.startswith("smtplib.SMTP") for n in names) and self._to_many(call):
            return "batch"
        if self._responds(call, names):
            return "response"
        if (method == "gather" and _is(call, "return_exceptions", True)) or (
            method == "wait" and names & {"asyncio.wait", "concurrent.futures.wait"} and self._starts(call)
        ):
            return None if method == "gather" and self._cancels(call) else "gathered"
        if method in ("submit", "map", "apply_async", "map_async") and isinstance(call.func, ast.Attribute):
            owner = ast.unparse(call.func.value)
            return "future" if re.search(r"(?i)pool|executor", owner) or _pooled(names) else None
        if any(_is(call, word, value) for word, value in _SWITCHES.items()):
            return "switched"
        alone = isinstance(self._program.files.parent(call), ast.Expr)
        if (
            method == "acquire"
            and alone
            and not isinstance(self._program.files.parent(self._program.files.parent(call) or call), ast.Try)
            and (_is(call, "blocking", False) or any(k.arg == "timeout" for k in call.keywords))
        ):
            return "switched"
        if method == "is_valid" and alone and not call.args and not call.keywords:
            return "answer"
        if "multiprocessing.Process" in names:
            return "process"
        if method in _BATCHES and isinstance(call.func, ast.Attribute) and not self._program.names.functions(call):
            return "batch"
        return None

    def _starts(self, call: ast.Call) -> bool:
        """Return whether all that is waited for was started here."""
        waited = [b.value for a in call.args[:1] for b in self._program.values.bindings(a)]
        started = any(v is not None and re.search(r"create_task|ensure_future|submit", ast.unparse(v)) for v in waited)
        return started and not any(k.arg == "return_when" for k in call.keywords)

    def _cancels(self, call: ast.Call) -> bool:
        """Return whether a function waits for what it cancelled itself."""
        around = self._program.function_of(call)
        return around is None or bool(re.search(r"\.cancel\(|cancel_", ast.unparse(around.node)))

    def _waits(self, names: frozenset[str]) -> bool:
        return any(re.search(r"create_subprocess_\w+\(\)\.(?:wait|communicate)$", n) for n in names)

    @staticmethod
    def _checked(call: ast.Call) -> bool:
        return any(
            k.arg is None or (k.arg == "check" and not (isinstance(k.value, ast.Constant) and k.value.value is False))
            for k in call.keywords
        )

    def _piped(self, call: ast.Call) -> bool:
        """Return whether a shell's pipe ends in what never fails, so that its exit code is not that of the work."""
        if not call.args or not _is(call, "shell", True):
            return False
        around = self._program.function_of(call)
        text = ast.unparse(around.node if around is not None else call)
        if any(k.arg in ("capture_output", "stdout") for k in call.keywords) or _WEIGHED.search(text):
            return False  # what came out is looked at
        texts = [ast.unparse(o) for o in self._program.values.origins(call.args[0])]
        return any(_PIPE.search(t) and "pipefail" not in t for t in texts)

    def _to_many(self, call: ast.Call) -> bool:
        """Return whether a mail goes to several people; who was refused is answered as long as one was not."""
        place = 1 if called(call) == "sendmail" else 2
        given = call.args[place] if len(call.args) > place else None
        given = next((k.value for k in call.keywords if k.arg == "to_addrs"), given)
        if isinstance(given, ast.List | ast.Tuple):
            return len(given.elts) > 1
        return isinstance(given, ast.Name | ast.Attribute) and bool(_MANY.search(ast.unparse(given)))

    def _responds(self, call: ast.Call, names: frozenset[str]) -> bool:
        module = self._program.files.module_of(call)
        text = module.source.text
        if module not in self._raising:
            self._raising[module] = bool(_HTTP_RAISES.search(text))
        if self._raising[module] or not re.fullmatch(_WRITES, called(call)):
            return False
        if any(_HTTP.search(n) for n in names):
            return True
        if not isinstance(call.func, ast.Attribute):
            return False
        if names or self._program.names.things(call.func.value) or not _HTTP_USED.search(text):
            return False
        named = _CLIENT.search(ast.unparse(call.func.value))
        return bool(named) and any(k.arg in _HTTP_WORDS for k in call.keywords)

    # The artifact's own functions

    def answers(self, function: Function) -> bool:
        """Return whether a function does something and answers whether it worked, instead of raising."""
        node = function.node
        if isinstance(node, ast.Lambda) or is_quiet(function.name) or is_question(function.name):
            return False
        if is_negative(function.name):
            return False
        if self._decides(function):
            return True
        if not any(self._may_say_no(r) for r in function.returns):
            return False
        returns = [s for s in statements(node.body) if isinstance(s, ast.Return)]
        if self._lists_failures(function, returns):
            return True
        bad = [r for r in returns if r.value is not None and self._says_no(r.value)]
        errors = all(isinstance(r.value, ast.Call) for r in bad) and not isinstance(
            node.body[-1], ast.Return | ast.Raise
        )
        if not bad or (len(bad) == len(returns) and not errors) or not (has_effects(function) or judges(function.name)):
            return False
        return any(self._in_failure(r, node) for r in bad if not _nothing(r.value)) or any(
            isinstance(self._program.files.parent(r), ast.ExceptHandler) for r in bad
        )

    def softened(self, function: Function) -> ast.ExceptHandler | None:
        """Return the handler of a decorator that ends whatever a function raises, and answers nothing or `False`."""
        if isinstance(function.node, ast.Lambda):
            return None
        for decorator in function.node.decorator_list:
            callee = decorator.func if isinstance(decorator, ast.Call) else decorator
            for thing in self._program.names.things(callee):
                if isinstance(thing, Function) and not isinstance(thing.node, ast.Lambda):
                    for node in ast.walk(thing.node):
                        if isinstance(node, ast.ExceptHandler) and self._softens(node, thing):
                            return node
        return None

    def _softens(self, handler: ast.ExceptHandler, decorator: Function) -> bool:
        tries = self._program.files.parent(handler)
        around = self._program.function_of(handler)
        if not isinstance(tries, ast.Try) or around is None or around is decorator:
            return False
        if self._loops(tries) or any(isinstance(s, ast.Raise) for s in statements(handler.body)):
            return False
        given: set[str] = set()
        outer = self._program.function_of(around.node)
        while outer is not None:
            given |= {a.arg for a in outer.parameters}
            outer = self._program.function_of(outer.node)
        if not any(isinstance(c.func, ast.Name) and c.func.id in given for c in calls(tries.body)):
            return False
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
        if kinds and all(k in EXPECTED for k in (ast.unparse(k).rsplit(".", 1)[-1] for k in kinds)):
            return False
        said = [s for s in statements(handler.body) if isinstance(s, ast.Return)]
        return all(s.value is None or _nothing(s.value) or failure_like(s.value) for s in said)

    def _loops(self, node: ast.AST) -> bool:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            if isinstance(parent, ast.For | ast.AsyncFor | ast.While):
                return True
            parent = self._program.files.parent(parent)
        return False

    def slots(self, function: Function) -> dict[int, bool]:
        """Return which places of a tuple that a function answers say whether it worked: True for a plain `False`."""
        found: dict[int, bool] = {}
        for value in function.returns:
            if isinstance(value, ast.Tuple):
                for number, element in enumerate(value.elts):
                    if isinstance(element, ast.Constant) and (element.value is False or element.value is None):
                        found[number] = found.get(number, False) or element.value is False
        return found if any(found.values()) else {}

    def _decides(self, function: Function) -> bool:
        """Return whether all that a function does is to answer whether something may be relied on."""
        if isinstance(function.node, ast.Lambda) or not judges(function.name) or not function.returns:
            return False
        if any(isinstance(s, ast.Raise) for s in statements(function.node.body)) or has_effects(function):
            return False
        return all(_truth(r) for r in function.returns)

    def _may_say_no(self, value: ast.expr) -> bool:
        if isinstance(value, ast.Name):
            return says_failure(value.id)
        if isinstance(value, ast.Tuple):
            return any(self._may_say_no(e) for e in value.elts)
        return self._says_no(value)

    def _lists_failures(self, function: Function, returns: list[ast.Return]) -> bool:
        """Return whether a function gives back a list of what failed, that it fills itself."""
        assert not isinstance(function.node, ast.Lambda)
        named = {
            n.id
            for r in returns
            for n in ([r.value, *(r.value.elts if isinstance(r.value, ast.Tuple) else [])])
            if isinstance(n, ast.Name) and says_failure(n.id)
        }
        if not named:
            return False
        filled = {
            c.func.value.id
            for c in calls(function.node.body)
            if called(c) in ("append", "add", "extend")
            and isinstance(c.func, ast.Attribute)
            and isinstance(c.func.value, ast.Name)
        } | {
            s.value.id
            for s in statements(function.node.body)
            if isinstance(s, ast.Subscript) and isinstance(s.ctx, ast.Store) and isinstance(s.value, ast.Name)
        }
        filled |= {
            a.id
            for c in calls(function.node.body)
            if not is_log(c)
            and isinstance(c.func, ast.Attribute | ast.Name)
            and called(c) in ("start_soon", "create_task")
            for a in c.args
            if isinstance(a, ast.Name)
        } | {
            a.id
            for c in calls(function.node.body)
            if self._program.names.functions(c)
            for a in c.args
            if isinstance(a, ast.Name)
        }
        counted = {
            s.target.id
            for h in statements(function.node.body)
            if isinstance(h, ast.ExceptHandler)
            for s in statements(h.body)
            if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name)
        }
        return bool(named & (filled | counted))

    def _says_no(self, value: ast.expr) -> bool:
        match value:
            case ast.Constant():
                return value.value is False or value.value is None
            case ast.Tuple():
                return any(isinstance(e, ast.Constant) and e.value is False for e in value.elts)
            case ast.Call():
                if says_failure(called(value)) and called(value)[:1].isupper():
                    return True
                given = [*value.args, *(k.value for k in value.keywords)]
                return any(isinstance(g, ast.Constant) and g.value is False for g in given) and failure_like(value)
            case ast.Dict():
                return any(isinstance(v, ast.Constant) and v.value is False for v in value.values)
        return False

    def _in_failure(self, node: ast.Return, top: ast.AST) -> bool:
        """Return whether a `return` stands where something failed: in a handler, or beside a loud log."""
        parent = self._program.files.parent(node)
        child: ast.AST = node
        while parent is not None and child is not top:
            if isinstance(parent, ast.ExceptHandler):
                return True
            if isinstance(parent, ast.If):
                block = parent.body if child in parent.body else parent.orelse
                if any(is_log(c) and called(c) in ("warning", "error", "exception", "critical") for c in calls(block)):
                    return True
                if re.search(r"returncode|status_code|\.ok\b|is_success|exit_code|rowcount", ast.unparse(parent.test)):
                    return True
            child, parent = parent, self._program.files.parent(parent)
        return False


def _is(call: ast.Call, word: str | None, value: bool) -> bool:
    return any(k.arg == word and isinstance(k.value, ast.Constant) and k.value.value is value for k in call.keywords)


def _pooled(names: frozenset[str]) -> bool:
    return any(re.search(r"(?:PoolExecutor|\.Pool|ThreadPool)\(\)\.", n) for n in names)


def _nothing(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _truth(node: ast.expr) -> bool:
    """Return whether an expression is certainly true or false."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()) | ast.Constant(value=bool()):
            return True
        case ast.BoolOp():
            return all(map(_truth, node.values))
        case ast.Call():
            return called(node) in ("all", "any", "bool", "isinstance", "compare_digest", "startswith", "endswith")
    return False
