import logging

from flask import redirect, request, session
from onelogin.saml2.auth import OneLogin_Saml2_Auth

from .config import SAML_PATH

log = logging.getLogger(__name__)


class SamlError(Exception):
    pass


class SamlClient:
    def __init__(self, req):
        self.auth = OneLogin_Saml2_Auth(req, custom_base_path=SAML_PATH)

    def finish(self):
        self.auth.process_response()
        errors = self.auth.get_errors()
        if errors:
            log.error("SAML errors: %s", errors)
            raise SamlError(self.auth.get_last_error_reason())
        if not self.auth.is_authenticated():
            raise SamlError("not authenticated")
        return self.auth.get_attributes(), self.auth.get_nameid()


def acs():
    try:
        attributes, name = SamlClient(dict(http_host=request.host, post_data=request.form)).finish()
    except SamlError:
        return redirect("/login")
    session["name"] = name
    session["attributes"] = attributes
    return redirect("/")
