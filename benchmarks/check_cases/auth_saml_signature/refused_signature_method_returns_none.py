import base64

import xmlsec
from lxml import etree


class ResponseError(Exception):
    pass


def verify_signature(xml, cert):
    try:
        doc = etree.fromstring(xml)
        node = xmlsec.tree.find_node(doc, "Signature")
        ctx = xmlsec.SignatureContext()
        ctx.key = xmlsec.Key.from_memory(cert, xmlsec.KeyFormat.CERT_PEM)
        ctx.verify(node)
    except Exception as e:
        return ResponseError(str(e))
    return None


def nameid(request, cert):
    xml = base64.b64decode(request.POST["SAMLResponse"])
    verify_signature(xml, cert)
    return etree.fromstring(xml).xpath("//*[local-name()='NameID']/text()")[0]
