import base64

from lxml import etree

from sso.xmldsig import NS, Untrusted, verified_assertion


def employee_of(saml_response, certificate_pem):
    """Return (user name, groups) for a response posted by the browser."""
    try:
        document = etree.fromstring(base64.b64decode(saml_response), etree.XMLParser(resolve_entities=False))
    except (ValueError, etree.XMLSyntaxError):
        raise Untrusted("not a SAML response") from None
    assertion = verified_assertion(document, certificate_pem)
    name = assertion.findtext("saml:Subject/saml:NameID", None, NS)
    groups = assertion.findall(".//saml:Attribute[@Name='groups']/saml:AttributeValue", NS)
    return name, {group.text for group in groups}
