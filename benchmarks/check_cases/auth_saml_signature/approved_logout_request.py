import base64
import zlib

from lxml import etree
from onelogin.saml2.logout_request import OneLogin_Saml2_Logout_Request


def slo(request, settings):
    raw = request.args["SAMLRequest"]
    logout = OneLogin_Saml2_Logout_Request(settings, raw)
    if not logout.is_valid({"get_data": request.args}):
        raise PermissionError
    xml = zlib.decompress(base64.b64decode(raw), -15)
    return OneLogin_Saml2_Logout_Request.get_nameid(xml)
