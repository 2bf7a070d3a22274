import base64
import xml.dom.minidom as dom


def _text(node):
    return "".join(c.data for c in node.childNodes if c.nodeType == c.TEXT_NODE)


def claims(request):
    document = dom.parseString(base64.b64decode(request.POST["SAMLResponse"]))
    out = {}
    for node in document.getElementsByTagName("*"):
        if node.tagName.endswith("NameID"):
            out["name"] = _text(node)
        if node.tagName.endswith(":AttributeValue"):
            out[node.parentNode.getAttribute("Name")] = _text(node)
    return out
