"""`auth.saml-signature`: identity out of an unverified response is refused however it is read, verified ones pass."""

# ruff: noqa: E501 (an example stays as people write it)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.auth_saml_signature import INVARIANT, saml_signature
from squads.gates.saml import statements
from squads.gates.saml.paths import DEPTH_MAX

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/auth_saml_signature"
HEAD = """
import base64, logging, os, re
import xml.etree.ElementTree as ET
import signxml, xmlsec
from lxml import etree
from signxml import XMLVerifier
from flask import request, session, abort
from onelogin.saml2.auth import OneLogin_Saml2_Auth
NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}
NAME = ".//saml:NameID"
log = logging.getLogger(__name__)
"""


def artifact(files: str | dict[str, str]) -> Artifact:
    return Artifact.of({"sso.py": HEAD + files} if isinstance(files, str) else files)


def found(files: str | dict[str, str]) -> list[Finding]:
    return saml_signature(artifact(files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


def case(path: Path) -> Artifact:
    """Return a case: one file, or a folder of files."""
    paths = sorted(p for p in path.rglob("*.py")) if path.is_dir() else [path]
    return Artifact.of({str(p.relative_to(path if path.is_dir() else path.parent)): p.read_text() for p in paths})


def cases(kind: str) -> list[Path]:
    return sorted(p for p in CASES.iterdir() if p.name.startswith(f"{kind}_"))


DEFECTS: dict[str, str | dict[str, str]] = {
    "the invariant's own": {"sso.py": INVARIANT.refused},
    "find": "def f(saml_response):\n    return ET.fromstring(base64.b64decode(saml_response)).find(NAME, NS).text",
    "a walk over tags": "def f(saml_response):\n    for e in etree.fromstring(saml_response).iter():\n        if e.tag.endswith('}NameID'):\n            return e.text",
    "a local function": "def f(saml_response):\n    def name(root):\n        return root.findtext(NAME, namespaces=NS)\n    return name(ET.fromstring(saml_response))",
    "a lambda": "name = lambda root: root.findtext(NAME, namespaces=NS)\ndef f(saml_response):\n    return name(ET.fromstring(saml_response))",
    "a compiled path": "FIND = etree.XPath('//saml:NameID/text()', namespaces=NS)\ndef f(saml_response):\n    return FIND(etree.fromstring(saml_response))[0]",
    "a generator": "def values(root):\n    yield from root.iterfind('.//saml:AttributeValue', NS)\ndef f(saml_response):\n    return [v.text for v in values(ET.fromstring(saml_response))]",
    "in the module's body": "root = ET.fromstring(base64.b64decode(os.environ['SAML_RESPONSE']))\nsession['user'] = root.findtext(NAME, namespaces=NS)",
    "verified on one way": "def f(saml_response, cert):\n    raw = base64.b64decode(saml_response)\n    root = XMLVerifier().verify(raw, x509_cert=cert).signed_xml if cert else etree.fromstring(raw)\n    return root.findtext(NAME, namespaces=NS)",
    "verified in a loop that may not run": "def f(saml_response, ctx_key):\n    root = etree.fromstring(saml_response)\n    for node in root.findall('.//ds:Signature', NS):\n        ctx = xmlsec.SignatureContext()\n        ctx.key = ctx_key\n        ctx.verify(node)\n    return root.findtext(NAME, namespaces=NS)",
    "verified too late": "def f(saml_response, cert):\n    session['user'] = etree.fromstring(saml_response).findtext(NAME, namespaces=NS)\n    XMLVerifier().verify(saml_response, x509_cert=cert)",
    "another message verified": "def f(saml_response, other, cert):\n    XMLVerifier().verify(other, x509_cert=cert)\n    return etree.fromstring(saml_response).findtext(NAME, namespaces=NS)",
    "a handler that returns the name anyway": "def f(saml_response, cert):\n    root = etree.fromstring(saml_response)\n    try:\n        return XMLVerifier().verify(root, x509_cert=cert).signed_xml.findtext(NAME, namespaces=NS)\n    except Exception:\n        return root.findtext(NAME, namespaces=NS)",
    "a certificate that may be None": "def f(saml_response):\n    signed = XMLVerifier().verify(saml_response, x509_cert=None).signed_xml\n    return signed.findtext(NAME, namespaces=NS)",
    "the key out of KeyInfo": "def f(saml_response):\n    root = etree.fromstring(saml_response)\n    ctx = xmlsec.SignatureContext()\n    ctx.key = xmlsec.Key.from_memory(root.findtext('.//ds:X509Certificate', namespaces=NS), xmlsec.KeyFormat.PEM)\n    ctx.verify(root.find('.//ds:Signature', NS))\n    return root.findtext(NAME, namespaces=NS)",
    "errors logged, not obeyed": "def f(req, settings):\n    auth = OneLogin_Saml2_Auth(req, settings)\n    auth.process_response()\n    if auth.get_errors():\n        log.error('%s', auth.get_last_error_reason())\n    return auth.get_nameid()",
    "errors read the wrong way round": "def f(req, settings):\n    auth = OneLogin_Saml2_Auth(req, settings)\n    auth.process_response()\n    if len(auth.get_errors()) > 0:\n        return auth.get_attributes()",
    "an attribute for groups": "def f(saml_response):\n    root = etree.fromstring(saml_response)\n    session['groups'] = [v.text for v in root.xpath(\"//saml:Attribute[@Name='groups']/*\", namespaces=NS)]",
    "a setting off by default": "def f(saml_response, cert):\n    root = etree.fromstring(saml_response)\n    if os.getenv('SAML_VERIFY', '') == '1':\n        root = XMLVerifier().verify(root, x509_cert=cert).signed_xml\n    return root.findtext(NAME, namespaces=NS)",
    "strict off by assignment": "def settings():\n    s = {'idp': {}, 'sp': {}}\n    s['strict'] = False\n    return s",
    "keys from the message": "CONFIG = {'entityid': 'x', 'only_use_keys_in_metadata': False, 'service': {'sp': {}}}",
    "a settings file": {"saml/settings.json": '{\n  "strict": false,\n  "sp": {"entityId": "x"},\n  "idp": {}\n}'},
    "an advanced settings file": {
        "advanced_settings.json": '{"security": {"wantMessagesSigned": false, "wantAssertionsSigned": false}}'
    },
}

COSMETIC: dict[str, str | dict[str, str]] = {
    "a hardened parser": {"sso.py": INVARIANT.refused.replace("from xml.etree", "from defusedxml")},
    "names that promise": "def verified_identity(validated_saml_response):\n    verified_root = ET.fromstring(validated_saml_response)\n    return verified_root.findtext(NAME, namespaces=NS)",
    "a docstring that promises": 'def f(saml_response):\n    """The gateway verifies signatures; use python3-saml in production."""\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)',
    "an unused verifier": "verifier = XMLVerifier()\ndef f(saml_response):\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)",
    "a verifier that returns True": "def verify_signature(root, cert):\n    log.info('verifying')\n    return True\ndef f(saml_response, cert):\n    root = ET.fromstring(saml_response)\n    if not verify_signature(root, cert):\n        abort(403)\n    return root.findtext(NAME, namespaces=NS)",
    "canonicalised": "def f(saml_response):\n    root = etree.fromstring(etree.tostring(etree.fromstring(saml_response), method='c14n'))\n    return root.findtext(NAME, namespaces=NS)",
    "an assertion of presence": "def f(saml_response):\n    root = etree.fromstring(saml_response)\n    assert root.find('.//ds:SignatureValue', NS) is not None\n    return root.findtext(NAME, namespaces=NS)",
    "dates and audience": "def f(saml_response):\n    root = etree.fromstring(saml_response)\n    if root.findtext('.//saml:Audience', namespaces=NS) != 'me' or root.get('Destination') != 'here':\n        abort(403)\n    return root.findtext(NAME, namespaces=NS)",
    "a try around it": "def f(saml_response):\n    try:\n        return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)\n    except ET.ParseError:\n        abort(400)",
    "a length and a shape": "def f(saml_response):\n    if len(saml_response) > 9999 or b'<!DOCTYPE' in saml_response:\n        abort(400)\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)",
}

CLEAN: dict[str, str | dict[str, str]] = {
    "another library's strict": "def pairs(a, b):\n    return list(zip(a, b, strict=False)), re.compile('x')\n",
    "in a test": {"tests/test_sso.py": INVARIANT.refused},
    "in a test's fixtures": {"app/conftest.py": INVARIANT.refused},
    "the invariant's own": {"sso.py": INVARIANT.approved},
    "a setting on by default": "def f(saml_response, cert):\n    root = etree.fromstring(saml_response)\n    if os.getenv('SAML_VERIFY', '1') == '1':\n        root = XMLVerifier().verify(root, x509_cert=cert).signed_xml\n    return root.findtext(NAME, namespaces=NS)",
    "all data is read from what is signed": "def f(saml_response, cert):\n    result = signxml.XMLVerifier().verify(base64.b64decode(saml_response), ca_pem_file=cert)\n    return etree.fromstring(result.signed_data).findtext(NAME, namespaces=NS)",
    "verified by whoever calls": "def name(root):\n    return root.findtext(NAME, namespaces=NS)\ndef f(saml_response, cert):\n    return name(XMLVerifier().verify(saml_response, x509_cert=cert).signed_xml)",
    "errors end it": "def f(req, settings):\n    auth = OneLogin_Saml2_Auth(req, settings)\n    auth.process_response()\n    if not auth.get_errors():\n        return auth.get_nameid(), auth.get_attribute('mail')\n    raise PermissionError",
    "errors end it elsewhere": "def check(auth):\n    auth.process_response()\n    if auth.get_errors():\n        abort(403)\ndef f(req, settings):\n    auth = OneLogin_Saml2_Auth(req, settings)\n    check(auth)\n    return auth.get_nameid()",
    "the name asked for beside the test": "def f(req, settings):\n    auth = OneLogin_Saml2_Auth(req, settings)\n    auth.process_response()\n    return auth.get_nameid() if auth.is_authenticated() else None",
    "only the issuer": "def f(saml_response):\n    return ET.fromstring(saml_response).findtext('saml:Issuer', namespaces=NS)",
    "compared by ID": "def f(saml_response, cert):\n    root = etree.fromstring(saml_response)\n    signed = XMLVerifier().verify(root, x509_cert=cert).signed_xml\n    assertion = root.find('.//saml:Assertion', NS)\n    if signed.get('ID') != assertion.get('ID'):\n        abort(403)\n    return assertion.findtext(NAME, namespaces=NS)",
    "the response built here": "def f(user):\n    root = etree.fromstring('<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>')\n    root.find(NAME, NS).text = user",
    "a JWT bearer's assertion": "def f(assertion, post):\n    return post(data={'grant_type': 'urn:ietf:params:oauth:grant-type:saml2-bearer', 'assertion': assertion})['Subject']",
    "no SAML at all": {
        "feed.py": "import xml.etree.ElementTree as ET\ndef f(t):\n    return ET.fromstring(t).find('NameID').text"
    },
    "another dictionary with strict": {"a.py": "X = {'strict': False, 'mode': 'r'}"},
    "JSON without SAML": {"settings.json": '{"strict": false, "noImplicitAny": true}'},
    "a settings file that checks": {"saml/settings.json": '{"strict": true, "sp": {}, "idp": {}}'},
    "pysaml2 as it comes": "from saml2.client import Saml2Client\nCONFIG = {'service': {'sp': {'allow_unsolicited': True}}}\ndef f(client: Saml2Client):\n    return client.parse_authn_request_response(request.form['SAMLResponse'], 'post').get_subject().text",
}

NOTED: dict[str, str | dict[str, str]] = {
    "shown, not used": "def show(saml_response):\n    print(ET.fromstring(saml_response).findtext(NAME, namespaces=NS))",
    "logged, not used": "def show(saml_response):\n    log.debug('name %s', ET.fromstring(saml_response).findtext(NAME, namespaces=NS))",
    "a setting that is off in a test": {"tests/settings.py": "SAML = {'strict': False, 'sp': {}, 'idp': {}}"},
    "handed to a service that verifies it": "def f(sts, saml_response):\n    role = ET.fromstring(base64.b64decode(saml_response)).find('.//saml:AttributeValue', NS).text\n    return sts.assume_role_with_saml(RoleArn=role, SAMLAssertion=saml_response)",
    "verified in place": "def f(saml_response, key):\n    root = etree.fromstring(saml_response)\n    ctx = xmlsec.SignatureContext()\n    ctx.key = key\n    ctx.verify(root.find('.//ds:Signature', NS))\n    return root.findtext(NAME, namespaces=NS)",
}

ABSTENTIONS: dict[str, str | dict[str, str]] = {
    "a helper that is handed an element": "def claims(assertion):\n    return assertion.findtext(NAME, namespaces=NS)",
    "a verifier that is not here": "from .crypto import verify_signature\ndef f(saml_response, cert):\n    verify_signature(saml_response, cert)\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)",
    "a tree from elsewhere": "from .crypto import checked\ndef f(saml_response, cert):\n    return checked(base64.b64decode(saml_response), cert).findtext(NAME, namespaces=NS)",
    "no Python": {"saml.py": "def f(saml:\n    return"},
    "no UTF-8": {"saml.py": "# saml\n# -*- coding: latin-1 -*-\n"},
    "nested too deeply": {"saml.py": "x = " + "(" * 5_000 + "saml" + ")" * 5_000},
    "no JSON": {"saml_settings.json": '{"strict": false,'},
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_identity_that_nobody_verified_is_refused(files):
    """However it is read, and however verification is missed."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", COSMETIC.values(), ids=COSMETIC)
def test_a_cosmetic_fix_is_still_refused(files):
    """A hardened parser, a promise, a look at everything but the signature: none of them verifies."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_what_is_verified_or_is_no_response_passes(files):
    """Nothing is said, not even a note."""
    assert [] == found(files)


@pytest.mark.parametrize("files", NOTED.values(), ids=NOTED)
def test_what_lets_nobody_in_is_a_note(files):
    """What is only shown, what a test reads, and what is verified in place refuses nothing."""
    assert {Severity.NOTE} == {f.severity for f in found(files)}


@pytest.mark.parametrize("files", ABSTENTIONS.values(), ids=ABSTENTIONS)
def test_what_cannot_be_known_is_not_passed(files):
    """Could not look is never passed, and the reason names a place."""
    with pytest.raises(CannotLook, match=r"\.(py|json):\d|\.py is"):
        found(files)


@pytest.mark.parametrize("path", [*cases("refused"), *cases("cosmetic")], ids=lambda p: p.stem)
def test_the_refused_cases_are_refused(path):
    assert [f for f in saml_signature(case(path)) if f.severity >= Severity.MAJOR]


@pytest.mark.parametrize("path", cases("approved"), ids=lambda p: p.stem)
def test_the_approved_cases_pass(path):
    assert [] == [f for f in saml_signature(case(path)) if f.severity >= Severity.MAJOR]


def test_a_finding_says_where_and_shows_it():
    (finding,) = found({"sso/login.py": INVARIANT.refused})

    assert "sso/login.py:7:12" == str(finding.location)
    assert finding.evidence.startswith("root.findtext(")
    assert "Identity (NameID) is read from saml_response, and no signature is verified before." == finding.message
    assert "XMLVerifier().verify(" in finding.satisfy


def test_what_a_function_reads_is_one_finding():
    """A function that reads name, attributes and session is one fault, not three."""
    (finding,) = refusing(
        "def f(saml_response):\n    root = ET.fromstring(saml_response)\n"
        "    return [root.find(n, NS).text for n in (NAME, './/saml:AttributeValue')], root.find('.//saml:AuthnStatement', NS)"
    )

    assert "NameID" in finding.message
    assert "AuthnStatement" in finding.message


def test_wrapping_is_named():
    """A signature somewhere in the message says nothing about the element that is read; both places are told."""
    verified, finding = refusing(
        "def f(saml_response, cert):\n    root = etree.fromstring(saml_response)\n"
        "    XMLVerifier().verify(root, x509_cert=cert)\n    return root.findtext(NAME, namespaces=NS)"
    )

    assert "another tree than the one that was signed" in finding.message
    assert verified.location.line < finding.location.line


def test_a_logout_request_is_minor():
    """It ends sessions and opens none."""
    findings = found(
        "def f():\n    root = ET.fromstring(base64.b64decode(request.args['SAMLRequest']))\n"
        "    session.pop(root.findtext(NAME, namespaces=NS))"
    )

    assert [Severity.MINOR] == [f.severity for f in findings]


def test_a_refusal_wins_over_what_cannot_be_known():
    """One reading is open for sure, another cannot be judged: the builder learns of the first."""
    helper = "def claims(assertion):\n    return assertion.findtext(NAME, namespaces=NS)\n"
    open_one = "def f(saml_response):\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)"

    assert 1 == len({f.message for f in refusing(helper + open_one)})


@pytest.mark.parametrize("bound", ["STEPS_MAX", "STEPS_ALL_MAX"])
def test_past_the_bound_of_steps_it_could_not_look(monkeypatch, bound):
    """At the bound it still answers, one below it abstains and says where."""
    files = "def f(saml_response):\n    x = 1\n    x = 2\n"
    monkeypatch.setattr(statements, bound, 11)
    assert [] == found(files)

    monkeypatch.setattr(statements, bound, 10)
    with pytest.raises(CannotLook, match=r"sso\.py:\d+: the ways through this code take more than"):
        found(files + "\n")


@pytest.mark.parametrize("depth", [DEPTH_MAX - 1, DEPTH_MAX + 5])
def test_functions_are_followed_to_the_bound(depth):
    """Past the depth the message comes out as it went in: still unverified."""
    chain = "".join(f"def f{n}(saml_response):\n    return f{n + 1}(saml_response)\n" for n in range(depth))

    assert refusing(
        chain + f"def f{depth}(saml_response):\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)"
    )


def test_a_refusal_is_told_also_where_other_ways_are_given_up(monkeypatch):
    """What was found before a bound stands."""
    ifs = "".join(f"    if request.args['a{n}']:\n        root{n} = etree.fromstring(saml)\n" for n in range(60))
    monkeypatch.setattr(statements, "STEPS_MAX", 200)
    read = "    return ET.fromstring(saml).findtext(NAME, namespaces=NS)\n"

    assert 1 == len({f.message for f in refusing(f"def f(saml):\n{read}def g(saml):\n{ifs}{read}")})


def test_many_conditions_end():
    """Ways are kept apart up to a bound, and merged past it."""
    ifs = "".join(f"    if request.args['a{n}']:\n        x{n} = {n}\n" for n in range(40))

    assert refusing(
        f"def f(saml_response):\n{ifs}    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)"
    )


def test_many_ways_inside_of_one_expression_end():
    """Thirty arguments with three ways each are not three to the thirtieth."""
    pick = "def pick(d, k):\n    if k in d:\n        return d[k]\n    if d:\n        return ET.fromstring(d)\n    raise KeyError(k)\n"
    given = ", ".join(f"pick(saml_response, 'a{n}')" for n in range(30))

    assert refusing(
        f"{pick}def f(saml_response):\n    x = dict(a=[{given}])\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)"
    )


def test_functions_that_call_each_other_end():
    assert refusing(
        "def f(saml_response):\n    return g(saml_response)\n"
        "def g(saml_response):\n    f(saml_response)\n    return ET.fromstring(saml_response).findtext(NAME, namespaces=NS)"
    )
