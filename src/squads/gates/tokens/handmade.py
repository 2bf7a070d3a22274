"""Whose key a signature is verified with where that is done by hand: the verifier's, or one that everybody has.

A key that came along in what it signs is the sender's own. A public key is no secret: who computes a code with it lets
everybody compute that code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice

from squads.contracts.finding import Severity
from squads.gates.python import Module, Program
from squads.gates.tokens.keys import KEYS_IN_HEADERS, Keys, Weakness
from squads.gates.tokens.roots import Roots
from squads.gates.tokens.verification import Verification

_MACS = re.compile(r"(^|\.)(hmac\.(new|digest|HMAC)|HMAC(\.new)?|CMAC(\.new)?)$")
_PUBLIC = re.compile(r"(^|[._])(pub(lic)?_?(key|pem|der)|x509|cert(ificate)?(_pem)?|PUB(LIC)?_?(KEY|PEM))$")
_OPENS = re.compile(r"(^|\.)(load_(pem|der|ssh)_public_key|load_(pem|der)_x509_certificate|from_public_bytes)$")
_KEYS = re.compile(r"key|jwk|cert|pem|pub", re.IGNORECASE)
_HEADERS = frozenset(("jose_header", "header", "headers", "protected", "unprotected"))
_STEPS_MAX = 300
"""How far a key is followed back; where it is made elsewhere, it is not made of what it verifies."""
_JSON = re.compile(r"(^|\.)(loads|load|decode|model_validate_json|literal_eval)$")


class Handmade:
    """Answers for one program."""

    def __init__(self, program: Program, verification: Verification, keys: Keys) -> None:
        self._program = program
        self._verification = verification
        self._keys = keys

    def weaknesses(self, module: Module, from_token: dict[ast.AST, str]) -> Iterator[Weakness]:
        """Yield the verifications of a module whose key is not the verifier's own secret."""
        public = {
            ast.unparse(a)
            for c in module.calls
            if any(_OPENS.search(n) for n in self._program.names.names(c.func) or {self._program.calls.method(c)})
            for a in c.args[:1]
        }
        for call in module.calls:
            names = self._program.names.names(call.func)
            arguments = self._program.calls.arguments(call)
            if any(_MACS.search(n) for n in names):
                key, given = arguments.get(0, "key"), arguments.every[1:]
                if key is not None and self._is_public(key, public):
                    text = f"A code is computed with {ast.unparse(key)[:80]}, a public key: everybody can compute it."
                    mend = "verify with a public key, or compute codes with a secret: never both with one key"
                    yield Weakness(Severity.BLOCKER, call, text, mend)
            elif self._program.calls.method(call) == "verify" and len(arguments.every) > 1:
                if self._program.names.functions(call):
                    continue
                key, given = self._program.calls.receiver(call), arguments.every
                if names & {"rsa.verify"}:
                    key, given = arguments.get(2, "pub_key"), arguments.positional[:2]
                if any(n.endswith("JWS().verify") for n in names):
                    filled = self._program.calls.receiver(call)
                    key, given = arguments.get(0, "key"), [filled] if filled is not None else []
            else:
                continue
            if key is not None and given:
                yield from self._brought(call, key, given, from_token)

    def _is_public(self, key: ast.expr, public: set[str]) -> bool:
        if ast.unparse(key) in public:
            return True
        parts = [key.func.value if isinstance(key, ast.Call) and isinstance(key.func, ast.Attribute) else key]
        parts += [b.value for b in self._program.values.bindings(parts[0]) if b.value is not None]
        return any(isinstance(p, ast.Name | ast.Attribute) and _PUBLIC.search(ast.unparse(p)) for p in parts)

    def _brought(
        self, call: ast.Call, key: ast.expr, given: list[ast.expr], from_token: dict[ast.AST, str]
    ) -> Iterator[Weakness]:
        """Yield that a key comes out of the very text that it is to verify."""
        signed = frozenset(r for g in given for r in self._verification.roots(g))
        boxes = {r.partition("[")[0] for r in signed if "[" in r}
        for step in islice(self._program.flow.trace(key, lambda c, _s: self._keys.builds(c)), _STEPS_MAX):
            node = step.node
            if isinstance(node, ast.Attribute) and node.attr in _HEADERS and set(step.held) & KEYS_IN_HEADERS:
                own = ast.unparse(node.value) in {ast.unparse(g) for g in given}
            elif isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in boxes:
                own = any(isinstance(k, str) and _KEYS.search(k) for k in step.held[:1])
            elif not isinstance(node, ast.Call):
                continue
            else:
                own = self._of_token(node, call, signed, from_token)
            if own and step.held and not self._keys.allowed(step):
                text = "The key comes out of what it is to verify: whoever makes a token brings its key."
                mend = "take the key from your own settings, or from a fixed key set"
                for place in {call: None, self._keys.taken(step) or call: None}:
                    yield Weakness(Severity.BLOCKER, place, text, mend)
                return

    def _of_token(self, node: ast.Call, call: ast.Call, signed: Roots, from_token: dict[ast.AST, str]) -> bool:
        """Return whether `node` reads what `call` is to verify."""
        if node in from_token:
            return True
        if not node.args or not _JSON.search(self._program.calls.method(node)):
            return False
        same_place = self._program.function_of(node) is self._program.function_of(call)
        return same_place and not signed.isdisjoint(self._verification.roots(node.args[0]))
