import base64

import untangle
from bottle import post, request, response


@post("/acs")
def acs():
    doc = untangle.parse(base64.b64decode(request.forms.SAMLResponse).decode())
    name = doc.samlp_Response.saml_Assertion.saml_Subject.saml_NameID.cdata
    response.set_cookie("user", name, secret="s")
    return "ok"
