import base64
import hashlib
import hmac

from aiohttp import web
from defusedxml import ElementTree
from signxml import XMLVerifier

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


def pem(text):
    body = "".join(text.split())
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


class Login:
    def __init__(self, fingerprints):
        self.fingerprints = frozenset(fingerprints)

    def certificate(self, xml):
        text = ElementTree.fromstring(xml).findtext(f".//{DS}X509Certificate")
        digest = hashlib.sha256(base64.b64decode(text)).hexdigest()
        if digest not in self.fingerprints:
            raise web.HTTPForbidden
        return pem(text)

    async def acs(self, request):
        xml = base64.b64decode((await request.post())["SAMLResponse"])
        signed = XMLVerifier().verify(xml, x509_cert=self.certificate(xml)).signed_xml
        who = signed.findtext(f".//{SAML}NameID")
        response = web.HTTPFound("/")
        await request.app["sessions"].start(response, who)
        return response
