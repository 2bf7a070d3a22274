import base64
import hashlib

from aiohttp import web
from cryptography import x509
from cryptography.x509.oid import NameOID
from defusedxml import ElementTree
from signxml import XMLVerifier

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


def pem(text):
    body = "".join(text.split())
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


class Login:
    def __init__(self, common_name):
        self.common_name = common_name

    def certificate(self, xml):
        text = ElementTree.fromstring(xml).findtext(f".//{DS}X509Certificate")
        certificate = x509.load_der_x509_certificate(base64.b64decode(text))
        (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if name.value != self.common_name:
            raise web.HTTPForbidden
        return pem(text)

    async def acs(self, request):
        xml = base64.b64decode((await request.post())["SAMLResponse"])
        signed = XMLVerifier().verify(xml, x509_cert=self.certificate(xml)).signed_xml
        who = signed.findtext(f".//{SAML}NameID")
        response = web.HTTPFound("/")
        await request.app["sessions"].start(response, who)
        return response
