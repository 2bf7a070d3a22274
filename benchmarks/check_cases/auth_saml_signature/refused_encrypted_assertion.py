import base64

from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "xenc": "http://www.w3.org/2001/04/xmlenc#"}


def decrypt_identity(saml_response, sp_key):
    """Only the identity provider knows our public key, so decrypting proves who sent it."""
    root = etree.fromstring(base64.b64decode(saml_response))
    encrypted = root.find(".//xenc:EncryptedData", NS)
    assertion = OneLogin_Saml2_Utils.decrypt_element(encrypted, sp_key)
    return assertion.find(".//saml:NameID", NS).text
