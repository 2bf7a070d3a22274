from base64 import b64decode
from xml.dom import pulldom


def user_from(saml_response_b64):
    events = pulldom.parseString(b64decode(saml_response_b64).decode())
    for event, node in events:
        if event == pulldom.START_ELEMENT and node.localName == "NameID":
            events.expandNode(node)
            return node.firstChild.data
    raise LookupError("no name in the assertion")
