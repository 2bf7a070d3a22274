import base64
import logging

from signxml import XMLVerifier
from signxml.exceptions import InvalidSignature, SignXMLException

log = logging.getLogger("clinic.sso")
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"


class NotSignedOn(Exception):
    status = 403


def q(name):
    return f"{{{ASSERTION}}}{name}"


class AssertionReader:
    def __init__(self, settings):
        self._settings = settings

    def read(self, posted):
        """Return `(staff id, groups)` of a posted response."""
        raw = base64.b64decode(posted)
        assertion = self._trusted(raw)
        if assertion is None or assertion.findtext(q("Issuer")) != self._settings.issuer:
            raise NotSignedOn("not from our identity provider")
        staff = assertion.findtext(f"{q('Subject')}/{q('NameID')}")
        groups = {
            value.text
            for attribute in assertion.iter(q("Attribute"))
            if attribute.get("Name") == "groups"
            for value in attribute
        }
        return staff, groups

    def _trusted(self, raw):
        try:
            return XMLVerifier().verify(raw, x509_cert=self._settings.certificate).signed_xml
        except InvalidSignature:
            raise NotSignedOn("the signature is wrong") from None
        except SignXMLException as error:
            log.warning("could not verify: %s", error)
            raise NotSignedOn("the response cannot be verified") from None
