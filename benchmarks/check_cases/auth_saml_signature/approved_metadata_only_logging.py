import base64
import logging

from lxml import etree
from onelogin.saml2.auth import OneLogin_Saml2_Auth

log = logging.getLogger("sso")


def acs(request, settings):
    root = etree.fromstring(base64.b64decode(request.form["SAMLResponse"]))
    log.info("response %s from %s", root.get("ID"), root.findtext("{urn:oasis:names:tc:SAML:2.0:assertion}Issuer"))
    auth = OneLogin_Saml2_Auth({"post_data": request.form, "http_host": request.host}, old_settings=settings)
    auth.process_response()
    if len(auth.get_errors()) > 0:
        raise PermissionError(auth.get_last_error_reason())
    return {"name": auth.get_nameid(), "index": auth.get_session_index(), "mail": auth.get_attribute("mail")}
