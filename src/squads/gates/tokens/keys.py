"""Where the algorithms and the key of a verification come from: from the verifier, or from the token itself."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from squads.contracts.finding import Severity
from squads.gates.python import Fact, Function, Program, Step, holds
from squads.gates.tokens.reading import Reading

KEYS_IN_HEADERS = frozenset(("jwk", "x5c", "jku", "x5u"))
_BUILDS = re.compile(
    r"(from_jwk|load_(pem|der)_\w+|construct|import_?key|importkey|public_key|to_pem|json|loads|dumps|from_json|"
    r"(^|\.)(get|urlopen|read|text|request|fetch|open|read_text|read_bytes|as_pem|b64decode|decode|encode|format|join|"
    r"get_signing_key\w*|get_jwk_set|PyJWKClient|PyJWK|PyJWKSet|JWK|JWKSet|Path|[lr]?strip|removesuffix|removeprefix|replace|as_dict|from_dict|"
    r"load_pkcs1\w*|new|find_by_kid|get_by_kid|find_by_thumbprint|get_key|from_pem|from_public_bytes|from_encoded_point|from_public_numbers|public_numbers|RSAPublicNumbers|from_string|VerifyKey|fromhex|unhexlify|export_to_pem|import_key_set|load_certificate|get_pubkey|bytes|str|urljoin|fetch_jwks|get_jwks|next|iter|list|dict|sorted|filter))$",
    re.IGNORECASE,
)
_MATERIAL = frozenset(("n", "x", "y", "k", "x5c", "x5t", "x5t#S256"))
"""What makes a key of a JWK the one that it is."""
_HASHES = re.compile(r"sha\d+|digest|fingerprint|thumbprint|blake2", re.IGNORECASE)
_HOSTS = frozenset(("hostname", "netloc", "host"))
_SPLITS = re.compile(r"(^|\.)(urlsplit|urlparse|URL|parse_url)$")
"""Who an address leads to: known hosts are as good as known addresses."""
_FOLLOWED_MAX = 5
_AS_IT_IS = frozenset(("get", "encode", "bytes", "str", "strip", "decode"))
_PARTS_MAX = 150
_ISSUERS = frozenset(("iss", "kid", *KEYS_IN_HEADERS))
_FILES = re.compile(r"(^|\.)(open|Path|read_text|read_bytes)(\(\))?$")


@dataclass(frozen=True, slots=True)
class Weakness:
    """Why a verification is worth little."""

    severity: Severity
    node: ast.AST
    message: str
    satisfy: str


class Keys:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def weaknesses(self, reading: Reading, from_token: dict[ast.AST, str]) -> list[Weakness]:
        """Return what is wrong with a verification. `from_token` holds what was read from tokens unverified."""
        found = self._algorithms(reading, from_token)
        if reading.key is not None:
            found += self._key(reading, reading.key, from_token)
            found += self._empty(reading, reading.key, from_token)
            for function in self._program.names.things(reading.key):
                if isinstance(function, Function):
                    found += self._chosen_by(reading, function)
        return found

    def _chosen_by(self, reading: Reading, function: Function) -> list[Weakness]:
        """Return what is wrong with a function that the library calls with the token's header to be told the key."""
        own = function.parameters[1:] if function.bound else function.parameters
        fixed = "take the key from a fixed or configured key set, chosen by the header's kid"
        for returned in function.returns:
            for step in [Step("same", returned), *self._program.flow.trace(returned, lambda c, s: self.builds(c))]:
                if not isinstance(step.node, ast.Name) or not step.held:
                    continue
                bound = {b.node for b in self._program.values.bindings(step.node)}
                names = [k for k in step.held if k in KEYS_IN_HEADERS or (k == "iss" and own[1:2])]
                if bound.isdisjoint(own) or not names or self.allowed(step):
                    continue
                text = f"The key is chosen by the token's own {names[0]}: whoever makes a token brings its key."
                places = dict.fromkeys((self.taken(step) or reading.node, returned, reading.node))
                return [Weakness(Severity.BLOCKER, n, text, fixed) for n in places]
        return []

    def _empty(self, reading: Reading, key: ast.expr, from_token: dict[ast.AST, str]) -> list[Weakness]:
        """Return that a key is empty where the token names one that nobody knows: with HMAC, anybody signs with it."""
        elements = self._program.values.elements(reading.algorithms).known if reading.algorithms is not None else []
        words = {w for e in elements for w in self._program.values.constants(e) if isinstance(w, str)}
        if words and not any(w.upper().startswith("HS") for w in words):
            return []
        chosen, empty = False, False
        for part in self._made_of(key, from_token):
            chosen = chosen or part in from_token
            given: list[ast.expr] = []
            if part in from_token or self._of_token(part, from_token):
                continue
            if isinstance(part, ast.Call) and self._program.calls.method(part) in ("get", "getattr", "pop"):
                given = part.args[-1:] if len(part.args) > 1 else []
            elif isinstance(part, ast.BoolOp) and isinstance(part.op, ast.Or):
                given = part.values[-1:]
            elif isinstance(part, ast.IfExp):
                given = [part.body, part.orelse]
            empty = empty or any(isinstance(g, ast.Constant) and g.value in ("", b"") for g in given)
        if not chosen or not empty:
            return []
        text = "The key is empty where the token's own kid is not known, and everybody can sign with an empty key."
        return [Weakness(Severity.BLOCKER, reading.node, text, "refuse a kid that is not in the key set")]

    def _of_token(self, part: ast.AST, from_token: dict[ast.AST, str]) -> bool:
        """Return whether `part` asks the token for something, such as its kid: what is missing then is no key."""
        receiver = self._program.calls.receiver(part) if isinstance(part, ast.Call) else None
        return receiver is not None and any(o in from_token for o in self._program.values.origins(receiver))

    def _made_of(self, node: ast.expr, from_token: dict[ast.AST, str]) -> set[ast.AST]:
        """Return every part of an expression, and of what its local names stand for."""
        seen: set[ast.AST] = set()
        waiting: list[ast.AST] = [node]
        while waiting and len(seen) < _PARTS_MAX:
            part = waiting.pop()
            if part in seen:
                continue
            seen.add(part)
            if part in from_token:
                continue  # how the token itself was come by says nothing about its key
            if isinstance(part, ast.Name):
                bound = [b for b in self._program.values.bindings(part) if b.value is not None]
                waiting += [b.value for b in bound if b.value and self._program.function_of(b.node) is not None]
            waiting.extend(ast.iter_child_nodes(part))
        return seen

    def _algorithms(self, reading: Reading, from_token: dict[ast.AST, str]) -> list[Weakness]:
        row = reading.row
        fixed = 'fix the algorithms where you verify: jwt.decode(token, key, algorithms=["RS256"])'
        given = reading.algorithms if reading.algorithms is not None else self._made_with(reading)
        if given is None:
            if row is None or row.algorithms is None or self._program.calls.arguments(reading.node).more:
                return []
            text = f"{ast.unparse(reading.node.func)}() is given no algorithms, so the token's own header chooses one."
            return [Weakness(Severity.MAJOR, reading.node, text, fixed)]
        for step in [Step("same", given), *self._program.flow.trace(given, lambda _c, _s: False)]:
            if step.node in from_token and ("alg" in step.held or not step.held) and not self.allowed(step):
                text = f"The algorithms, {ast.unparse(given)[:80]}, are taken from the token that they are to verify."
                return [Weakness(Severity.BLOCKER, given, text, fixed)]
        elements = self._program.values.elements(given).known
        words = {w for e in elements for w in self._program.values.constants(e) if isinstance(w, str)}
        if any(w.lower() == "none" for w in words):
            text = f"The algorithm none is allowed by {ast.unparse(given)[:80]}: a token without any signature passes."
            return [Weakness(Severity.BLOCKER, given, text, fixed)]
        if any(v is None for e in (self._program.values.constants(given),) for v in e):
            text = f"{ast.unparse(reading.node.func)}() is given no algorithms, so the token's own header chooses one."
            return [Weakness(Severity.MAJOR, given, text, fixed)]
        families = {w[:2].upper() for w in words}
        if "HS" in families and families & {"RS", "ES", "PS", "ED"} and self._one_key(reading):
            text = (
                f"{ast.unparse(given)[:80]} allows HMAC and public-key algorithms with one key: who knows the public "
                "key signs tokens with it."
            )
            return [Weakness(Severity.MAJOR, given, text, "allow one family of algorithms for one key")]
        return []

    def _one_key(self, reading: Reading) -> bool:
        """Return whether all algorithms are verified with one key: nothing chooses between several."""
        return len(self._program.values.origins(reading.key)) == 1

    def _made_with(self, reading: Reading) -> ast.expr | None:
        """Return the algorithms that the verifying object was made with."""
        receiver = self._program.calls.receiver(reading.node)
        for made in self._program.values.origins(receiver) if receiver is not None else ():
            if isinstance(made, ast.Call):
                names = self._program.names.names(made.func)
                if any(n.endswith(("JsonWebToken", "JsonWebSignature", "TokenBackend")) for n in names):
                    return self._program.calls.arguments(made).get(0, "algorithms", "algorithm")
        return None

    def _key(self, reading: Reading, key: ast.expr, from_token: dict[ast.AST, str]) -> list[Weakness]:
        """Return what is wrong with where a key comes from: of several ways to it, the worst."""
        fixed = "take the key from a fixed or configured key set, chosen by the header's kid"
        found: list[Weakness] = []
        for step in self._program.flow.trace(key, lambda c, s: self.builds(c)):
            kind = from_token.get(step.node)
            if kind is None:
                continue
            keys = [k for k in step.held if k in _ISSUERS]
            name = str(keys[0]) if keys else ""
            if kind == "header" and name in KEYS_IN_HEADERS:
                if self.allowed(step):
                    continue
                text = f"The key is built from the token's own header ({name}): whoever makes a token brings its key."
                return [Weakness(Severity.BLOCKER, n, text, fixed) for n in self._both(reading, step)]
            if name == "iss" and not self.allowed(step):
                text = (
                    "The key is fetched from wherever the token's own iss says: whoever makes a token brings its key."
                )
                mend = f"compare iss with the issuers you trust; {fixed}"
                return [Weakness(Severity.BLOCKER, n, text, mend) for n in self._both(reading, step)]
            if name == "kid" and not self.allowed(step) and self._itself(step, from_token):
                text = "The key is the token's own kid: whoever makes a token brings its key."
                return [Weakness(Severity.BLOCKER, n, text, fixed) for n in self._both(reading, step)]
            if name == "kid" and not self.allowed(step):
                files = any(
                    isinstance(s.node, ast.Call)
                    and any(_FILES.search(n) for n in self._program.names.names(s.node.func))
                    for s in step.way()
                )
                text = f"The token's own kid selects a {'file' if files else 'URL'} that the key is read from."
                severity = Severity.MAJOR if files else Severity.NOTE
                found.append(Weakness(severity, reading.node, text, f"look kid up in a fixed set; {fixed}"))
        return sorted(found, key=lambda w: w.severity, reverse=True)[:1]

    def _both(self, reading: Reading, step: Step) -> list[ast.AST]:
        """Return where the token is verified, and where its key was taken out of it."""
        return list(dict.fromkeys((reading.node, self.taken(step) or reading.node)))

    def _itself(self, step: Step, from_token: dict[ast.AST, str]) -> bool:
        """Return whether what was taken from the token is the key, as it is or as bytes."""
        calls = [s.node for s in step.way() if isinstance(s.node, ast.Call) and s.node not in from_token]
        return all(self._program.calls.method(c) in _AS_IT_IS and not self._program.calls.fetches(c) for c in calls)

    def builds(self, call: ast.Call) -> bool:
        """Return whether a call makes a key of what it is given, or fetches it."""
        names = self._program.names.names(call.func)
        if self._program.calls.method(call) == "public_key" and call.args:
            return False  # who asks for the key of somebody looks it up
        return any(
            _BUILDS.search(n) for n in names or {self._program.calls.method(call)}
        ) and "objects" not in ast.unparse(call.func)

    def allowed(self, step: Step) -> bool:
        """Return whether what was taken from the token was compared with something of the verifier's on its way."""
        texts = {ast.unparse(s.node) for s in step.way() if isinstance(s.node, ast.Name | ast.Subscript | ast.Call)}
        for one in step.way():
            events = self._program.control.before(one.node)

            def compared(event: object) -> bool:
                if not isinstance(event, Fact) or not isinstance(event.node, ast.Compare | ast.Call):
                    return False
                node = event.node
                if isinstance(node, ast.Call):
                    words = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
                    sane = not isinstance(node.func, ast.Name) or node.func.id not in ("isinstance", "bool", "len")
                    return (
                        event.truth
                        and sane
                        and not _says_nothing(node)
                        and any(self._stands_for(w, texts) for w in words)
                    )
                same = isinstance(node.ops[0], ast.In | ast.Eq if event.truth else ast.NotIn | ast.NotEq)
                sides = [node.left, *(node.comparators if isinstance(node.ops[0], ast.Eq | ast.NotEq) else ())]
                if any(isinstance(s, ast.Constant) and not s.value for s in sides):
                    return False
                return same and any(self._stands_for(s, texts) for s in sides)

            if holds(events, compared):
                return True
        return False

    def _stands_for(self, word: ast.expr, texts: set[str], depth: int = 0) -> bool:
        """Return whether `word` is what was taken from the token, what makes up a key in it, or a hash of it.

        A kid, a type or a subject proves nothing: everybody can write those beside another key.
        """
        if depth > _FOLLOWED_MAX:
            return False
        if isinstance(word, ast.NamedExpr):
            return any(self._stands_for(w, texts, depth + 1) for w in (word.target, word.value))
        if ast.unparse(word) in texts:
            return True
        if isinstance(word, ast.Tuple):
            return any(self._stands_for(e, texts, depth + 1) for e in word.elts)
        if isinstance(word, ast.Subscript) and isinstance(word.slice, ast.Constant):
            return word.slice.value in _MATERIAL and ast.unparse(word.value) in texts
        if isinstance(word, ast.Attribute) and word.attr in _HOSTS:
            cut = self._program.values.origins(word.value)
            given = [
                a for c in cut if isinstance(c, ast.Call) and _SPLITS.search(ast.unparse(c.func)) for a in c.args[:1]
            ]
            return any(self._stands_for(g, texts, depth + 1) for g in given)
        if isinstance(word, ast.Call):
            method, receiver = self._program.calls.method(word), self._program.calls.receiver(word)
            if method == "get" and word.args and isinstance(word.args[0], ast.Constant) and receiver is not None:
                return word.args[0].value in _MATERIAL and ast.unparse(receiver) in texts
            if _HASHES.search(method):
                return any(ast.unparse(p) in texts for p in ast.walk(word) if isinstance(p, ast.expr)) or any(
                    self._stands_for(p, texts, depth + 1)
                    for p in (*word.args, *([receiver] if receiver is not None else []))
                )
            if self._program.names.functions(word) or len(word.args) == 1:
                return any(self._stands_for(a, texts, depth + 1) for a in word.args)
        if isinstance(word, ast.Name):
            bound = [b.value for b in self._program.values.bindings(word) if b.value is not None]
            return any(self._stands_for(b, texts, depth + 1) for b in bound if not isinstance(b, ast.Name))
        return False

    def taken(self, step: Step) -> ast.AST | None:
        """Return where the key was taken out of the token; None where that cannot be said."""
        for one in step.way():
            node = one.node
            asked: ast.expr | None = node.slice if isinstance(node, ast.Subscript) else None
            if isinstance(node, ast.Call) and self._program.calls.method(node) == "get" and node.args:
                asked = node.args[0]
            if isinstance(asked, ast.Constant) and asked.value in step.held:
                return node
        return None


def _says_nothing(call: ast.Call) -> bool:
    """Return whether a condition only asks how an address begins, as every address does: `startswith("https://")`."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = [n.value for a in call.args for n in ast.walk(a) if isinstance(n, ast.Constant)]
    every = [g for g in given if isinstance(g, str)]
    return method == "startswith" and bool(every) and all(g.rstrip("/").endswith(":") or not g for g in every)
