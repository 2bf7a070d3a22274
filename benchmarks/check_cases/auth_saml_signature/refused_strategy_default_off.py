import base64
from dataclasses import dataclass

from lxml import etree
from signxml import XMLVerifier


@dataclass
class SamlOptions:
    audience: str
    certificate: str = ""
    verify_signature: bool = False


class SamlBackend:
    NAME = ".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID"

    def __init__(self, options: SamlOptions):
        self.options = options

    def authenticate(self, encoded: str):
        element = etree.fromstring(base64.b64decode(encoded))
        if self.options.verify_signature:
            element = XMLVerifier().verify(element, x509_cert=self.options.certificate).signed_xml
        return element.find(self.NAME).text
