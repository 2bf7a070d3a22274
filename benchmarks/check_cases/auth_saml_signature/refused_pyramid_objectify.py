from base64 import b64decode

from lxml import objectify
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import remember
from pyramid.view import view_config


@view_config(route_name="saml_acs", request_method="POST", require_csrf=False)
def saml_acs(request):
    response = objectify.fromstring(b64decode(request.POST["SAMLResponse"]))
    assertion = response["{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"]
    userid = str(assertion.Subject.NameID)
    groups = [
        str(v) for a in assertion.AttributeStatement.Attribute if a.get("Name") == "groups" for v in a.AttributeValue
    ]
    request.session["groups"] = groups
    return HTTPSeeOther("/", headers=remember(request, userid))
