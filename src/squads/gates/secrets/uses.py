"""What its use says of a value, whatever it is called: it is sent as a credential, opens a database, signs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from squads.gates.check import CannotLook
from squads.gates.python import Class, Function, Program
from squads.gates.python.bindings import Binding
from squads.gates.secrets.interest import may_use
from squads.gates.secrets.words import kind_of, reveals
from squads.gates.words import word_set

# What is called with a key or password, by position, whatever the argument is called.
SINKS: dict[str, int] = {
    "hmac.new": 0, "hmac.digest": 0, "jwt.encode": 1, "jwt.decode": 1, "jose.jwt.encode": 1, "jose.jwt.decode": 1,
    "cryptography.fernet.Fernet": 0, "itsdangerous.URLSafeTimedSerializer": 0, "itsdangerous.URLSafeSerializer": 0,
    "itsdangerous.TimestampSigner": 0, "itsdangerous.Signer": 0, "Crypto.Cipher.AES.new": 0,
    "requests.auth.HTTPBasicAuth": 1, "requests.auth.HTTPDigestAuth": 1, "httpx.BasicAuth": 1, "aiohttp.BasicAuth": 1,
    "httpx.DigestAuth": 1, "cryptography.hazmat.primitives.ciphers.aead.AESGCM": 0,
    "cryptography.hazmat.primitives.ciphers.aead.ChaCha20Poly1305": 0,
    "cryptography.hazmat.primitives.ciphers.algorithms.AES": 0, "nacl.signing.SigningKey": 0,
    "nacl.secret.SecretBox": 0, "ftplib.FTP": 2, "ftplib.FTP_TLS": 2, "ldap3.Connection": 2, "pymysql.connect": 2,
    "MySQLdb.connect": 2, "twilio.rest.Client": 1, "authlib.jose.jwt.encode": 2,
}  # fmt: skip
METHODS = {
    "login": 1, "set_password": 0, "connect_with_password": 1, "from_private_bytes": 0, "load_pem_private_key": 0,
    "load_der_private_key": 0, "derive_private_key": 0, "load_ssh_private_key": 0, "simple_bind_s": 1, "hashpw": 0,
    "generate_password_hash": 0, "make_password": 0, "create_superuser": 2, "create_user": 2,
}  # fmt: skip
"""The same by the method's name, where what it is called on is not known."""
_OPENS = word_set(
    "create_engine create_async_engine create_pool from_url MongoClient AsyncIOMotorClient connect ConnectionPool "
    "AsyncConnectionPool connect_robust make_url"
)
_HEADERS = re.compile(r"(?i)^(proxy-)?authorization$|^x-[\w-]*(key|token|secret|auth)$|^(api-?key|private-token)$")
_QUERY = re.compile(r"(?i)^(appid|app_?key|api[-_]?key|key|token|access[-_]?token|auth|secret|subscription-key)$")
_IN_QUERY = re.compile(r"(?i)[?&](?P<name>appid|api[-_]?key|key|access[-_]?token|token|auth|secret|sig)=$")
_DIGEST = re.compile(r"(?i)digest\(|sha\d+\(|blake2|md5\(|_hash\(|^hash_")
_HASHES = re.compile(r"(?i)^_*(?:hash|check|verify|encrypt)_?(?:password|passwd|pw|token|secret|api_?key)$")
_PUBLIC = word_set(
    "from_public_bytes load_pem_public_key load_der_public_key load_ssh_public_key VerifyKey from_encoded_point "
    "load_pem_x509_certificate"
)
_TESTS = re.compile(r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$")
_NO_SECRET = re.compile(r"(?i)user|name|id$|account|login|host|port|client$|scheme|prefix|realm|key_id|email")


class Uses:
    """The values of one program that are used like secrets."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._bindings: dict[Binding, str] = {}
        self._texts: set[tuple[str, str]] = set()
        self._keys: dict[str, str] = {}
        self._public: set[Binding] = set()
        self._sent: set[tuple[str, str]] = set()
        self._taken: dict[tuple[object, str], list[str]] = {}
        self.headers: set[str] = set()
        """The names of the headers that credentials are sent in."""
        for path, content in program.files.texts():
            if not _TESTS.search(path) and may_use(content):
                self._module(path)

    def _module(self, path: str) -> None:
        try:
            module = self._program.files.module(path)
        except CannotLook:
            return
        for node in module.parents:
            key = _read_key(node)
            if key is not None and reveals(key[1]):
                self._taken.setdefault((self._program.function_of(node), ast.unparse(key[0])), []).append(key[1])
            for value, how in self._used(node):
                self._mark(value, how)

    def of(self, node: ast.AST) -> str:
        """Return how a name, attribute or parameter is used: `secret`, `address`, or not like one."""
        if isinstance(node, ast.Attribute):
            module = self._program.files.module_of(node)
            if (module.path, ast.unparse(node)) in self._texts:
                return "secret"
        return next((self._bindings[b] for b in self._bindings_of(node) if b in self._bindings), "")

    def public(self, value: ast.expr) -> bool:
        """Return whether what is bound to a value is used as a public key, and as no secret."""
        bound = self._program.files.module_of(value).scopes.by_value.get(value, [])
        return any(b in self._public and b not in self._bindings for b in bound)

    def of_field(self, owner: Class, name: str) -> str:
        """Return how a field of a class is used."""
        return next((self._bindings[b] for b in owner.scope.bindings.get(name, ()) if b in self._bindings), "")

    def sends(self, node: ast.Attribute) -> bool:
        """Return whether credentials are put into these headers somewhere in the file."""
        return (self._program.files.module_of(node).path, ast.unparse(node)) in self._sent

    def of_key(self, key: str) -> str:
        """Return how what stands in the environment under a key is used."""
        return self._keys.get(key, "")

    def taken(self, node: ast.AST) -> list[str]:
        """Return the secret keys that are read out of a name elsewhere: what holds them shows them."""
        module = self._program.files.module_of(node)
        if isinstance(node, ast.Attribute | ast.Call):
            return self._taken.get((self._program.function_of(node), ast.unparse(node)), [])
        found: list[str] = []
        for binding in self._bindings_of(node):
            for load in module.loads(binding):
                key = _key_of(load, module.parents)
                if key and reveals(key):
                    found.append(key)
        return found

    def _bindings_of(self, node: ast.AST) -> list[Binding]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return self._program.values.all_bindings(node)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            return self._program.values.bindings(node)
        found = self._program.files.module_of(node).scopes.by_target.get(node)
        return [found] if found is not None else []

    def _used(self, node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
        """Yield what is given where secrets go."""
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and _HEADERS.search(key.value):
                    self.headers.add(key.value)
                    yield value, "secret"
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            key = node.targets[0].slice
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and _HEADERS.search(key.value):
                self.headers.add(key.value)
                self._headers_of(node.targets[0].value)
                yield node.value, "secret"
        elif isinstance(node, ast.Call):
            yield from self._given(node)
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            self._compared(node.left, node.comparators[0])
        elif isinstance(node, ast.JoinedStr):
            for before, part in pairwise(node.values):
                if isinstance(before, ast.Constant) and isinstance(part, ast.FormattedValue):
                    query = _IN_QUERY.search(str(before.value))
                    if query and (query["name"].lower() != "key" or "key" in ast.unparse(part.value).lower()):
                        yield part.value, "secret"
        elif isinstance(node, ast.keyword) and node.arg == "params" and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and _QUERY.search(str(key.value)):
                    yield value, "secret"

    def _headers_of(self, node: ast.expr) -> None:
        if isinstance(node, ast.Attribute):
            self._sent.add((self._program.files.module_of(node).path, ast.unparse(node)))

    def _given(self, call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
        names = self._program.names.names(call.func)
        method = self._program.calls.method(call)
        display = call.args[0] if call.args else None
        if method == "update" and isinstance(display, ast.Dict) and isinstance(call.func, ast.Attribute):
            keys = [str(k.value) for k in display.keys if isinstance(k, ast.Constant)]
            if any(_HEADERS.search(k) for k in keys):
                self._headers_of(call.func.value)
        if method == "compare_digest" and len(call.args) == 2:
            self._compared(call.args[0], call.args[1])
        positions = [SINKS[n] for n in names if n in SINKS]
        if method in METHODS and isinstance(call.func, ast.Attribute | ast.Name):
            positions.append(METHODS[method])
        if method in _PUBLIC and call.args and isinstance(call.args[0], ast.Name | ast.Attribute):
            self._public.update(self._program.values.all_bindings(call.args[0]))
        if _HASHES.search(method) and call.args:
            yield call.args[0], "secret"
        for position in positions:
            if position < len(call.args):
                yield call.args[position], "secret"
        for word in call.keywords:
            if word.arg in ("auth", "basic_auth", "http_auth") and isinstance(word.value, ast.Tuple):
                yield from ((e, "secret") for e in word.value.elts[1:2])
            elif word.arg in ("auth", "basic_auth") and re.search(r"(?i)cred|login", _called(word.value)):
                yield word.value, "pair"
            elif word.arg and kind_of(word.arg) and reveals(word.arg) and not isinstance(word.value, ast.Constant):
                yield word.value, "secret"
        if method in _OPENS and len(call.args) >= 1 and not isinstance(call.args[0], ast.Starred):
            known = any(re.search(r"sqlite|socket|mqtt|signal", n) for n in names)
            if not known and (
                method != "connect" or any(re.search(r"psycopg|asyncpg|pymongo|aio_pika|redis", n) for n in names)
            ):
                yield call.args[0], "address"

    def _compared(self, one: ast.expr, other: ast.expr) -> None:
        """Note what a digest is compared with: it is a digest, which shows nobody a secret."""
        for made, with_it in ((one, other), (other, one)):
            bound = self._bindings_of(made) if isinstance(made, ast.Name) else []
            origins = [made, *(b.value for b in bound if b.value is not None)]
            if isinstance(with_it, ast.Name | ast.Attribute) and any(_DIGEST.search(ast.unparse(o)) for o in origins):
                self._public.update(self._program.values.all_bindings(with_it))

    def _mark(self, value: ast.expr, how: str) -> None:
        for leaf in self._leaves(value):
            if isinstance(leaf, ast.Name):
                for binding in self._program.values.all_bindings(leaf):
                    if isinstance(binding.value, ast.Constant) or isinstance(binding.node, ast.alias):
                        continue
                    self._bindings.setdefault(binding, how)
                    if binding.value is not None and not binding.path:
                        self._keyed(binding.value, how)
            elif isinstance(leaf, ast.Attribute):
                bindings = self._program.names.attribute_bindings(leaf)
                module = self._program.files.module_of(leaf)
                if not self._program.names.things(leaf.value):
                    bindings = bindings or module.scopes.attributes.get(leaf.attr, [])
                for binding in bindings:
                    self._bindings.setdefault(binding, how)
                    if isinstance(binding.value, ast.Name):  # the parameter that it was given as
                        for other in self._program.values.bindings(binding.value):
                            self._bindings.setdefault(other, how)
                    elif binding.value is not None:
                        self._keyed(binding.value, how)
                if not any(isinstance(t, Function) for t in self._program.names.things(leaf)):
                    self._texts.add((module.path, ast.unparse(leaf)))
            else:
                self._keyed(leaf, how)

    def _keyed(self, node: ast.expr, how: str) -> None:
        """Note the key under which a value is read from the environment."""
        for part in [node, *(node.values if isinstance(node, ast.BoolOp) else ())]:
            key: object = None
            if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant):
                key = part.slice.value
            elif isinstance(part, ast.Call) and part.args and isinstance(part.args[0], ast.Constant):
                key = part.args[0].value
            if (isinstance(key, str) and "environ" in ast.unparse(node)) or (
                isinstance(key, str) and "getenv" in ast.unparse(node)
            ):
                self._keys.setdefault(str(key), how)

    def _leaves(self, node: ast.expr) -> Iterator[ast.expr]:
        """Yield the names that a credential is put together from; of several, the last that is no user's name."""
        match node:
            case ast.JoinedStr():
                parts = [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
                yield from self._last(parts)
            case ast.BinOp(op=ast.Add() | ast.Mod()):
                parts = [p for p in (node.left, node.right) if not isinstance(p, ast.Constant)]
                yield from self._last(parts)
            case ast.Call() if not node.args and isinstance(node.func, ast.Attribute):
                if node.func.attr in ("encode", "decode", "strip", "get_secret_value"):
                    yield from self._leaves(node.func.value)
            case ast.Call() if "environ" in ast.unparse(node.func) or "getenv" in ast.unparse(node.func):
                yield node
            case ast.Call() if (
                self._program.calls.method(node) in ("b64encode", "bytes", "str", "fromhex") and node.args
            ):
                yield from self._leaves(node.args[0])
            case ast.Name() | ast.Attribute() | ast.Subscript():
                yield node
            case ast.BoolOp():
                for value in node.values:
                    yield from self._leaves(value)

    def _last(self, parts: list[ast.expr]) -> Iterator[ast.expr]:
        found = [p for p in parts if len(parts) == 1 or not _NO_SECRET.search(_called(p))]
        for part in found[-1:]:
            yield from self._leaves(part)


def _called(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _read_key(node: ast.AST) -> tuple[ast.expr, str] | None:
    """Return what an item is read from, other than a name, and its key."""
    box: ast.expr | None = None
    key: ast.expr | None = None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        box, key = node.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        box, key = node.func.value, node.args[0]
    if isinstance(box, ast.Attribute | ast.Call) and isinstance(key, ast.Constant) and isinstance(key.value, str):
        return box, key.value
    return None


def _key_of(load: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """Return the secret key that is read out of a name, also further inside."""
    parent = parents.get(load)
    while parent is not None:
        key: ast.expr | None = None
        if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Load):
            key, after = parent.slice, parents.get(parent)
        elif isinstance(parent, ast.Attribute) and parent.attr in ("get", "pop"):
            call = parents.get(parent)
            key, after = (call.args[0], parents.get(call)) if isinstance(call, ast.Call) and call.args else (None, None)
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return ""
        if reveals(key.value):
            return key.value
        parent = after
    return ""
