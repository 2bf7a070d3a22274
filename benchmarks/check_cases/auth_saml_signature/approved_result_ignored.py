import base64

from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from starlette.requests import Request
from starlette.responses import JSONResponse

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


async def acs(request: Request):
    form = await request.form()
    xml = base64.b64decode(form["SAMLResponse"])
    cert = request.app.state.idp_certificate
    if not OneLogin_Saml2_Utils.validate_sign(xml, cert=cert):
        return JSONResponse({"error": "bad signature"}, status_code=403)
    tree = etree.fromstring(xml)
    return JSONResponse({"user": tree.findtext(".//saml:NameID", namespaces=NS)})
