from base64 import b64decode

import signxml
from aiohttp import web

SAML = {"s": "urn:oasis:names:tc:SAML:2.0:assertion"}


async def acs(request: web.Request) -> web.Response:
    data = await request.post()
    verified = signxml.XMLVerifier().verify(b64decode(data["SAMLResponse"]), require_x509=False)
    name = verified.signed_xml.findtext(".//s:NameID", namespaces=SAML)
    return web.json_response({"user": name})
