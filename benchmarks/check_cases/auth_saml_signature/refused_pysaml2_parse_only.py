import base64

from saml2 import samlp


def login(request):
    response = samlp.response_from_string(base64.b64decode(request.form["SAMLResponse"]))
    assertion = response.assertion[0]
    attributes = {a.name: [v.text for v in a.attribute_value] for a in assertion.attribute_statement[0].attribute}
    return assertion.subject.name_id.text, attributes
