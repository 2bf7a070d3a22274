"""The JWT libraries: which call reads a token, which of its arguments count, and when it does not verify.

A table of names, so that another library is another row. A call to something that no row names is still a reading that
does not verify where it is handed `options={"verify_signature": False}`: nothing else takes that.
"""

from __future__ import annotations

import ast
import re

from squads.gates.python import UNKNOWN, Arguments, Done, Fact, Program, Unknown, holds
from squads.gates.tokens.by_hand import reading_by_hand
from squads.gates.tokens.reading import Reading, Row
from squads.gates.tokens.switches import HEADERS, by_default, hangs_on_header

PYJWT = Row("checks", algorithms=2, verify=2)
JOSE = Row("checks", algorithms=2)
CHECKS = Row("checks")
ALONE = Row("checks", key=None)
UNVERIFIED = Row("unverified", key=None)
HEADER = Row("header", key=None)

ROWS: dict[str, Row] = {
    **dict.fromkeys(
        (
            f"jwt.{m}{f}"
            for m in ("", "api_jwt.", "PyJWT().", "api_jwt.PyJWT().", "PyJWS().", "api_jws.", "api_jws.PyJWS().")
            for f in ("decode", "decode_complete")
        ),
        PYJWT,
    ),
    "jwt.JWT().decode": Row("checks", verify=2),
    "jose.jwt.decode": JOSE,
    "jose.jws.verify": Row("checks", algorithms=2, verify=3),
    "jose.jwt.get_unverified_claims": UNVERIFIED,
    "jose.jws.get_unverified_claims": UNVERIFIED,
    "authlib.jose.jwt.decode": CHECKS,
    "authlib.jose.JsonWebToken().decode": CHECKS,
    "authlib.jose.JsonWebSignature().deserialize_compact": CHECKS,
    "joserfc.jwt.decode": CHECKS,
    "joserfc.jws.deserialize_compact": CHECKS,
    "joserfc.jws.extract_compact": UNVERIFIED,
    "jwcrypto.jwt.JWT": Row("checks", token=None, key=None, keyed=True),
    "jwcrypto.jws.JWS().deserialize": Row("checks", key=1, keyed=True, fills=True),
    "google.auth.jwt.decode": Row("checks", verify=2),
    "google.oauth2.id_token.verify_token": ALONE,
    "google.oauth2.id_token.verify_oauth2_token": ALONE,
    "google.oauth2.id_token.verify_firebase_token": ALONE,
    "firebase_admin.auth.verify_id_token": ALONE,
    "firebase_admin.auth.verify_session_cookie": ALONE,
    "python_jwt.verify_jwt": CHECKS,
    "python_jwt.process_jwt": UNVERIFIED,
    "flask_jwt_extended.decode_token": ALONE,
    "rest_framework_simplejwt.backends.TokenBackend().decode": Row("checks", key=None, verify=1),
    "rest_framework_simplejwt.state.token_backend.decode": Row("checks", key=None, verify=1),
    **dict.fromkeys(
        (f"rest_framework_simplejwt.tokens.{n}" for n in ("UntypedToken", "AccessToken", "RefreshToken", "Token")),
        Row("checks", key=None, verify=1),
    ),
    "cognitojwt.decode": ALONE,
    "cognitojwt.decode_async": ALONE,
    **dict.fromkeys(
        (
            f"{m}.{f}"
            for m in ("jwt", "jwt.api_jws", "jwt.PyJWS()", "jose.jwt", "jose.jws")
            for f in ("get_unverified_header", "get_unverified_headers")
        ),
        HEADER,
    ),
}
_UNSAFE = re.compile(r"(^|[.\])])(loads_unsafe|load_unsafe|load_payload_unsafe|load_payload|(get_)?unverified_claims)$")
_SIGNED = re.compile(r"(^|[.\])])unsign(_object)?$|(Serializer\(\)|\bsigning)\.loads$")
"""itsdangerous, and Django's signing: they raise where the signature is wrong."""
_OLD = re.compile(r"(^|\.)SignatureExpired$")
_CALLERS_MAX = 8
_TOKENS = re.compile(r"jwt|jws|jose|id_?token|token_?backend", re.IGNORECASE)


class Libraries:
    """Answers which calls of a program read tokens."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[ast.Call, Reading | None] = {}

    def reading(self, call: ast.Call) -> Reading | None:
        """Return how `call` reads a token; None where it reads none."""
        if call not in self._known:
            self._known[call] = None
            self._known[call] = self._reading(call) or reading_by_hand(self._program, call)
        return self._known[call]

    def _reading(self, call: ast.Call) -> Reading | None:
        names = self._program.names.names(call.func)
        arguments = self._program.calls.arguments(call)
        row = next((ROWS[n] for n in sorted(names) if n in ROWS), None)
        method = self._program.calls.method(call)
        if row is None:
            row = self._unlisted(call, names, method, arguments)
        if row is None:
            return None
        token = arguments.get(row.token, "token", "jwt", "encoded", "s", "value", "id_token", "jwt_token", "raw_jws")
        if token is None:
            return None
        style, how, switch = row.style, "", None
        key = arguments.get(row.key, "key", "certs", "secret", "pub_key", "public_key")
        if style == "unverified":
            how = f"{ast.unparse(call.func)}() does not verify"
        elif style == "checks":
            switch = self._off(call, row, arguments)
            if switch is not None:
                how = f"verification is switched off by {ast.unparse(switch)[:120]}"
            elif row.keyed and key is None and not arguments.more:
                how = f"{ast.unparse(call.func)}() is given no key, so it verifies nothing"
        algorithms = arguments.get(row.algorithms, "algorithms") if row.algorithms is not None else None
        if algorithms is None and row.algorithms is not None and arguments.more:
            algorithms = arguments.more[0]
        held = self._filled(call) if how and row.fills else None
        return Reading(call, token, "unverified" if how else style, how, switch, key, algorithms, row, held)

    def _filled(self, call: ast.Call) -> ast.expr | None:
        """Return where the claims are read from the object that `call` fills, and nothing has verified it."""
        receiver = self._program.calls.receiver(call)
        bindings = self._program.values.bindings(receiver)
        module = self._program.files.module_of(call)

        def verified(event: Done | Fact) -> bool:
            node = event.node
            return (
                isinstance(node, ast.Call)
                and self._program.calls.method(node) == "verify"
                and any(b in bindings for b in self._program.values.bindings(self._program.calls.receiver(node)))
            )

        for read in module.attributes.get("objects", ()):
            same = any(b in bindings for b in self._program.values.bindings(read.value))
            if same and not holds(self._program.control.before(read), verified):
                return read
        return None

    def _unlisted(self, call: ast.Call, names: frozenset[str], method: str, arguments: Arguments) -> Row | None:
        """Return a row for what no row names: known by its name, or by the switch it is given."""
        if self._program.names.functions(call):
            return None
        if any(_SIGNED.search(n) for n in (*names, method)):
            return ALONE
        if any(_UNSAFE.search(n) for n in (*names, method)):
            return ALONE if method == "load_payload" and self._only_old(call) else UNVERIFIED
        if HEADERS.search(method):
            return HEADER
        known = names or {ast.unparse(call.func) if isinstance(call.func, ast.Attribute | ast.Name) else ""}
        if "decode" in method or "verify" in method or "load" in method:
            options = self._program.values.entries(arguments.keywords.get("options")).known
            if "verify_signature" in options or "verify_signature" in arguments.keywords:
                return CHECKS
            if "verify" in arguments.keywords and any(_TOKENS.search(n) for n in known):
                return CHECKS
        if method == "decode" and "algorithms" in arguments.keywords and any(_TOKENS.search(n) for n in known):
            return Row("checks", algorithms=2)
        return None

    def _only_old(self, call: ast.Call) -> bool:
        """Return whether a payload is that of a token whose signature is right, and which is only too old."""
        given = call.args[0] if call.args else None
        if not isinstance(given, ast.Attribute) or given.attr != "payload":
            return False
        for binding in self._program.values.bindings(given.value):
            if isinstance(binding.node, ast.ExceptHandler) and binding.node.type is not None:
                kinds = binding.node.type.elts if isinstance(binding.node.type, ast.Tuple) else [binding.node.type]
                return all(_OLD.search(ast.unparse(k)) for k in kinds)
        return False

    def _off(self, call: ast.Call, row: Row, arguments: Arguments) -> ast.expr | None:
        """Return what switches verification off, None where nothing does."""
        values = self._program.values
        options = [arguments.get(None, "options"), *arguments.positional[3:5]]
        receiver = self._program.calls.receiver(call)
        made_by = [o for o in values.origins(receiver) if isinstance(o, ast.Call)]
        options += [self._program.calls.arguments(made).get(0, "options") for made in made_by]
        for candidate in options:
            if candidate is None:
                continue
            flags = [*values.entries(candidate).known.get("verify_signature", ()), *self._spread(candidate)]
            for flag in flags:
                if self._false(flag, arguments.get(row.token)):
                    return flag if not isinstance(flag, ast.Constant) else candidate
        for name in ("verify", "verify_signature"):
            flag_word = arguments.keywords.get(name)
            if flag_word is not None and self._false(flag_word):
                return flag_word
        if row.verify is not None and row.verify < len(arguments.positional):
            flag_at = arguments.positional[row.verify]
            if values.constants(flag_at) <= {True, False} and self._false(flag_at):
                return flag_at
        return None

    def _spread(self, options: ast.expr) -> list[ast.expr]:
        """Return what `**options` holds for the switch where the function that passes them on is called."""
        names = [b.node for b in self._program.values.bindings(options)] if isinstance(options, ast.Name) else []
        function = self._program.function_of(options)
        if function is None or function.node.args.kwarg not in names:
            return []
        calls = self._program.calls.callers(function)[:_CALLERS_MAX]
        return [k.value for c in calls for k in c.keywords if k.arg == "verify_signature"]

    def _chosen_by_token(self, node: ast.expr, token: ast.expr | None) -> bool:
        """Return whether a switch hangs on the token, or on what stands in its own header: then the sender has it."""
        names = [n for n in ast.walk(token) if isinstance(n, ast.Name)] if token is not None else []
        of_token = {b for n in names for b in self._program.values.bindings(n)}
        return hangs_on_header(self._program, node, of_token)

    def _false(self, node: ast.expr, token: ast.expr | None = None) -> bool:
        found = self._program.values.constants(node)
        if any(v is not UNKNOWN and not isinstance(v, Unknown) and not v for v in found):
            return True
        if self._chosen_by_token(node, token):
            return True
        default = by_default(self._program, node)
        return not isinstance(default, Unknown) and not default
