"""`auth.saml-signature`: who signed in is read only from what the identity provider has signed.

Why it matters: a SAML response reaches the service in the browser of the one who wants in. Without its signature it is
a text that anybody can write, with any name and any group in it. Tests pass, because the response of the test has the
right shape, and so has that of the attacker.

Refused:

    root = ElementTree.fromstring(base64.b64decode(saml_response))
    return root.findtext(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID")

Approved:

    signed = XMLVerifier().verify(base64.b64decode(saml_response), x509_cert=idp_certificate).signed_xml
    return signed.findtext(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID")

What is weighed, and how heavily:

- NameID, attributes or session are read on some way on which no signature was verified with a certificate from outside
  of the message: major, refused. So it is where a verification's answer is not looked at, its exception swallowed, its
  certificate taken from the message, or where a setting that may be off leads around it. A hardened parser, a look at
  issuer, audience or dates, a signature element that is merely there, a digest alone: none of them verifies.
- A signature is verified, but another tree is read than the one that the verifier gives back (signature wrapping):
  refused. Comparing what is signed with what is read, by ID or as objects, cures it.
- A verification in place (xmlsec, a command) without such a comparison: a note. Which element the signature covers
  is then left to the shape of the message. Refused where an assertion is picked out of the message while the
  signature may stand anywhere in it, or where what it covers is only compared with any ID of the message.
- Taken apart by hand: a signature over the list of digests alone, or a digest alone, is one half, and refused.
- A certificate of the message counts as configured once it, its key or its hash was compared with what is configured;
  names, numbers and dates of it do not. One that is fetched from where the message says needs a known issuer.
- What is read before the verification and acted upon only after it: a note.
- Settings that tell a toolkit not to check (`strict` off; no signature wanted on message nor assertion; keys taken from
  the message): refused where they stand.
- A setting that is on unless somebody turns it off passes; one that is off, or has no default here, is a way around.
- What is read and only printed or logged, or from a message that is handed to a service which verifies it
  (`assume_role_with_saml`): a note. In tests nothing is read, as they make responses of their own; a
  setting that is off there is a note.
- The identity in a logout request: minor. It ends sessions and opens none.
- Metadata is configuration, and what this program writes itself is its own: nothing is said.
- A finding stands where identity is read (for a helper that reads whatever it is told to, where it is told), at the
  verification or the search for a signature that does not help, and where another element than the signed is taken.
- A function that takes raw text, or a request, and returns identity is refused, whoever calls it. A helper that is
  handed an element by nobody in the artifact, or a verifier that stands elsewhere: `CannotLook`, with the file to add.
  The caller may have verified; "may have" is neither a violation nor a pass.

Where it comes from: the first catch in "The Team is the Architecture"; OASIS SAML 2.0 core, section 5; Somorovsky and
others, "On Breaking SAML: Be Whoever You Want to Be", 2012, for wrapping (CWE 290 there).
"""

from __future__ import annotations

import ast
import re

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import CannotLook, check
from squads.gates.place import Place
from squads.gates.python import PYTHON_FILES
from squads.gates.saml import SETTINGS_FILES, TESTS, Account, Saml, Switch, read_saml

INVARIANT = Invariant(
    id="auth.saml-signature",
    statement=(
        "Identity is read from a SAML response only after its signature was verified with the identity provider's "
        "configured certificate, and what is read is what was signed."
    ),
    why=(
        "A response comes through the browser of the one who wants in. Unsigned, it is a text that anybody can write: "
        "whoever sends one signs in as whom they like, with the groups they like."
    ),
    severity=Severity.MAJOR,
    cwe=347,
    refused=(
        "import base64\n"
        "from xml.etree import ElementTree\n\n\n"
        "def sign_in(saml_response):\n"
        "    root = ElementTree.fromstring(base64.b64decode(saml_response))\n"
        '    return root.findtext(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID")\n'
    ),
    approved=(
        "import base64\n"
        "from signxml import XMLVerifier\n\n\n"
        "def sign_in(saml_response, idp_certificate):\n"
        "    signed = XMLVerifier().verify(base64.b64decode(saml_response), x509_cert=idp_certificate).signed_xml\n"
        '    return signed.findtext(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID")\n'
    ),
    origin='"The Team is the Architecture", catch 1; OASIS SAML 2.0 core, section 5; Somorovsky and others, 2012.',
)

_TEXT_MAX = 4_000
_WORDS_MAX = 300

_REASONS = {
    "certificate": "the certificate it is verified with came along in the message, so whoever forged it signed it too",
    "half": "only the list of digests is signed, and no digest is compared with what is read",
    "digest": "only a digest fits, and everybody can compute one: nobody asks who signed it",
    "elsewhere": "a signature is verified, but what is read is another tree than the one that was signed",
    "loose": "a signature is verified that may stand anywhere in the message, so another element may be read",
    "vainly": "what the signature covers is only compared with any ID of the message, not with that of what is read",
    "swallowed": "a verification that fails is caught, and the way goes on to here",
    "looked": "a signature element is looked for, and never verified",
    "none": "no signature is verified before",
}
"""Why a reading is refused, the most telling one first."""


@check(INVARIANT, files=(*PYTHON_FILES, *SETTINGS_FILES))
def saml_signature(artifact: Artifact) -> list[Finding]:
    """Return where identity is read from what nobody verified, and where verification is switched off."""
    saml = read_saml(artifact)
    findings = [_switched(s) for s in saml.switches] + _read(saml)
    findings.sort(key=lambda f: (f.location.path, f.location.line or 0) if f.location else ("", 0))
    if not any(f.severity >= Severity.MAJOR for f in findings):
        for account in saml.accounts:
            if "outside" in account.standings and account.reading.node in saml.used:
                raise CannotLook(_who_verifies(account))
        if saml.given_up:
            raise CannotLook(saml.given_up)
    return findings


def _place(account: Account) -> Place:
    return account.reading.module.place(account.reading.node)


def _read(saml: Saml) -> list[Finding]:
    """Return one finding for what a function reads, not one for each word of it."""
    grouped: dict[tuple[object, ...], list[Account]] = {}
    for account in saml.accounts:
        weight = _weight(account, saml)
        if weight is not None:
            function = account.reading.around[-1:]
            grouped.setdefault((account.reading.module.path, function, weight, _reason(account)), []).append(account)
    findings = []
    for (_, _, severity, reason), accounts in grouped.items():
        first = min(accounts, key=lambda a: (_place(a).line, _place(a).column))
        place = _place(first)
        what = _listed({w for a in accounts for w in a.what}) or "who signed in"
        heavy = Severity(str(severity)) >= Severity.MAJOR
        findings += [
            Finding(
                invariant=INVARIANT.id,
                severity=Severity(str(severity)),
                message=_message(first, what, Severity(str(severity)), str(reason))[:_TEXT_MAX],
                location=Location(path=at.path, line=at.line, column=at.column, end_line=at.end_line),
                evidence=at.text[:_TEXT_MAX],
                satisfy=_mend(first, str(reason))[:_TEXT_MAX],
            )
            for at in dict.fromkeys((place, *(_in_vain(first, str(reason), saml) if heavy else ())))
        ]
    return findings


def _in_vain(account: Account, reason: str, saml: Saml) -> list[Place]:
    """Return what else to look at: a verification, or a search, that does not help, and where the element is taken."""
    if reason not in (*_REASONS, "ways", "toolkit") or reason == "none":
        return []
    module = account.reading.module
    found = [c for c in module.calls if (_looks_for(c) if reason == "looked" else _VERIFIES.search(_called(c)))]
    here = [c for c in found if c.lineno <= _place(account).line]
    nearest = (here or found)[-_BESIDE_MAX:]
    places = [p for c in nearest if (p := module.place(c)) != _place(account)]
    if reason in ("elsewhere", "loose", "vainly"):
        places += [s.module.place(s.node) for s in saml.selected[:_BESIDE_MAX]]
    return places


_BESIDE_MAX = 2
_VERIFIES = re.compile(r"verif|validate_\w*sign|check_signature|is_valid|is_authenticated|get_errors|process_response")


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)


def _looks_for(call: ast.Call) -> bool:
    texts = [n.value for a in call.args for n in ast.walk(a) if isinstance(n, ast.Constant)]
    return any(isinstance(t, str) and "Signature" in t for t in texts)


def _weight(account: Account, saml: Saml) -> Severity | None:
    """Return how heavily a reading weighs; None where nothing is to be said."""
    if "refused" not in account.standings:
        in_place = account.standings == {"verified"} and "uncompared" in account.reasons and not account.toolkit
        anywhere = bool(account.reasons & {"loose", "vainly"}) and account.reading.node in saml.used
        return (Severity.MAJOR if anywhere else Severity.NOTE) if in_place else None
    if account.reading.node in saml.used and account.reading.node not in saml.doubted:
        return Severity.NOTE  # read before it was verified, and acted upon after
    if account.origins & saml.handed_on or (account.reading.node not in saml.used and not account.toolkit):
        return Severity.NOTE
    return Severity.MINOR if account.request else Severity.MAJOR


def _reason(account: Account) -> str:
    if "refused" not in account.standings:
        return next((r for r in ("vainly", "loose") if r in account.reasons), "uncompared")
    if account.toolkit:
        return "toolkit"
    found = {r.partition(":")[0] for r in account.reasons}
    reason = next((r for r in _REASONS if r in found), "none")
    return "ways" if reason in ("none", "looked") and "verified" in account.standings else reason


def _message(account: Account, what: str, severity: Severity, reason: str) -> str:
    source = _listed(account.origins)
    if reason == "uncompared":
        return (
            f"Identity ({what}) is read from {source} after its signature was verified in place; that the signature "
            "covers this very element is not compared."
        )
    if reason == "toolkit":
        why = "its answer (`get_errors()`, `is_authenticated()`, `is_valid()`) does not decide on every way to here"
        return f"Who signed in is asked of {source}, and {why}."
    if reason == "ways":
        why = "its signature is verified only on some ways: a setting, or a missing certificate, leads around it"
    else:
        why = _REASONS[reason]
    shown = " Nobody is signed in with it here." if severity == Severity.NOTE else ""
    return f"Identity ({what}) is read from {source}, and {why}.{shown}"


def _mend(account: Account, reason: str) -> str:
    """Return code that would satisfy the rule here."""
    if reason == "toolkit":
        return (
            "auth.process_response()\n"
            "if auth.get_errors() or not auth.is_authenticated():\n"
            "    raise PermissionError(auth.get_last_error_reason())\n"
            "# only now: auth.get_nameid(), auth.get_attributes()\n"
            "# a OneLogin_Saml2_Response: if not response.is_valid(request_data): raise PermissionError(...)"
        )
    if reason == "uncompared":
        return (
            'if reference.get("URI") != "#" + assertion.get("ID"):\n'
            '    raise PermissionError("another element was signed")\n'
            "# and read from `assertion`, the parent of the signature"
        )
    return (
        "from signxml import XMLVerifier\n\n"
        "# `raw` is the decoded response; the certificate is configured, never taken from the message.\n"
        "signed = XMLVerifier().verify(raw, x509_cert=idp_certificate).signed_xml\n"
        f"# then read from `signed` alone, without a setting that leads around it: {_place(account).text[:_WORDS_MAX]}"
    )


def _switched(switch: Switch) -> Finding:
    in_tests = bool(TESTS.search(switch.path))
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.NOTE if in_tests else Severity.MAJOR,
        message=f"`{switch.name}` {switch.what}."[:_TEXT_MAX],
        location=Location(path=switch.path, line=switch.line, column=switch.column),
        evidence=switch.text[:_TEXT_MAX],
        satisfy=switch.instead,
    )


def _who_verifies(account: Account) -> str:
    place = _place(account)
    return (
        f"{place}: identity ({_listed(account.what)}) is read from {_listed(account.origins)}, and whether its "
        "signature was verified before is not in this artifact; add the file that verifies it or calls this"
    )


def _listed(words: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(words))[:_WORDS_MAX]
