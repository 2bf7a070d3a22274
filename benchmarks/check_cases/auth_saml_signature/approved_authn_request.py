import base64
import uuid
import zlib
from urllib.parse import urlencode

from lxml import etree

SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"


def authn_request_url(idp_url, entity_id):
    root = etree.Element(f"{{{SAMLP}}}AuthnRequest", ID="_" + uuid.uuid4().hex, Version="2.0")
    etree.SubElement(root, f"{{{SAML}}}Issuer").text = entity_id
    etree.SubElement(root, f"{{{SAMLP}}}NameIDPolicy", Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
    compressed = zlib.compress(etree.tostring(root))[2:-4]
    return idp_url + "?" + urlencode({"SAMLRequest": base64.b64encode(compressed).decode()})


def logout_request(name_id, session_index):
    root = etree.fromstring(
        f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}"><saml:NameID/></samlp:LogoutRequest>'
    )
    root.find(f"{{{SAML}}}NameID").text = name_id
    etree.SubElement(root, f"{{{SAMLP}}}SessionIndex").text = session_index
    return etree.tostring(root)
