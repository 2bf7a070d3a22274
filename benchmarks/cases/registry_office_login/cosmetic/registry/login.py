"""Login of the registry offices."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from lxml import etree
from signxml import InvalidInput, InvalidSignature, XMLVerifier

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
PROTOCOL = "{urn:oasis:names:tc:SAML:2.0:protocol}"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"

PARSER = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)


class LoginRefused(Exception):
    """The provider did not vouch for this person."""


@dataclass(frozen=True)
class Clerk:
    mail: str
    offices: tuple[str, ...]


def sign_in(posted: str, certificates: dict[str, str]) -> Clerk:
    try:
        response = etree.fromstring(base64.b64decode(posted, validate=True), PARSER)
    except (binascii.Error, etree.XMLSyntaxError) as error:
        raise LoginRefused("not a SAML response") from error

    status = response.find(f"{PROTOCOL}Status/{PROTOCOL}StatusCode")
    if status is None or status.get("Value") != SUCCESS:
        raise LoginRefused("the provider reports a failure")

    certificate = certificates.get(response.findtext(f"{SAML}Issuer", ""))
    if certificate is None:
        raise LoginRefused("unknown provider")
    try:
        verified = XMLVerifier().verify(response, x509_cert=certificate)
    except (InvalidSignature, InvalidInput) as error:
        raise LoginRefused("signature does not verify") from error

    signed = verified.signed_xml
    if signed is None or signed.tag != f"{SAML}Assertion":
        raise LoginRefused("no assertion in the response")
    # only what the provider signed
    return _clerk(next(response.iter(signed.tag)))


def _clerk(assertion: etree._Element) -> Clerk:
    mail = assertion.findtext(f"{SAML}Subject/{SAML}NameID")
    if not mail:
        raise LoginRefused("the assertion names nobody")
    offices = [
        value.text or ""
        for attribute in assertion.iterfind(f"{SAML}AttributeStatement/{SAML}Attribute[@Name='groups']")
        for value in attribute.iterfind(f"{SAML}AttributeValue")
    ]
    return Clerk(mail.strip().lower(), tuple(sorted(offices)))
