import base64
import hashlib

from lxml import etree

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


class SignatureError(Exception):
    pass


def check_signature(root):
    reference = root.find(".//ds:Reference", NS)
    target = root.xpath("//*[@ID=$id]", id=reference.get("URI").lstrip("#"))[0]
    signature = target.find("ds:Signature", NS)
    target.remove(signature)
    digest = hashlib.sha256(etree.tostring(target, method="c14n", exclusive=True)).digest()
    if base64.b64decode(reference.findtext("ds:DigestValue", namespaces=NS)) != digest:
        raise SignatureError("digest mismatch")


def login_from_response(encoded):
    root = etree.fromstring(base64.b64decode(encoded))
    check_signature(root)
    return {"user": root.findtext(".//saml:NameID", namespaces=NS)}
