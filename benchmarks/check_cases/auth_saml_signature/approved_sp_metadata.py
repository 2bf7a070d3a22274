from lxml import etree

NS = {
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
}


def load_idp_metadata(path):
    """Read entity id, endpoint and certificate of the identity provider from its metadata file."""
    root = etree.parse(path).getroot()
    descriptor = root.find(".//md:IDPSSODescriptor", NS)
    return {
        "entity_id": root.get("entityID"),
        "sso_url": descriptor.find("md:SingleSignOnService", NS).get("Location"),
        "certificate": descriptor.findtext(".//ds:X509Certificate", namespaces=NS),
        "formats": [f.text for f in descriptor.findall("md:NameIDFormat", NS)],
        "attributes": [a.get("Name") for a in descriptor.findall("saml:Attribute", NS)],
    }
