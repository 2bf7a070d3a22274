import base64
from typing import Protocol

from lxml import etree
from signxml import XMLVerifier

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


class Verifier(Protocol):
    def verify(self, raw: bytes) -> etree._Element: ...


class SignxmlVerifier:
    def __init__(self, certificate: str) -> None:
        self.certificate = certificate

    def verify(self, raw: bytes) -> etree._Element:
        return XMLVerifier().verify(raw, x509_cert=self.certificate).signed_xml


class LoginService:
    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier

    def login(self, saml_response: str) -> str:
        assertion = self.verifier.verify(base64.b64decode(saml_response))
        return assertion.findtext(".//saml:NameID", namespaces=NS)


def service(certificate: str) -> LoginService:
    return LoginService(SignxmlVerifier(certificate))
