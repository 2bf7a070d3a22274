"""`auth.token-signature`: the claims of a token are believed only once its signature has been verified.

Why it matters: a JWT is two pieces of JSON that anybody can write. Only its signature, verified with a key and an
algorithm that the verifier chose, says who wrote them. Code that reads the payload without verifying runs, its tests
pass, and whoever sends {"sub": "admin"} is the administrator.

Refused:

    def claims_of(id_token):
        payload = id_token.split(".")[1]          # verified by the gateway in production
        return json.loads(base64.urlsafe_b64decode(payload + "=="))

Approved:

    def claims_of(id_token):
        key = PyJWKClient(JWKS_URL).get_signing_key_from_jwt(id_token).key
        return jwt.decode(id_token, key, algorithms=["RS256"], audience=CLIENT_ID, issuer=ISSUER)

What is weighed, and how heavily:

- Claims that are returned, stored, compared or handed on, and whose token nothing has verified on every way there:
  blocker. It does not matter how the token is taken apart, which library reads it with verification off, what the
  function is called, or that a comment says it is verified elsewhere. A verification whose result nobody looks at,
  whose exception is swallowed, or which compares the token with itself, is none. Audience, issuer and expiry prove
  nothing.
- A code that is compared only as far as the token's own is long, only by its beginning or its first few characters,
  whose comparison nobody looks at, or which is computed over another piece than the one that is believed: blocker.
  It does not matter at which mark a token is cut, where its file computes codes.
- A verification whose failure changes nothing is refused where it stands: its answer is dropped, only logged, handed on
  beside the claims and read by nobody; its exception is caught and noted; it is asked for only where there is a
  signature, or where the one who was looked up has a key. So is a code that is computed and never compared.
- A signature that is a plain hash, a code over a constant, and a code that leaves out the body of the request, or a
  field that came beside it and is then handed on, kept, returned or compared with the time: blocker. Fields are
  followed through helpers, callers and objects that are made of them. Headers, what stands in a form, what may be left
  out, and what a person types in or chooses (a password, a page, an order) are not counted.
- What a function gives only where the signature is right counts as verified: the text without its seal or nothing, an
  answer beside the claims, a field or property that says so, one of several states.
- A key that comes out of what it verifies, and a public key that codes are computed with: blocker, with or without a
  library. A key that came along counts where it was compared as a whole, by its numbers or its hash: not by its kid.
- A switch that hangs on the token's own header (`verify_signature: key is not None`): off, as the sender has it.
- The algorithm none, algorithms out of the token's own header, a key out of its header (jwk, x5c, jku, x5u) or from
  wherever its own iss points: blocker. No algorithms where the library then believes the header, HMAC and public-key
  algorithms with one key, and a kid that names a file: major. A kid inside a fixed URL: a note.
- An id_token straight from the token endpoint counts like any other: the code does not show that it came from there.
- Claims that are only shown (`print`, a logger), or of which only exp, iat and nbf are read, as a client does that
  refreshes its own token in time: a note, unless the function is named as one that lets people in.
- Unverified reading that only chooses the key, before the same token is verified: nothing is said. What is read of a
  token that has only expired stands on its signature: libraries look at that first.
- A call of an unknown function named `verify...`, as a statement or as a condition, is believed: its code is not here.
- A guard in front of the function (`@jwt_required()`, `Depends(verify_token)`, `permission_classes`) verifies the
  request's own token: what is then read of it unverified is a note. A guard of the artifact is looked through, one of
  a framework believed. Another token than the request's, and a guard that is optional, are not covered by it.
- A switch that is off unless somebody sets it (`os.getenv("VERIFY", "false") == "true"`) is off; one that is on unless
  somebody turns it off passes, and so does one whose default does not stand here.
- Tests (under tests/, test_*.py, *_test.py, conftest.py): a note. They read tokens that they have just made.

Where it comes from: the second catch in "The Team is the Architecture": `_decode_oidc_id_token()` decoded the payload
without verifying the signature. RFC 7515, section 5.2; RFC 7519, section 7.2; RFC 8725, sections 2.1 and 3.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import CannotLook, check
from squads.gates.python import PYTHON_FILES, Program, read_program
from squads.gates.tokens.comparing import SEALS, Comparing, Vain
from squads.gates.tokens.covering import Covering
from squads.gates.tokens.guards import Guards
from squads.gates.tokens.handmade import Handmade
from squads.gates.tokens.keys import Keys, Weakness
from squads.gates.tokens.leftout import LeftOut
from squads.gates.tokens.libraries import Libraries
from squads.gates.tokens.reading import Reading
from squads.gates.tokens.trust import Trust, Trusting
from squads.gates.tokens.unheeded import Unheeded
from squads.gates.tokens.unread import Unread
from squads.gates.tokens.verification import Verification

INVARIANT = Invariant(
    id="auth.token-signature",
    statement=(
        "No token's claims are trusted unless its signature was verified with the verifier's own key and algorithms."
    ),
    why="Anybody can write a token; without its signature verified, whoever sends one is whoever they say they are.",
    severity=Severity.BLOCKER,
    cwe=347,
    refused=(
        "import base64, json\n\n"
        "def claims_of(id_token):\n"
        '    payload = id_token.split(".")[1]  # verified by the gateway in production\n'
        '    return json.loads(base64.urlsafe_b64decode(payload + "=="))\n'
    ),
    approved=(
        "import jwt\n\n"
        "def claims_of(id_token):\n"
        "    key = jwt.PyJWKClient(JWKS_URL).get_signing_key_from_jwt(id_token).key\n"
        '    return jwt.decode(id_token, key, algorithms=["RS256"], audience=CLIENT_ID, issuer=ISSUER)\n'
    ),
    origin='"The Team is the Architecture", catch 2; RFC 7515, 7519 and 8725.',
)
_INTEREST = re.compile(
    rb"jwt|jws|jose|verify_signature|unverified|_unsafe|id_?token|bearer|b64|base64|ABCDEFGHIJKLM|itsdangerous|"
    rb"core.signing|load_payload|"
    rb"(split|partition|index|find)\(\s*b?[\"']\.[\"']",
    re.IGNORECASE,
)
_OF_HEADERS = re.compile(r"^(alg|kid|typ|cty|enc|zip|crit|jwk|jku|x5\w+|b64|v|ver|version|type|iss|apv|apu|epk|p2\w)$")
_TESTS = re.compile(r"(^|/)tests?/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.pyi?$")
_TEXT_MAX = 4_000


@check(INVARIANT, files=PYTHON_FILES)
def token_signature(artifact: Artifact) -> list[Finding]:
    """Return the places that trust a token which nothing has verified."""
    program = read_program(artifact)
    with program.lock:
        try:
            return _Look(program).findings()
        except RecursionError as error:
            raise CannotLook("the Python is nested too deeply to be read; flatten its expressions") from error


class _Look:
    """One look at one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._libraries = Libraries(program)
        self._keys = Keys(program)
        verification = Verification(program, self._libraries)
        self._handmade = Handmade(program, verification, self._keys)
        self._trust = Trust(program, verification)
        self._comparing = Comparing(program, verification)
        self._unread = Unread(program, self._comparing)
        self._covering = Covering(program, self._comparing)
        self._left_out = LeftOut(program, verification, self._comparing)
        self._unheeded = Unheeded(program, self._libraries, verification, self._comparing)
        self._guards = Guards(program, self._libraries, verification)

    def findings(self) -> list[Finding]:
        """Return the findings of every file that may read a token."""
        files = self._program.files
        modules = [files.module(path) for path, content in files.texts() if _INTEREST.search(content)]
        readings: list[Reading] = []
        for module in modules:
            for call in module.calls:
                reading = self._libraries.reading(call)
                if reading is not None:
                    readings.append(reading)
        from_token: dict[ast.AST, str] = {
            r.node: "header" if r.style == "header" else "claims" for r in readings if r.style != "checks"
        }
        found: list[Finding] = []
        sealing = [files.module(path) for path, content in files.texts() if SEALS.search(content)]
        beside = {files.module_of(c): None for m in sealing for c in self._unheeded.elsewhere(m)}
        for module in dict.fromkeys((*sealing, *beside)):
            found += [self._vain(v) for v in self._comparing.uncovered(module)]
        for module in sealing:
            vain = (*self._comparing.vain(module), *self._unheeded.vain(module), *self._comparing.unkeyed(module))
            found += [self._vain(v) for v in vain]
            found += [self._vain(v) for v in (*self._covering.vain(module), *self._left_out.vain(module))]
            found += [self._vain(v) for v in self._unread.vain(module)]
            found += [self._weak(w) for w in self._handmade.weaknesses(module, from_token)]
        for reading in readings:
            if reading.style == "unverified" or (reading.style == "header" and reading.row is None):
                found += self._unverified(reading)
            elif reading.style == "checks":
                found += [self._weak(w) for w in self._keys.weaknesses(reading, from_token)]
        once: dict[tuple[Location | None, str], Finding] = {}
        for finding in found:
            once.setdefault((finding.location, finding.message), finding)
        return list(once.values())

    def _unverified(self, reading: Reading) -> list[Finding]:
        uses = self._trust.uses(reading)
        if reading.style == "header":  # the first piece: what stands in it that no header has, is claims
            uses = [u for u in uses if u.taken and isinstance(u.taken[0], str) and not _OF_HEADERS.search(u.taken[0])]
            reading = replace(reading, how="its payload is decoded by hand, and nothing verifies its signature")
        trusted = [u for u in uses if u.use == "trusted"]
        chosen: Trusting | None = next(iter(trusted or uses), None)
        if chosen is None:
            return []
        token = " ".join(ast.unparse(reading.token).split())[:60]
        guard = self._guards.guard(reading) if trusted else ""
        if guard:
            message = f"The claims of {token} are {chosen.what}, and {reading.how}; {guard} before it is believed."
            return [self._finding(reading.node, Severity.NOTE, message, f"Take the claims from what {guard} gives.")]
        if trusted:
            message = f"The claims of {token} are {chosen.what}, but {reading.how}."
            return [self._finding(n, Severity.BLOCKER, message, self._mend(token)) for n in self._both(reading, chosen)]
        message = f"The claims of {token} are only {chosen.what}; {reading.how}."
        return [self._finding(reading.node, Severity.NOTE, message, "Trust nothing of it but the time, for oneself.")]

    def _both(self, reading: Reading, chosen: Trusting) -> list[ast.AST]:
        """Return where a token is read, and where its claims are believed if that is in another function."""
        here, there = self._program.function_of(reading.node), self._program.function_of(chosen.node)
        return [reading.node] if here is there else [reading.node, chosen.node]

    @staticmethod
    def _mend(token: str) -> str:
        name = token if token.isidentifier() else "token"
        return (
            f"key = jwt.PyJWKClient(JWKS_URL).get_signing_key_from_jwt({name}).key\n"
            f'claims = jwt.decode({name}, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)'
        )

    def _vain(self, vain: Vain) -> Finding:
        message = f"This verifies no signature: {vain.why}."
        satisfy = "hmac.compare_digest(given, expected)  # all of both, computed over everything that is believed"
        return self._finding(vain.node, Severity.BLOCKER, message, satisfy)

    def _weak(self, weakness: Weakness) -> Finding:
        return self._finding(weakness.node, weakness.severity, weakness.message, weakness.satisfy)

    def _finding(self, node: ast.AST, severity: Severity, message: str, satisfy: str) -> Finding:
        place = self._program.place(node)
        if _TESTS.search(place.path):
            severity = Severity.NOTE
            message += " A test may read the tokens that it has made."
        return Finding(
            invariant=INVARIANT.id,
            severity=severity,
            message=message[:_TEXT_MAX],
            location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
            evidence=place.text[:_TEXT_MAX],
            satisfy=satisfy[:_TEXT_MAX],
        )
