import base64
import logging

from lxml import etree
from signxml import XMLVerifier

log = logging.getLogger(__name__)
NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


class SSO:
    def __init__(self, config):
        self.config = config

    def _validate(self, xml):
        if not self.config.get("validate_signature", False):
            return etree.fromstring(xml)
        return XMLVerifier().verify(xml, x509_cert=self.config["cert"]).signed_xml

    def consume(self, form):
        root = self._validate(base64.b64decode(form["SAMLResponse"]))
        return root.findtext(".//saml:NameID", namespaces=NS)
