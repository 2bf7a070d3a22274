"""Reading SAML assertions."""

from signxml import XMLVerifier

_NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
}


def _parse_saml_assertions(xml: bytes, certificate: str) -> dict:
    """Extract NameID and attributes of the signed assertion."""
    assertion = XMLVerifier().verify(xml, x509_cert=certificate).signed_xml
    name_id = assertion.find(".//saml:NameID", _NS)
    attributes: dict[str, list[str]] = {}
    for attribute in assertion.findall(".//saml:AttributeStatement/saml:Attribute", _NS):
        values = [v.text for v in attribute.findall("saml:AttributeValue", _NS)]
        attributes[attribute.get("Name")] = values
    issuer = assertion.findtext("saml:Issuer", namespaces=_NS)
    return {"issuer": issuer, "name_id": name_id.text, "attributes": attributes}
