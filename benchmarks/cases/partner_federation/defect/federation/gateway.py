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
        certificate = self._certificate_of(envelope)
        signed = XMLVerifier().verify(envelope, x509_cert=certificate).signed_xml
        user = signed.findtext(f"{SAML}Subject/{SAML}NameID")
        if signed.tag != f"{SAML}Assertion" or signed.findtext(f"{SAML}Issuer") != partner.issuer or not user:
            raise AdmissionDenied(f"{partner.name} sent no usable assertion")
        return Visitor(partner=partner.name, user=user)

    @staticmethod
    def _certificate_of(envelope) -> str:
        """Partners rotate certificates without telling us, so take the one they signed with."""
        text = envelope.findtext(f".//{DS}X509Certificate")
        if not text:
            raise AdmissionDenied("the response brings no certificate")
        return f"-----BEGIN CERTIFICATE-----\n{text.strip()}\n-----END CERTIFICATE-----\n"
