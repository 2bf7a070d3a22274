"""Signature verification for SAML messages."""

import xmlsec
from lxml import etree


class BadSignature(Exception):
    """The message was not signed by the identity provider."""


def verified_assertion(raw: bytes, certificate_pem: bytes) -> etree._Element:
    """Return the assertion that the identity provider signed."""
    root = etree.fromstring(raw)
    assertion = root.find("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
    signature = assertion.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    if signature is None:
        raise BadSignature("not signed")
    reference = signature.find(".//{http://www.w3.org/2000/09/xmldsig#}Reference")
    if reference.get("URI") != "#" + assertion.get("ID"):
        raise BadSignature("another element was signed")
    xmlsec.tree.add_ids(assertion, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate_pem, xmlsec.KeyFormat.CERT_PEM)
    try:
        context.verify(signature)
    except xmlsec.VerificationError as error:
        raise BadSignature(str(error)) from error
    return assertion
