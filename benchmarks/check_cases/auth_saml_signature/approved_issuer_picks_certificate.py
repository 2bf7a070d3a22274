import base64

from lxml import etree
from signxml import XMLVerifier

from app.models import IdentityProvider

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"}


def consume(saml_response):
    raw = base64.b64decode(saml_response)
    issuer = etree.fromstring(raw).findtext("saml:Issuer", namespaces=NS)
    idp = IdentityProvider.objects.get(entity_id=issuer)
    verified = XMLVerifier().verify(raw, x509_cert=idp.certificate)
    assertion = verified.signed_xml
    if assertion.tag != "{%s}Assertion" % NS["saml"]:
        assertion = assertion.find("saml:Assertion", NS)
    return {
        "name": assertion.findtext("saml:Subject/saml:NameID", namespaces=NS),
        "attributes": {
            a.get("Name"): [v.text for v in a.iterfind("saml:AttributeValue", NS)]
            for a in assertion.iterfind("saml:AttributeStatement/saml:Attribute", NS)
        },
    }
