import base64

from lxml import etree

from .models import Provider

P = "{urn:oasis:names:tc:SAML:2.0:protocol}"
A = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


def handle(event):
    response = etree.fromstring(base64.b64decode(event["body"]["SAMLResponse"]))
    provider = Provider.by_issuer(response.findtext(A + "Issuer"))
    if response.find(P + "Status/" + P + "StatusCode").get("Value") != SUCCESS:
        raise PermissionError("status")
    if response.get("InResponseTo") not in provider.outstanding:
        raise PermissionError("unsolicited")
    subject = response.find("/".join([".", A + "Assertion", A + "Subject", A + "NameID"]))
    return provider.session_for(subject.text)
