from __future__ import annotations

import base64
import logging
from dataclasses import dataclass
from datetime import datetime, timezone

from lxml import etree
from signxml import XMLVerifier

logger = logging.getLogger("login.saml")

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
NS = {"saml": SAML, "ds": "http://www.w3.org/2000/09/xmldsig#"}


class LoginRefused(Exception):
    pass


@dataclass
class IdpMetadata:
    entity_id: str
    certificate: str
    audience: str


@dataclass
class Session:
    user: str
    roles: list[str]
    idp: str


class SamlLogin:
    """Finishes logins that began at a customer's identity provider."""

    def __init__(self, metadata: IdpMetadata, now=lambda: datetime.now(timezone.utc)):
        self.metadata = metadata
        self._now = now
        self._parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)

    def complete(self, saml_response: str) -> Session:
        document = self._document(saml_response)
        if document.find(".//ds:Signature", NS) is not None:
            document = XMLVerifier().verify(document, x509_cert=self.metadata.certificate).signed_xml
        assertion = document if document.tag == f"{{{SAML}}}Assertion" else document.find("saml:Assertion", NS)
        if assertion is None:
            raise LoginRefused("no assertion in the response")
        self._check_issuer(assertion)
        self._check_conditions(assertion)
        return Session(
            user=assertion.findtext("saml:Subject/saml:NameID", namespaces=NS),
            roles=[v.text for v in assertion.iterfind(".//saml:Attribute[@Name='groups']/saml:AttributeValue", NS)],
            idp=self.metadata.entity_id,
        )

    def _document(self, saml_response: str) -> etree._Element:
        try:
            return etree.fromstring(base64.b64decode(saml_response), self._parser)
        except (ValueError, etree.XMLSyntaxError) as error:
            raise LoginRefused(f"the response cannot be read: {error}") from None

    def _check_issuer(self, assertion) -> None:
        issuer = assertion.findtext("saml:Issuer", namespaces=NS)
        if issuer != self.metadata.entity_id:
            raise LoginRefused(f"{issuer!r} is not the provider of this customer")

    def _check_conditions(self, assertion) -> None:
        conditions = assertion.find("saml:Conditions", NS)
        if conditions is None:
            raise LoginRefused("the assertion has no conditions")
        until = datetime.fromisoformat(conditions.get("NotOnOrAfter", ""))
        if self._now() >= until:
            raise LoginRefused("the assertion has expired")
        audiences = [a.text for a in conditions.iterfind(".//saml:Audience", NS)]
        if self.metadata.audience not in audiences:
            raise LoginRefused("the assertion is for somebody else")
