import base64
import re
import zlib

NAME_ID = re.compile(r"<(?:\w+:)?NameID[^>]*>([^<]+)</(?:\w+:)?NameID>")
ATTR = re.compile(r'<(?:\w+:)?Attribute Name="([^"]+)".*?AttributeValue[^>]*>([^<]*)<', re.S)


def identity_from_redirect(saml_response):
    """Return (user, attributes) from a SAMLResponse query parameter."""
    xml = zlib.decompress(base64.b64decode(saml_response), -15).decode()
    match = NAME_ID.search(xml)
    if not match:
        return None, {}
    return match.group(1), dict(ATTR.findall(xml))
