import base64

import xmlsec
from lxml import etree
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response
from rest_framework.views import APIView

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}


class SamlLogin(APIView):
    authentication_classes = ()

    def post(self, request, tenant):
        tree = etree.fromstring(base64.b64decode(request.data["SAMLResponse"]))
        if tenant.certificate:
            signature = tree.find(".//ds:Signature", NS)
            ctx = xmlsec.SignatureContext()
            ctx.key = xmlsec.Key.from_memory(tenant.certificate, xmlsec.KeyFormat.CERT_PEM)
            try:
                ctx.verify(signature)
            except xmlsec.Error:
                raise AuthenticationFailed("bad signature")
        email = tree.xpath("string(//saml:Attribute[@Name='email']/saml:AttributeValue)", namespaces=NS)
        return Response({"token": tenant.token_for(email)})
