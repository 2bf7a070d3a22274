import base64
import hashlib
import ssl
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
        certificate = self._certificate_of(envelope, partner)
        signed = XMLVerifier().verify(envelope, x509_cert=certificate).signed_xml
        user = signed.findtext(f"{SAML}Subject/{SAML}NameID")
        if signed.tag != f"{SAML}Assertion" or signed.findtext(f"{SAML}Issuer") != partner.issuer or not user:
            raise AdmissionDenied(f"{partner.name} sent no usable assertion")
        return Visitor(partner=partner.name, user=user)

    @staticmethod
    def _certificate_of(envelope, partner) -> str:
        """Return the certificate in the message, if it is byte for byte the one in the registry."""
        text = envelope.findtext(f".//{DS}X509Certificate") or ""
        der = base64.b64decode("".join(text.split()))
        registered = ssl.PEM_cert_to_DER_cert(partner.certificate.strip())
        if hashlib.sha256(der).digest() != hashlib.sha256(registered).digest():
            raise AdmissionDenied(f"the certificate is not of {partner.name}")
        return ssl.DER_cert_to_PEM_cert(der)
