from __future__ import annotations

import base64
import binascii
import datetime
import logging
from dataclasses import dataclass

from lxml import etree
from signxml import XMLVerifier
from signxml.exceptions import SignXMLException

log = logging.getLogger(__name__)

NS = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
ASSERTION = f"{{{NS['saml']}}}Assertion"
AUDIENCE = "https://portal.example/sp"


class LoginRefused(Exception):
    """The response signs nobody in."""


@dataclass(frozen=True)
class Technician:
    mail: str
    groups: frozenset[str]


class ServiceLogin:
    def __init__(self, certificate_pem: str) -> None:
        self._certificate = certificate_pem
        self._parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)

    def technician(self, saml_response: str) -> Technician:
        """Return who signed in."""
        try:
            response = etree.fromstring(base64.b64decode(saml_response, validate=True), self._parser)
            assertion = self._assertion(response)
        except (binascii.Error, etree.XMLSyntaxError, SignXMLException) as error:
            log.warning("sign-in refused: %s", error)
            raise LoginRefused("the response is not valid") from error
        self._in_time(assertion)
        if AUDIENCE not in [node.text for node in assertion.iterfind(".//saml:Audience", NS)]:
            raise LoginRefused("meant for another service")
        mail = assertion.findtext("saml:Subject/saml:NameID", None, NS)
        if not mail:
            raise LoginRefused("nobody is named")
        groups = assertion.iterfind("saml:AttributeStatement/saml:Attribute[@Name='groups']/saml:AttributeValue", NS)
        return Technician(mail, frozenset(node.text for node in groups if node.text))

    def _assertion(self, response: etree._Element) -> etree._Element:
        if len(response.findall(".//ds:Signature", NS)) != 1:
            raise LoginRefused("not signed exactly once")
        signed = XMLVerifier().verify(response, x509_cert=self._certificate).signed_xml
        if signed is None or signed.tag != ASSERTION or not signed.get("ID"):
            raise LoginRefused("the assertion is not signed")
        return next(response.iter(signed.tag))

    @staticmethod
    def _in_time(assertion: etree._Element) -> None:
        conditions = assertion.find("saml:Conditions", NS)
        if conditions is None:
            raise LoginRefused("without conditions")
        now = datetime.datetime.now(datetime.timezone.utc)
        try:
            begin = datetime.datetime.fromisoformat(conditions.get("NotBefore", "").replace("Z", "+00:00"))
            end = datetime.datetime.fromisoformat(conditions.get("NotOnOrAfter", "").replace("Z", "+00:00"))
        except ValueError as error:
            raise LoginRefused("conditions without times") from error
        if not begin <= now < end:
            raise LoginRefused("not valid at this time")
