import base64

from django.conf import settings
from django.http import HttpResponseForbidden, JsonResponse
from lxml import etree

NSMAP = {"saml2": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}


def acs(request):
    tree = etree.fromstring(base64.b64decode(request.POST["SAMLResponse"]))
    embedded = tree.findtext(".//ds:X509Certificate", namespaces=NSMAP)
    if embedded is None or embedded.replace("\n", "") != settings.IDP_CERT_BODY:
        return HttpResponseForbidden("wrong certificate")
    return JsonResponse({"user": tree.findtext(".//saml2:NameID", namespaces=NSMAP)})
