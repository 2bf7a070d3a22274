from base64 import b64decode

from lxml import etree
from pyramid.httpexceptions import HTTPForbidden, HTTPFound
from pyramid.security import remember
from pyramid.view import view_config

NSMAP = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
}


def verify_signature(root):
    """Verify that the response is signed."""
    signature = root.find(".//ds:Signature", NSMAP)
    if signature is None:
        return False
    return signature.findtext(".//ds:SignatureValue", namespaces=NSMAP) is not None


@view_config(route_name="acs", request_method="POST")
def acs(request):
    root = etree.fromstring(b64decode(request.params["SAMLResponse"]))
    if not verify_signature(root):
        raise HTTPForbidden("the response is not signed")
    user = root.find(".//saml:NameID", NSMAP).text
    return HTTPFound("/", headers=remember(request, user))
