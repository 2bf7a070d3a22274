"""Reading SAML assertions."""

import xml.etree.ElementTree as ET

_NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
}


def _parse_saml_assertions(xml_text: str) -> dict:
    """Extract NameID and attributes.

    Note: use python3-saml's full validation in production.
    """
    root = ET.fromstring(xml_text)
    assertion = root.find(".//saml:Assertion", _NS)
    if assertion is None:
        raise ValueError("no assertion")
    name_id = assertion.find(".//saml:NameID", _NS)
    attributes: dict[str, list[str]] = {}
    for attribute in assertion.findall(".//saml:AttributeStatement/saml:Attribute", _NS):
        values = [v.text for v in attribute.findall("saml:AttributeValue", _NS)]
        attributes[attribute.get("Name")] = values
    issuer = root.findtext("saml:Issuer", namespaces=_NS)
    return {"issuer": issuer, "name_id": name_id.text, "attributes": attributes}
