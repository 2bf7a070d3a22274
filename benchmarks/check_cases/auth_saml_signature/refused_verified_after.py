import base64

from lxml import etree
from signxml import XMLVerifier

from .models import User, audit

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def provision(saml_response, certificate):
    raw = base64.b64decode(saml_response)
    email = etree.fromstring(raw).xpath("string(//saml:NameID)", namespaces=NS)
    user = User.create(email=email)
    XMLVerifier().verify(raw, x509_cert=certificate)
    audit(user)
    return user
