import base64
from functools import wraps

from flask import Blueprint, abort, current_app, g, request, session
from signxml import XMLVerifier
from signxml.exceptions import InvalidSignature

bp = Blueprint("sso", __name__)


def requires_signed_response(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        raw = base64.b64decode(request.form["SAMLResponse"])
        try:
            g.assertion = XMLVerifier().verify(raw, x509_cert=current_app.config["IDP_CERT"]).signed_xml
        except InvalidSignature:
            abort(401)
        return view(*args, **kwargs)

    return wrapper


@bp.post("/acs")
@requires_signed_response
def acs():
    session["user"] = g.assertion.find(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID").text
    return "", 204
