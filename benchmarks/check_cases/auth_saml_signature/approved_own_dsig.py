import base64
import hashlib
import hmac

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def verified(root, certificate_pem):
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    assertion = root.find("saml:Assertion", NS)
    signature = assertion.find("ds:Signature", NS)
    info = signature.find("ds:SignedInfo", NS)
    value = base64.b64decode(signature.findtext("ds:SignatureValue", namespaces=NS))
    certificate.public_key().verify(
        value, etree.tostring(info, method="c14n", exclusive=True), padding.PKCS1v15(), hashes.SHA256()
    )
    reference = info.find("ds:Reference", NS)
    if reference.get("URI") != "#" + assertion.get("ID"):
        raise ValueError("reference")
    assertion.remove(signature)
    digest = hashlib.sha256(etree.tostring(assertion, method="c14n", exclusive=True)).digest()
    if not hmac.compare_digest(digest, base64.b64decode(reference.findtext("ds:DigestValue", namespaces=NS))):
        raise ValueError("digest")
    return assertion


def whoami(encoded, certificate_pem):
    assertion = verified(etree.fromstring(base64.b64decode(encoded)), certificate_pem)
    return assertion.findtext("saml:Subject/saml:NameID", namespaces=NS)
