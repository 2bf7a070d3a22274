import base64

import falcon
from lxml import etree
from signxml import InvalidSignature, XMLVerifier


class AssertionConsumer:
    def __init__(self, tokens, certificate):
        self.tokens = tokens
        self.verifier = XMLVerifier()
        self.certificate = certificate

    def on_post(self, req, resp):
        form = req.get_media()
        tree = self.signed(base64.b64decode(form["SAMLResponse"]))
        claims = {}
        for element in tree.iter():
            match etree.QName(element).localname:
                case "NameID":
                    claims["sub"] = element.text
                case "Attribute":
                    claims[element.get("Name")] = [c.text for c in element]
        resp.media = {"token": self.tokens.issue(claims)}

    def signed(self, data):
        try:
            results = self.verifier.verify(data, x509_cert=self.certificate, expect_references=1)
        except InvalidSignature as error:
            raise falcon.HTTPUnauthorized(description="bad signature") from error
        return results.signed_xml
