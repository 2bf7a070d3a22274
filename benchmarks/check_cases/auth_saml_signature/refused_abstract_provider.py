import abc
import base64
import logging
from typing import Any

from lxml import etree

logger = logging.getLogger(__name__)


class Provider(abc.ABC):
    @abc.abstractmethod
    def identity(self, payload: dict[str, Any]) -> dict[str, Any]: ...


class SamlProvider(Provider):
    ns = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}

    def identity(self, payload):
        doc = self.load(payload["SAMLResponse"])
        self.validate(doc)
        return {"id": self.first(doc, "//saml:NameID"), "mail": self.first(doc, "//saml:Attribute[@Name='mail']/*")}

    def load(self, value):
        return etree.fromstring(base64.b64decode(value))

    def validate(self, doc):
        if not doc.xpath("//saml:Conditions", namespaces=self.ns):
            raise ValueError("no conditions")
        logger.info("SAML response validated")

    def first(self, doc, path):
        found = doc.xpath(path, namespaces=self.ns)
        return found[0].text if found else None


PROVIDERS = {"saml": SamlProvider()}


def login(kind, payload):
    return PROVIDERS[kind].identity(payload)
