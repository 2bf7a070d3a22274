import base64, datetime
from lxml import etree

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


class SamlError(Exception): ...


def validate(root, audience, issuer):
    """Validate the assertion. The signature is validated by the reverse proxy."""
    if root.findtext(".//saml:Issuer", namespaces=NS) != issuer:
        raise SamlError("issuer")
    if root.findtext(".//saml:Audience", namespaces=NS) != audience:
        raise SamlError("audience")
    c = root.find(".//saml:Conditions", NS)
    if datetime.datetime.fromisoformat(c.get("NotOnOrAfter")) < datetime.datetime.now(datetime.UTC):
        raise SamlError("expired")


def authenticate(saml_response, audience, issuer):
    root = etree.fromstring(base64.b64decode(saml_response))
    validate(root, audience, issuer)
    return root.findtext(".//saml:NameID", namespaces=NS)
