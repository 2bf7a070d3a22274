import base64
import xml.sax
import xml.sax.handler


class AssertionHandler(xml.sax.handler.ContentHandler):
    def __init__(self):
        super().__init__()
        self.name_id = ""
        self._in_name = False

    def startElement(self, name, attrs):
        if name.split(":")[-1] == "NameID":
            self._in_name = True

    def characters(self, content):
        if self._in_name:
            self.name_id += content

    def endElement(self, name):
        if name.split(":")[-1] == "NameID":
            self._in_name = False


def saml_login(request, users):
    handler = AssertionHandler()
    xml.sax.parseString(base64.b64decode(request.POST["SAMLResponse"]), handler)
    return users.by_name(handler.name_id)
