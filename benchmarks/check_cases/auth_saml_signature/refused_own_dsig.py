import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def verify(root):
    pem = root.findtext(".//ds:X509Certificate", namespaces=NS)
    certificate = x509.load_der_x509_certificate(base64.b64decode(pem))
    info = root.find(".//ds:SignedInfo", NS)
    signature = base64.b64decode(root.findtext(".//ds:SignatureValue", namespaces=NS))
    certificate.public_key().verify(
        signature, etree.tostring(info, method="c14n", exclusive=True), padding.PKCS1v15(), hashes.SHA256()
    )


def whoami(encoded):
    root = etree.fromstring(base64.b64decode(encoded))
    verify(root)
    return root.findtext(".//saml:NameID", namespaces=NS)
