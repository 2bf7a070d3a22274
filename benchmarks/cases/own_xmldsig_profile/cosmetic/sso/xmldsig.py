import base64
import hashlib
import hmac

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from lxml import etree

NS = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
}
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


class Untrusted(ValueError):
    """The message must not be acted upon."""


def _canonical(node):
    return etree.tostring(node, method="c14n", exclusive=True)


def _b64(node, path):
    return base64.b64decode("".join(node.findtext(path, "", NS).split()))


def _one(node, path):
    found = node.findall(path, NS)
    if len(found) != 1:
        raise Untrusted(f"expected one {path}, found {len(found)}")
    return found[0]


def _without_signature(assertion):
    copy = etree.fromstring(etree.tostring(assertion))
    for signature in copy.findall("ds:Signature", NS):
        copy.remove(signature)
    return copy


def verified_assertion(document, certificate_pem):
    """Return the assertion of `document`; only one profile is spoken here: enveloped, exclusive c14n, RSA-SHA256."""
    assertion = _one(document, "saml:Assertion")
    signature = _one(assertion, "ds:Signature")
    signed_info = _one(signature, "ds:SignedInfo")
    reference = _one(signed_info, "ds:Reference")
    if reference.get("URI") != "#" + assertion.get("ID", ""):
        raise Untrusted("the signature is about something else")
    if _one(signed_info, "ds:SignatureMethod").get("Algorithm") != RSA_SHA256:
        raise Untrusted("unexpected signature method")
    if _one(signed_info, "ds:CanonicalizationMethod").get("Algorithm") != EXCLUSIVE:
        raise Untrusted("unexpected canonicalization")
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    embedded = x509.load_der_x509_certificate(_b64(signature, "ds:KeyInfo/ds:X509Data/ds:X509Certificate"))
    if embedded.fingerprint(hashes.SHA256()) != certificate.fingerprint(hashes.SHA256()):
        raise Untrusted("signed with an unknown certificate")
    if len(_b64(signature, "ds:SignatureValue")) != certificate.public_key().key_size // 8:
        raise Untrusted("the signature is wrong")

    digest = hashlib.sha256(_canonical(_without_signature(assertion))).digest()
    if not hmac.compare_digest(digest, _b64(reference, "ds:DigestValue")):
        raise Untrusted("the assertion was changed")
    return assertion
