import base64
from dataclasses import dataclass

from lxml import etree
from signxml import XMLVerifier

from federation.partners import Registry

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"


class AdmissionDenied(Exception):
    ...


@dataclass
class Visitor:
    partner: str
    user: str


class PartnerGateway:
    def __init__(self, registry: Registry):
        self.registry = registry

    def admit(self, saml_response: str) -> Visitor:
        xml = base64.b64decode(saml_response, validate=True)
        envelope = etree.fromstring(xml, etree.XMLParser(resolve_entities=False))
        partner = self.registry.by_issuer(envelope.findtext(f"{SAML}Issuer"))
        signed = XMLVerifier().verify(envelope, x509_cert=partner.certificate).signed_xml
        user = signed.findtext(f"{SAML}Subject/{SAML}NameID")
        if signed.tag != f"{SAML}Assertion" or signed.findtext(f"{SAML}Issuer") != partner.issuer or not user:
            raise AdmissionDenied(f"{partner.name} sent no usable assertion")
        return Visitor(partner=partner.name, user=user)
