import base64

import falcon
from lxml import etree


def local(element):
    return etree.QName(element).localname


class AssertionConsumer:
    def __init__(self, tokens):
        self.tokens = tokens

    def on_post(self, req, resp):
        form = req.get_media()
        tree = etree.XML(base64.b64decode(form["SAMLResponse"]))
        claims = {}
        for element in tree.iter():
            match local(element):
                case "NameID":
                    claims["sub"] = element.text
                case "Attribute":
                    claims[element.get("Name")] = [c.text for c in element]
        if "sub" not in claims:
            raise falcon.HTTPUnauthorized()
        resp.media = {"token": self.tokens.issue(claims)}
