import base64

from lxml import etree
from signxml import XMLVerifier

DS = "{http://www.w3.org/2000/09/xmldsig#}"
NAME = ".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID"


def authenticate(encoded, idp_certificate):
    root = etree.fromstring(base64.b64decode(encoded))
    if root.find(f".//{DS}Signature") is not None:
        root = XMLVerifier().verify(root, x509_cert=idp_certificate).signed_xml
    return root.find(NAME).text
