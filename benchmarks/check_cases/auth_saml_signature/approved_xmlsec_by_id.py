import base64
import xmlsec
from lxml import etree

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def consume(raw, cert):
    root = etree.fromstring(base64.b64decode(raw))
    assertion = root.find("saml:Assertion", NS)
    xmlsec.tree.add_ids(root, ["ID"])
    sig = assertion.find("ds:Signature", NS)
    ref = sig.find("ds:SignedInfo/ds:Reference", NS).get("URI")
    if ref != "#" + assertion.get("ID") or len(root.findall(".//saml:Assertion", NS)) != 1:
        raise ValueError("signature does not cover the assertion")
    ctx = xmlsec.SignatureContext()
    ctx.key = xmlsec.Key.from_memory(cert, xmlsec.KeyFormat.CERT_PEM)
    ctx.verify(sig)
    return assertion.findtext("saml:Subject/saml:NameID", namespaces=NS)
