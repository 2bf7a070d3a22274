"""Asynchronous things that are used as if they were not: `with`, `for`, callbacks and special methods."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.coroutines.calls import Makers
from squads.gates.coroutines.fate import Lost
from squads.gates.coroutines.libraries import always_asynchronous, needs_async_with
from squads.gates.python import Function, Instance, Module, Program
from squads.gates.words import word_set

# Who runs what it is given and drops what that returns: (the last word, position of the function, its keyword).
_CALLBACKS: dict[str, tuple[int, str]] = {
    "call_soon": (0, "callback"),
    "call_soon_threadsafe": (0, "callback"),
    "call_later": (1, "callback"),
    "call_at": (1, "callback"),
    "add_done_callback": (0, "fn"),
    "add_signal_handler": (1, "callback"),
    "run_in_executor": (1, "func"),
    "asyncio.to_thread": (0, "func"),
    "threading.Thread": (1, "target"),
    "threading.Timer": (1, "function"),
    "multiprocessing.Process": (1, "target"),
    "signal.signal": (1, "handler"),
    "atexit.register": (0, "func"),
    "weakref.finalize": (1, "func"),
    "contextlib.ExitStack.callback": (0, "callback"),
    "contextlib.AsyncExitStack.callback": (0, "callback"),
    "filter": (0, "function"),
    "functools.reduce": (0, "function"),
    "add_reader": (1, "callback"),
    "add_writer": (1, "callback"),
    "schedule.every.do": (0, "job_func"),
    "starlette.concurrency.run_in_threadpool": (0, "func"),
    "fastapi.concurrency.run_in_threadpool": (0, "func"),
    "asgiref.sync.sync_to_async": (0, "func"),
    "apscheduler.schedulers.background.BackgroundScheduler.add_job": (0, "func"),
    "apscheduler.schedulers.blocking.BlockingScheduler.add_job": (0, "func"),
}
# By convention these are coroutines wherever they stand: those of the language, and those of Django's models.
_NEVER_PLAIN = word_set(
    "__aenter__ __aexit__ __anext__ aclose asave adelete acreate aupdate abulk_create abulk_update aget_or_create "
    "aupdate_or_create arefresh_from_db aset aadd aremove aclear"
)
# Methods of one client: where some are coroutines, so are the others.
_CLIENTS = tuple(
    frozenset(methods.split())
    for methods in (
        "commit rollback begin execute executemany executescript flush refresh fetch fetchrow fetchval fetchone "
        "fetchall scalar scalars disconnect",
        "get set setex delete expire incr incrby decr hset hget hgetall hdel lpush rpush lpop rpop sadd srem smembers "
        "zadd xadd publish post put patch head request",
        "send send_json send_text send_bytes send_str receive receive_json receive_text receive_str recv accept",
        "insert_one insert_many update_one update_many delete_one delete_many find_one replace_one",
        "connect disconnect publish subscribe send_message reply answer edit start_polling",
        "send_and_wait produce start getmany getone commit",
    )
)
# Decorators whose owner calls what they are put on, and takes what that returns for its result.
_RUNS_PLAINLY = re.compile(
    r"^(?:click\.(?:command|group\(\)(?:\(\))?\.command)|typer\.Typer\(\)\.(?:command|callback)"
    r"|celery\.(?:shared_task|Celery\(\)\.task)|huey\.\w+\(\)\.(?:task|periodic_task)|rq\.decorators\.job"
    r"|atexit\.register|apscheduler\.schedulers\.(?:background|blocking)\.\w+\(\)\.scheduled_job)$"
)
_KEYS = frozenset(("sorted", "min", "max", "sort"))
_SPECIAL = word_set(
    "__init__ __del__ __enter__ __exit__ __post_init__ __len__ __bool__ __eq__ __hash__ __str__ __repr__ __iter__"
)


class Entered:
    """Finds what needs `async` in front of it, or an `await` that nobody writes."""

    def __init__(self, program: Program, makers: Makers) -> None:
        self._program = program
        self._makers = makers
        self._awaited: dict[Module, dict[str, set[str]]] = {}

    def found(self, module: Module) -> Iterator[Lost]:
        """Yield what one module uses wrongly."""
        for node in module.parents:
            match node:
                case ast.With():
                    for item in node.items:
                        if self._manager(item.context_expr):
                            yield Lost(item.context_expr, "entered with `with`, and only `async with` can")
                case ast.For():
                    if self._generator(node.iter):
                        yield Lost(node.iter, "gone through with `for`, and only `async for` can")
                case ast.comprehension(is_async=0):
                    if self._generator(node.iter):
                        yield Lost(node.iter, "gone through with `for`, and only `async for` can")
                case ast.Call():
                    yield from self._callback(node)
                case ast.Expr(value=ast.Call() as call) if self._never_plain(module, call):
                    yield Lost(call, "dropped, and nobody awaits it")
                case ast.Assign(targets=[ast.Name() as name], value=ast.Call() as call) if self._unread(
                    module, name
                ) and self._never_plain(module, call):
                    yield Lost(call, f"bound to `{name.id}`, which nobody reads")
                case ast.FunctionDef() | ast.AsyncFunctionDef() if (mark := self._ran_plainly(node)) is not None:
                    yield Lost(node, f"`async`, and {mark} never awaits what it returns")
                case ast.AsyncFunctionDef() if node.name in _SPECIAL and isinstance(
                    module.parents.get(node), ast.ClassDef
                ):
                    yield Lost(node, f"`async`, and nobody awaits what {node.name} returns")

    def _unread(self, module: Module, name: ast.Name) -> bool:
        binding = module.scopes.by_target.get(name)
        return binding is not None and binding.scope.node is not module.tree and not module.loads(binding)

    def _ran_plainly(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
        """Return the decorator that runs a coroutine function as if it were a plain one: a command, a task."""
        if not isinstance(node, ast.AsyncFunctionDef) or len(node.decorator_list) != 1:
            return None
        mark = node.decorator_list[0]
        for name in self._program.names.names(mark.func if isinstance(mark, ast.Call) else mark):
            if _RUNS_PLAINLY.match(name):
                return name.replace("()", "")
        return None

    def _never_plain(self, module: Module, call: ast.Call) -> bool:
        """Return whether a dropped call can only make a coroutine: by its name, or since it is awaited elsewhere."""
        function = call.func
        if isinstance(function, ast.Name):
            return self._awaited_elsewhere(module, call, function)
        if not isinstance(function, ast.Attribute) or self._program.names.functions(call):
            return False
        if function.attr in _NEVER_PLAIN:
            return True
        inside = self._program.function_of(call)
        if (
            inside is not None
            and isinstance(inside.node, ast.AsyncFunctionDef)
            and isinstance(function.value, ast.Name | ast.Attribute)
            and not any(isinstance(t, Instance | Module) for t in self._program.names.things(function.value))
            and always_asynchronous(module.source.text, function.attr)
        ):
            return True
        things = self._program.names.things(function.value)
        if isinstance(function.value, ast.Call) or any(not isinstance(t, str) for t in things):
            return False
        if module not in self._awaited:
            self._awaited[module] = {}
            for node in module.parents:
                if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
                    func = node.value.func
                    if isinstance(func, ast.Attribute):
                        self._awaited[module].setdefault(ast.unparse(func.value), set()).add(func.attr)
        around = self._program.function_of(call)
        awaited = self._awaited[module].get(ast.unparse(function.value), set())
        if any(not t.endswith(("[]", ".get()")) for t in things if isinstance(t, str)) and around is not None:
            # Of a library: what is awaited of the same thing in the same function says what it is.
            awaited = {
                n.value.func.attr
                for n in ast.walk(around.node)
                if isinstance(n, ast.Await)
                and isinstance(n.value, ast.Call)
                and isinstance(n.value.func, ast.Attribute)
                and ast.unparse(n.value.func.value) == ast.unparse(function.value)
            }
        if function.attr in awaited:
            return around is not None and isinstance(around.node, ast.AsyncFunctionDef)
        return self._of_one_client(ast.unparse(function.value), function.attr, awaited)

    def _awaited_elsewhere(self, module: Module, call: ast.Call, name: ast.Name) -> bool:
        """Return whether something imported is dropped here in a coroutine function, and awaited in the same file."""
        around = self._program.function_of(call)
        bindings = module.bindings(name)
        if around is None or not isinstance(around.node, ast.AsyncFunctionDef) or not bindings:
            return False
        if self._program.names.functions(call) or any(b.imported is None for b in bindings):
            return False
        return any(
            isinstance(n, ast.Await)
            and isinstance(n.value, ast.Call)
            and isinstance(n.value.func, ast.Name)
            and n.value.func.id == name.id
            for n in module.parents
        )

    def _of_one_client(self, receiver: str, method: str, awaited: set[str]) -> bool:
        """Return whether what a client offers beside this method is awaited, so that this is a coroutine, too."""
        if re.search(r"(?i)pipe|(?:^|[._])(?:tr|multi|batch|writer)$", receiver):
            return False  # what they are told is kept until it is executed
        return any(method in one and awaited & (one - {method}) for one in _CLIENTS)

    def _manager(self, node: ast.expr) -> bool:
        if any(needs_async_with(n) for n in self._program.names.names(node)):
            return True
        if isinstance(node, ast.Call):
            functions = [t for t in self._program.names.things(node.func) if isinstance(t, Function)]
            if functions and all(self._decorated(f, "asynccontextmanager") for f in functions):
                return True
        return self._has(node, "__aenter__", "__enter__")

    def _generator(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            functions = [t for t in self._program.names.things(node.func) if isinstance(t, Function)]
            if functions and all(self._makers.of(f) == "generator" for f in functions):
                return True
        return self._has(node, "__aiter__", "__iter__")

    def _has(self, node: ast.expr, asynchronous: str, plain: str) -> bool:
        made = [t.made_by for t in self._program.names.things(node) if isinstance(t, Instance)]
        if not made or (
            isinstance(node, ast.Call) and any(isinstance(t, Function) for t in self._program.names.things(node.func))
        ):
            return False
        family = [set().union(*(c.methods for c in self._program.names.family(m))) for m in made]
        plain_bases = [
            b
            for m in made
            for c in self._program.names.family(m)
            for b in c.node.bases
            if not any(t for t in self._program.names.things(b) if not isinstance(t, str))
        ]
        return not plain_bases and all(asynchronous in f and plain not in f for f in family)

    @staticmethod
    def _decorated(function: Function, name: str) -> bool:
        if isinstance(function.node, ast.Lambda):
            return False
        return any(ast.unparse(d).rsplit(".", 1)[-1] == name for d in function.node.decorator_list)

    def _callback(self, call: ast.Call) -> Iterator[Lost]:
        names = {n.replace("()", "") for n in self._program.names.names(call.func)}
        method = self._program.calls.method(call)
        arguments = self._program.calls.arguments(call)
        if method == "do" and any(n.startswith("schedule.every") for n in names):
            names.add("schedule.every.do")
        known = [v for k, v in _CALLBACKS.items() if k in names or (("." not in k) and k == method)]
        for position, keyword in known[:1]:
            value = arguments.get(position, keyword)
            if value is not None and (self._coroutine(value) or self._makers.may_promise(value)):
                yield Lost(value, f"handed to {method}(), which calls it and drops the coroutine")
                yield from self._given_back(value, method)
        if (
            method == "submit" and re.search(r"(?i)executor|pool", ast.unparse(call.func)) and arguments.positional
        ) and (self._coroutine(arguments.positional[0])):
            yield Lost(arguments.positional[0], "handed to submit(), which calls it and drops the coroutine")
        if method in _KEYS and "key" in arguments.keywords and self._coroutine(arguments.keywords["key"]):
            yield Lost(arguments.keywords["key"], f"handed to {method}(), which compares coroutines")
        yield from self._of_artifact(call)

    def _given_back(self, value: ast.expr, method: str) -> Iterator[Lost]:
        """Yield where a plain function that was handed over gives back the coroutine that is dropped."""
        function = self._makers.named(value)
        if function is not None and isinstance(function.node, ast.FunctionDef):
            for given in function.returns:
                yield Lost(given, f"given back to {method}(), which drops it")

    def _of_artifact(self, call: ast.Call) -> Iterator[Lost]:
        """Yield coroutine functions handed to a function of the artifact that calls them and drops the result."""
        for function in self._program.names.functions(call):
            for parameter, values in self._program.calls.bind(call, function).items():
                handed = [v for v in values if self._coroutine(v)]
                if not handed:
                    continue
                binding = function.module.scopes.by_target.get(parameter)
                for load in function.module.loads(binding) if binding else ():
                    run = function.module.parents.get(load)
                    dropped = isinstance(run, ast.Call) and run.func is load
                    if dropped and isinstance(function.module.parents.get(run), ast.Expr):  # type: ignore[arg-type]
                        yield Lost(handed[0], f"handed to {function.name}(), which calls it and awaits nothing")

    def _coroutine(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call) and self._program.names.names(node.func) & {"functools.partial"} and node.args:
            return self._coroutine(node.args[0])
        if isinstance(node, ast.Lambda):
            return isinstance(node.body, ast.Call) and self._makers.made(node.body)[0] == "coroutine"
        return isinstance(node, ast.Name | ast.Attribute) and self._makers.named(node) is not None
