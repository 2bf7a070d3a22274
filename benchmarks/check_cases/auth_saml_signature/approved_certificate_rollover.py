import base64

from signxml import XMLVerifier
from signxml.exceptions import InvalidSignature

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def sign_in(saml_response, idp):
    """The identity provider rolls its certificates over: each one that is configured may have signed."""
    raw = base64.b64decode(saml_response)
    signed = None
    for certificate in idp.certificates:
        try:
            signed = XMLVerifier().verify(raw, x509_cert=certificate).signed_xml
            break
        except InvalidSignature:
            continue
    if signed is None:
        raise PermissionError("no configured certificate verifies this response")
    return signed.find(".//saml:NameID", NS).text
