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
        if not tenant.certificate:
            raise AuthenticationFailed("no certificate is configured")
        tree = etree.fromstring(base64.b64decode(request.data["SAMLResponse"]))
        assertion = self._signed_assertion(tree, tenant.certificate)
        email = assertion.xpath("string(.//saml:Attribute[@Name='email']/saml:AttributeValue)", namespaces=NS)
        return Response({"token": tenant.token_for(email)})

    def _signed_assertion(self, tree, certificate):
        assertions = tree.findall("saml:Assertion", NS)
        if len(assertions) != 1:
            raise AuthenticationFailed("expected one assertion")
        assertion = assertions[0]
        signature = assertion.find("ds:Signature", NS)
        reference = signature.find("ds:SignedInfo/ds:Reference", NS)
        if reference.get("URI") != f"#{assertion.get('ID')}":
            raise AuthenticationFailed("the signature is for something else")
        xmlsec.tree.add_ids(tree, ["ID"])
        ctx = xmlsec.SignatureContext()
        ctx.key = xmlsec.Key.from_memory(certificate, xmlsec.KeyFormat.CERT_PEM)
        try:
            ctx.verify(signature)
        except xmlsec.Error as error:
            raise AuthenticationFailed("bad signature") from error
        return assertion
