import base64
from lxml import etree
from signxml import XMLVerifier

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"}


class Invalid(Exception): ...


class SamlResponse:
    def __init__(self, settings, encoded):
        self.settings = settings
        self.doc = XMLVerifier().verify(base64.b64decode(encoded), x509_cert=settings["cert"]).signed_xml

    def check(self):
        if self.doc.findtext(".//saml:Issuer", namespaces=NS) != self.settings["idp"]:
            raise Invalid("issuer")
        if self.settings["entity_id"] not in [a.text for a in self.doc.iterfind(".//saml:Audience", NS)]:
            raise Invalid("audience")
        return self

    @property
    def name_id(self):
        return self.doc.findtext(".//saml:NameID", namespaces=NS)

    def attributes(self):
        return {a.get("Name"): [v.text for v in a] for a in self.doc.iterfind(".//saml:Attribute", NS)}


def acs(request, settings):
    r = SamlResponse(settings, request.form["SAMLResponse"]).check()
    return r.name_id, r.attributes()
