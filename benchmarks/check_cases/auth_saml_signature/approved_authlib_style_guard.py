import base64
import binascii

from lxml import etree
from signxml import SignatureConfiguration, XMLVerifier
from signxml.exceptions import InvalidDigest, InvalidInput, InvalidSignature

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"}


class Invalid(Exception):
    pass


class Validator:
    def __init__(self, *, certificate: str, audience: str) -> None:
        self._certificate = certificate
        self._audience = audience

    def validate(self, encoded: str) -> dict[str, object]:
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise Invalid("not base64") from error
        signed = self._verify(raw)
        if etree.QName(signed).localname == "Response":
            assertion = signed.find("saml:Assertion", NS)
        elif etree.QName(signed).localname == "Assertion":
            assertion = signed
        else:
            raise Invalid("what is signed is neither response nor assertion")
        if assertion is None:
            raise Invalid("no assertion is signed")
        if self._audience not in [a.text for a in assertion.iterfind(".//saml:Audience", NS)]:
            raise Invalid("audience")
        return {
            "subject": assertion.findtext("saml:Subject/saml:NameID", namespaces=NS),
            "groups": self._groups(assertion),
        }

    def _verify(self, raw: bytes):
        config = SignatureConfiguration(require_x509=True, location=".//")
        try:
            return XMLVerifier().verify(raw, x509_cert=self._certificate, expect_config=config).signed_xml
        except (InvalidSignature, InvalidDigest, InvalidInput) as error:
            raise Invalid(str(error)) from error

    @staticmethod
    def _groups(assertion) -> list[str]:
        path = "saml:AttributeStatement/saml:Attribute[@Name='groups']/saml:AttributeValue"
        return [v.text for v in assertion.iterfind(path, NS)]
