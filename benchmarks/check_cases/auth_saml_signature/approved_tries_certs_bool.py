import base64

import xmlsec
from lxml import etree

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}


def _signed_by(signature, pem) -> bool:
    ctx = xmlsec.SignatureContext()
    ctx.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)
    try:
        ctx.verify(signature)
        return True
    except xmlsec.Error:
        return False


def identity(encoded, certificates):
    root = etree.fromstring(base64.b64decode(encoded))
    signature = root.find("./saml:Assertion/ds:Signature", NS)
    if signature is None:
        raise ValueError("unsigned")
    if not any(_signed_by(signature, pem) for pem in certificates):
        raise ValueError("bad signature")
    assertion = signature.getparent()
    return assertion.findtext("saml:Subject/saml:NameID", namespaces=NS)
