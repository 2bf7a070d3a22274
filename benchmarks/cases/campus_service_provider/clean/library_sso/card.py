import base64
import logging
from typing import NamedTuple

from signxml.exceptions import SignXMLException

from library_sso.trust import Trust

log = logging.getLogger(__name__)
S = "{urn:oasis:names:tc:SAML:2.0:assertion}"


class NotSignedIn(Exception):
    pass


class Card(NamedTuple):
    reader: str
    roles: frozenset


def _attribute(assertion, name):
    for attribute in assertion.iter(f"{S}Attribute"):
        if attribute.get("Name") == name:
            return [value.text for value in attribute.iter(f"{S}AttributeValue")]
    return []


def reader_card(saml_response: str, trust: Trust) -> Card:
    xml = base64.b64decode(saml_response)
    try:
        assertion = trust.verify(xml)
    except SignXMLException as error:
        raise NotSignedIn(str(error)) from error
    if assertion.tag != f"{S}Assertion" or assertion.findtext(f"{S}Issuer") != trust.issuer:
        raise NotSignedIn("no assertion of the university")
    reader = assertion.find(f"{S}Subject/{S}NameID")
    if reader is None or not reader.text:
        raise NotSignedIn("the assertion names no reader")
    return Card(reader.text, frozenset(_attribute(assertion, "groups")))
