"""Who signs in to the accreditation portal."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timezone

from lxml import etree
from signxml import XMLVerifier
from signxml.exceptions import InvalidCertificate, InvalidDigest, InvalidInput, InvalidSignature

AUDIENCE = "https://portal.example/sp"
NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
ASSERTION = f"{{{NS['saml']}}}Assertion"


class SignInRefused(Exception):
    """The response does not say, provably, who signs in."""


@dataclass(frozen=True)
class Delegate:
    email: str
    groups: frozenset[str]


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def _in_force(assertion: etree._Element) -> bool:
    conditions = assertion.find("saml:Conditions", NS)
    if conditions is None or conditions.findtext(".//saml:Audience", None, NS) != AUDIENCE:
        return False
    now = datetime.now(timezone.utc)
    return _moment(conditions.get("NotBefore")) <= now < _moment(conditions.get("NotOnOrAfter"))


def delegate_from(form: dict[str, str], idp_certificate: str) -> Delegate:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    root = etree.fromstring(base64.b64decode(form["SAMLResponse"]), parser)
    status = root.find("samlp:Status/samlp:StatusCode", NS)
    if status is None or not status.get("Value", "").endswith(":Success"):
        raise SignInRefused("the identity provider reports a failure")
    try:
        assertion = XMLVerifier().verify(root, x509_cert=idp_certificate).signed_xml
    except (InvalidSignature, InvalidDigest, InvalidCertificate, InvalidInput) as error:
        raise SignInRefused("the signature does not hold") from error
    if assertion is None or assertion.tag != ASSERTION or not _in_force(assertion):
        raise SignInRefused("no assertion for this portal that is in force")
    email = assertion.findtext("saml:Subject/saml:NameID", None, NS)
    if not email:
        raise SignInRefused("the assertion names nobody")
    path = "saml:AttributeStatement/saml:Attribute[@Name='groups']/saml:AttributeValue"
    groups = frozenset(value.text or "" for value in assertion.findall(path, NS))
    return Delegate(email.strip().lower(), groups)
