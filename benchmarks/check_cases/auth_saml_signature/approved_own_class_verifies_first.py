import base64

from lxml import etree
from signxml import XMLVerifier


class SamlResponse:
    NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}

    def __init__(self, encoded, certificate):
        self._signed = XMLVerifier().verify(base64.b64decode(encoded), x509_cert=certificate).signed_xml

    @classmethod
    def from_request(cls, request, certificate):
        return cls(request.form["SAMLResponse"], certificate)

    @property
    def name_id(self):
        return self._signed.findtext(".//saml:NameID", namespaces=self.NS)

    @property
    def attributes(self):
        return {
            a.get("Name"): [v.text for v in a]
            for a in self._signed.iter("{urn:oasis:names:tc:SAML:2.0:assertion}Attribute")
        }
