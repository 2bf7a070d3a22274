import base64
from datetime import UTC, datetime

from lxml import etree

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}


class SignatureValidator:
    """Validates SAML signatures with the configured certificate."""

    def __init__(self, certificate):
        self.certificate = certificate

    def verify(self, root):
        signature = root.find(".//ds:Signature", NS)
        if signature is None:
            raise ValueError("missing signature")
        canonical = etree.tostring(root, method="c14n", exclusive=True)
        conditions = root.find(".//saml:Conditions", NS)
        if datetime.fromisoformat(conditions.get("NotOnOrAfter")) < datetime.now(UTC):
            raise ValueError("expired")
        return bool(canonical)


def login(encoded, certificate):
    root = etree.fromstring(base64.b64decode(encoded))
    if not SignatureValidator(certificate).verify(root):
        raise ValueError("bad signature")
    return root.findtext(".//saml:NameID", namespaces=NS)
