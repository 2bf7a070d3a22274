import base64

from lxml import etree
from signxml import XMLVerifier

NS = {"ds": "http://www.w3.org/2000/09/xmldsig#", "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def authenticate(saml_response: str) -> str:
    document = etree.fromstring(base64.b64decode(saml_response))
    certificate = document.findtext(".//ds:X509Certificate", namespaces=NS)
    pem = "-----BEGIN CERTIFICATE-----\n" + certificate.strip() + "\n-----END CERTIFICATE-----"
    signed = XMLVerifier().verify(document, x509_cert=pem).signed_xml
    return signed.find(".//saml:NameID", NS).text
