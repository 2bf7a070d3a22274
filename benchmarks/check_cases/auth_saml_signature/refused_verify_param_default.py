import base64

from lxml import etree
from signxml import XMLVerifier


def parse_assertion(saml_response, *, cert=None, verify=False):
    """Parse a SAML response. Pass verify=True in production."""
    xml = base64.b64decode(saml_response)
    if verify:
        root = XMLVerifier().verify(xml, x509_cert=cert).signed_xml
    else:
        root = etree.fromstring(xml)
    attrs = {}
    for attr in root.iter("{urn:oasis:names:tc:SAML:2.0:assertion}Attribute"):
        attrs[attr.get("Name")] = [v.text for v in attr]
    return attrs
