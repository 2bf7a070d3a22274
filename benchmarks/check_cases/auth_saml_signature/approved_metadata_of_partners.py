import base64

import requests
from lxml import etree
from signxml import XMLVerifier

NS = {"a": "urn:oasis:names:tc:SAML:2.0:assertion", "md": "urn:oasis:names:tc:SAML:2.0:metadata", "ds": "http://www.w3.org/2000/09/xmldsig#"}


class Hub:
    def __init__(self, partners):
        self.partners = partners

    def certificate(self, issuer):
        answer = requests.get(self.partners[issuer], timeout=5)
        answer.raise_for_status()
        metadata = etree.fromstring(answer.content)
        return metadata.findtext(".//md:IDPSSODescriptor//ds:X509Certificate", namespaces=NS)

    def person(self, form):
        root = etree.fromstring(base64.b64decode(form["SAMLResponse"]))
        issuer = root.findtext("a:Issuer", namespaces=NS)
        signed = XMLVerifier().verify(root, x509_cert=self.certificate(issuer)).signed_xml
        return signed.findtext(".//a:NameID", namespaces=NS)
