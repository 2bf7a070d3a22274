import base64

from lxml import etree


class IdentityTarget:
    def __init__(self):
        self.name, self._inside = None, False

    def start(self, tag, attrib):
        self._inside = tag == "{urn:oasis:names:tc:SAML:2.0:assertion}NameID"

    def data(self, data):
        if self._inside:
            self.name = data

    def end(self, tag):
        self._inside = False

    def close(self):
        return self.name


def who(saml_response):
    parser = etree.XMLParser(target=IdentityTarget())
    return etree.fromstring(base64.b64decode(saml_response), parser)
