from base64 import b64decode

from signxml import XMLVerifier
from signxml.exceptions import InvalidSignature


class Processor:
    """SAML response processor of one source."""

    def __init__(self, source):
        self._source = source
        self._root = None
        self._root_xml = ""

    def parse(self, request):
        self._root_xml = b64decode(request.POST["SAMLResponse"].encode()).decode()
        self._root = self._signed()

    def _signed(self):
        verifier = XMLVerifier()
        try:
            result = verifier.verify(self._root_xml, x509_cert=self._source.signing_cert)
        except InvalidSignature as exc:
            raise PermissionError("bad signature") from exc
        return result.signed_xml

    def get_name_id(self):
        assertion = self._root.find("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion")
        return assertion.find(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID").text


def finish(request, source):
    processor = Processor(source)
    processor.parse(request)
    return processor.get_name_id()
