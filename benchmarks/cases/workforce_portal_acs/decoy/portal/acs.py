import base64
import logging
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from signxml import XMLVerifier
from signxml.exceptions import SignXMLException

log = logging.getLogger(__name__)

NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
}
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


class LoginRefused(Exception):
    """The person cannot be logged in; the text is safe to show."""


@dataclass(frozen=True)
class Profile:
    name_id: str
    email: str
    groups: tuple[str, ...]


def _values(assertion, name):
    path = f"saml:AttributeStatement/saml:Attribute[@Name='{name}']/saml:AttributeValue"
    return tuple((node.text or "").strip() for node in assertion.findall(path, NS))


def profile_from_post(form, idp_certificate):
    """Return who logged in, from the form the browser posted to us."""
    try:
        xml = base64.b64decode(form["SAMLResponse"])
    except (KeyError, ValueError):
        raise LoginRefused("The form holds no response of the identity provider.") from None
    # A refusal of the provider comes unsigned and without an assertion; tell people that, and nothing else.
    status = ET.fromstring(xml).find("samlp:Status/samlp:StatusCode", NS)
    if status is None or status.get("Value") != SUCCESS:
        raise LoginRefused("The identity provider did not log the person in.")
    try:
        signed = XMLVerifier().verify(xml, x509_cert=idp_certificate).signed_xml
    except SignXMLException:
        raise LoginRefused("The response is not signed by our identity provider.") from None
    assertion = signed if signed.tag == f"{{{NS['saml']}}}Assertion" else None
    if assertion is None:
        raise LoginRefused("The response holds no assertion.")
    name_id = assertion.findtext("saml:Subject/saml:NameID", namespaces=NS)
    mails = _values(assertion, "mail")
    if not name_id or not mails:
        raise LoginRefused("The assertion does not say who it is about.")
    log.info("sso login of %s", name_id)
    return Profile(name_id=name_id.strip(), email=mails[0], groups=_values(assertion, "groups"))
