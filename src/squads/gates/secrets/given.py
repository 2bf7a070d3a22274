"""What calls give in the world of samples: environment, addresses, options, stores of secrets, and what hides one."""

from __future__ import annotations

import ast
import re

from squads.gates.python import Class
from squads.gates.secrets import functions
from squads.gates.secrets.expressions import Expressions
from squads.gates.secrets.pure import GAP, UNKNOWN, Box, Thing, known, written
from squads.gates.secrets.samples import Length, Samples
from squads.gates.secrets.words import reveals, words_of
from squads.gates.secrets.world import Frame
from squads.gates.words import word_set

HIDES = re.compile(
    r"(?i)mask|redact|hash|digest|sha\d|md5|hmac|fingerprint|^bool$|^type$|^id$|obfusc|scrub|sanit|censor|hide"
    r"|encrypt|^any$|^all$|^isinstance$|^hasattr$|^int$|^sum$|strength|valid|check|verify|blur|truncat|shorten|safe"
)
_READERS = word_set(
    "get pop getenv config env str get_secret require required read_secret getlist getfirst "
    "get_secret_value read fetch secret url dj_db_url"
)
_FETCHERS = word_set("get post put delete patch request head options stream urlopen send")
_RUNNERS = word_set("run check_call check_output Popen call check_returncode")
_OBTAINS = word_set("get fetch load read obtain resolve current lookup")
_DUMPS = word_set("asdict vars model_dump dict json model_dump_json _asdict to_dict astuple")
_SPLITS = word_set("make_url urlparse urlsplit URL parse_dsn conninfo_to_dict parse_url")
_ENGINES = word_set("create_engine create_async_engine")
_STORES = word_set("getpass access_secret_version get_secret read_secret read_secret_version get_password")
_SETTING = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$")
_SECRET_FILE = re.compile(r"(?i)run/secrets|/secrets?/|password|passwd|_secret|secret_|token|\.key['\"]")


class Given(Samples):
    """Samples, through calls too."""

    def call(self, call: ast.Call, frame: Frame | None, machine: Expressions) -> object | None:
        """Return what a call gives that reads, shows or hides a secret."""
        self.ran(call, frame or Frame(), machine)
        method = self.program.calls.method(call)
        names = self.program.names.names(call.func)
        own = bool(self.program.names.functions(call)) or any(
            isinstance(t, Class) for t in self.program.names.things(call.func)
        )
        if own:
            return None
        first = call.args[0] if call.args else None
        if method == "len" and first is not None:
            value = machine.value(first, frame)
            return Length(len(value)) if isinstance(value, str) and self.shown(value) else None
        if method == "getattr" and len(call.args) >= 2 and isinstance(call.func, ast.Name):
            whole, name = machine.value(call.args[0], frame), machine.value(call.args[1], frame)
            if isinstance(whole, Thing) and isinstance(name, str) and known(name):
                return whole.parts.get(name) or self.box(whole, everything=True).get(name, UNKNOWN)
            return self.of(name) if isinstance(name, str) and known(name) and reveals(name) else None
        if (method == "locals" or (method == "vars" and not call.args)) and frame is not None:
            return Box(frame.env)
        if method in ("SecretStr", "SecretBytes", "Secret") and first is not None:
            return Thing("hidden", "**********", {"value": machine.value(first, frame)})
        if method == "compile" and names & {"re.compile"} and first is not None:
            return Thing(
                "pattern", machine.value(first, frame), made_by=re.search(r"re\.I\b|IGNORECASE", ast.unparse(call))
            )
        if names & functions.ENCODERS.keys() and first is not None:
            packed = functions.called(names, [machine.value(first, frame)], {})
            name = self.shown(machine.value(first, frame))
            if name and isinstance(packed, bytes):
                self._look_for(packed.decode("latin-1").rstrip("="), name)
            return packed
        if HIDES.search(method):
            for value in [*call.args, *(k.value for k in call.keywords)]:
                machine.value(value, frame)
            return GAP
        if method in _SPLITS and first is not None:
            address = machine.value(first, frame)
            if method in ("parse_dsn", "conninfo_to_dict") and self.shown(address):
                parts = self._address(written(address), hides=False).parts
                return Box({k: parts[k] for k in ("host", "port", "user", "database", "password") if k in parts})
            return self._address(written(address), hides=method in ("make_url",)) if self.shown(address) else None
        if method in _ENGINES and first is not None:
            address = machine.value(first, frame)
            return (
                Thing("engine", GAP, {"url": self._address(written(address), hides=True)})
                if self.shown(address)
                else None
            )
        if method == "parse_args":
            return Thing("options", GAP, dict(self._options(call)))
        if method in _DUMPS:
            return self._dumped(call, frame, machine)
        return self._read(call, method, frame, machine)

    def _read(self, call: ast.Call, method: str, frame: Frame | None, machine: Expressions) -> object | None:
        """Return the sample for `get("API_KEY")`, unless something known is asked."""
        receiver = self.program.calls.receiver(call)
        on = machine.value(receiver, frame) if receiver is not None else UNKNOWN
        if isinstance(on, Thing) and on.kind == "hidden" and method in ("get_secret_value", "reveal"):
            return on.parts.get("value", UNKNOWN)
        if isinstance(on, Thing) and on.kind == "address":
            return self._readdressed(on, call, method, frame, machine)
        if method == "get_secret_value" and (call.keywords or call.args):
            return self.of("what get_secret_value gives")
        if method == "get_secret_value" and isinstance(receiver, ast.Name | ast.Attribute):
            return self.of(receiver.attr if isinstance(receiver, ast.Attribute) else receiver.id)
        if method not in _READERS or not call.args or isinstance(on, str | bytes | list):
            return None
        key = machine.value(call.args[0], frame)
        if (
            not isinstance(key, str)
            or not known(key)
            or (isinstance(on, dict) and (key in on or not getattr(on, "more", False)))
        ):
            return None
        default = machine.value(call.args[1], frame) if len(call.args) > 1 else None
        used = self.uses.of_key(key) or self.uses.of(call)
        if not (self._secret(key, call) or used) or written(default).startswith("sqlite"):
            reads = any("environ" in n or n.endswith("getenv") for n in self.program.names.names(call.func))
            return UNKNOWN if reads else None
        return self.of(key, address=True if used == "address" else None)

    def _address(self, text: str, *, hides: bool) -> Thing:
        found = functions.address_of(text)
        if hides:
            found.text = re.sub(r"(://[^:@/]*:)[^@]*@", r"\1***@", text)
        found.parts["whole"] = text
        return found

    def _readdressed(self, on: Thing, call: ast.Call, method: str, frame: Frame | None, machine: Expressions) -> object:
        whole = written(on.parts.get("whole", on.text))
        words = {k.arg: k.value for k in call.keywords}
        if method == "render_as_string":
            hide = words.get("hide_password")
            shown = hide is not None and machine.truth(hide, frame) is False
            return whole if shown else re.sub(r"(://[^:@/]*:)[^@]*@", r"\1***@", whole)
        if method in ("geturl", "human_repr", "__to_string__"):
            return whole
        if method in ("set", "_replace", "with_password", "with_user"):
            if method.startswith("with_"):  # the address with this part as it is given, and every other as it was
                words = {method.removeprefix("with_"): call.args[0]} if call.args else {}
            for part in ("username", "password", "netloc", "user"):
                value = words.get(part)
                old = written(on.parts.get(part, ""))
                if value is not None and old:
                    whole = whole.replace(old, written(machine.value(value, frame)) or "***", 1)
            hides = on.text != on.parts.get("whole")
            return self._address(whole, hides=hides)
        return UNKNOWN

    def _opened(self, call: ast.Call) -> str:
        """Return what is written where a file is named that a call reads."""
        receiver = self.program.calls.receiver(call)
        found = [receiver, *self.program.values.origins(receiver)] if receiver is not None else []
        if isinstance(receiver, ast.Name):
            found += [b.value for b in self.program.values.bindings(receiver) if b.value is not None]
        return " ".join(ast.unparse(f) for f in found if isinstance(f, ast.Call | ast.BinOp | ast.Constant))

    def _options(self, call: ast.Call) -> list[tuple[str, object]]:
        """Return the options of a command line that hold secrets."""
        found: list[tuple[str, object]] = []
        for other in self.program.files.module_of(call).calls:
            if self.program.calls.method(other) == "add_argument":
                for name in other.args:
                    word = str(name.value).lstrip("-").replace("-", "_") if isinstance(name, ast.Constant) else ""
                    if word and (reveals(word) or word == "token"):
                        found.append((word, self.of(word)))
        return found

    def _dumped(self, call: ast.Call, frame: Frame | None, machine: Expressions) -> object | None:
        receiver = self.program.calls.receiver(call)
        whole = machine.value(call.args[0] if call.args else receiver, frame)
        if not isinstance(whole, Thing) or whole.kind not in ("instance", "options"):
            return None
        box = self.box(whole, everything=True)
        for word in call.keywords:
            named = machine.value(word.value, frame)
            if word.arg in ("exclude", "include") and isinstance(named, set | list | tuple | dict):
                kept = {k: v for k, v in box.items() if (k in named) is (word.arg == "include")}
                box = Box(kept)
        return box

    def result(self, call: ast.Call, receiver: object, args: list[object], frame: Frame | None) -> object:
        """Return what something unknown gives: what it is called for, and what an error of it would say."""
        method = self.program.calls.method(call)
        machine = self.machine
        assert machine is not None
        if method in _FETCHERS and not isinstance(receiver, dict | str) and (args or call.keywords):
            words = {k.arg: machine.value(k.value, frame) for k in call.keywords if k.arg in ("url", "params")}
            asked = [a for a in [*args[:2], words.get("url")] if isinstance(a, str) and ("/" in a or GAP in a)]
            text = written([*asked, words.get("params")])
            if self.shown(text) and (asked or "params" in words) and frame is not None:
                frame.risky.append(text)
                return Thing("response", GAP, {"url": text})
            return UNKNOWN
        if method in _RUNNERS and any("subprocess" in n for n in self.program.names.names(call.func)):
            if frame is not None and args and self.shown(args[0]):
                frame.risky.append(written(args[0]))
                return Thing("done", written(args[0]), {"args": args[0]})
            return UNKNOWN
        if self.program.names.names(call.func) & {"jwt.encode", "jose.jwt.encode"}:
            return self.of("the issued token")
        if isinstance(receiver, Thing) and receiver.kind == "cookies" and args:
            return self.item(receiver, args[0], call)
        text = ast.unparse(call)
        setting = bool(args) and isinstance(args[0], str) and _SETTING.match(args[0]) and not reveals(args[0])
        if (method in _STORES and not setting) or (method == "get_parameter" and "WithDecryption=True" in text):
            return self.of(f"what {method} gives")
        if method in ("read_text", "read_bytes", "read", "readline") and _SECRET_FILE.search(self._opened(call)):
            return self.of("the content of a secret's file")
        keys = self.uses.taken(call)
        if keys:
            box = Box({k: self.of(k) for k in keys})
            box.more = True
            return box
        key = args[0] if args and isinstance(args[0], str) else ""
        if _SETTING.match(key) and not reveals(key):
            return UNKNOWN  # `get_secret("API_BASE")` is a reader of settings
        said = words_of(method)
        if len(said) > 1 and said[0] in _OBTAINS and reveals("_".join(said[1:])):
            return self.of("_".join(said[1:]))
        return UNKNOWN
