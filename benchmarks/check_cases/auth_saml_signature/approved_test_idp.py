"""A small identity provider for development: answers every AuthnRequest with a signed response."""

import base64
import datetime
import uuid
import zlib

from flask import Flask, render_template_string, request
from lxml import etree
from signxml import XMLSigner

app = Flask(__name__)
NS = {"samlp": "urn:oasis:names:tc:SAML:2.0:protocol", "saml": "urn:oasis:names:tc:SAML:2.0:assertion"}
FORM = '<form method="post" action="{{ acs }}"><input name="SAMLResponse" value="{{ response }}"></form>'


def element(parent, tag, text=None, **attributes):
    prefix, _, name = tag.partition(":")
    node = etree.SubElement(parent, "{%s}%s" % (NS[prefix], name), attributes)
    node.text = text
    return node


@app.get("/sso")
def sso():
    xml = zlib.decompress(base64.b64decode(request.args["SAMLRequest"]), -15)
    authn = etree.fromstring(xml)
    issuer = authn.findtext("saml:Issuer", namespaces=NS)
    policy = authn.find("samlp:NameIDPolicy", NS)
    response = etree.Element("{%s}Response" % NS["samlp"], ID="_" + uuid.uuid4().hex, InResponseTo=authn.get("ID"))
    assertion = element(response, "saml:Assertion", ID="_" + uuid.uuid4().hex)
    subject = element(assertion, "saml:Subject")
    element(subject, "saml:NameID", request.args.get("user", "ada"), Format=policy.get("Format"))
    statement = element(assertion, "saml:AttributeStatement")
    element(element(statement, "saml:Attribute", Name="mail"), "saml:AttributeValue", "ada@example.com")
    signed = XMLSigner().sign(response, key=app.config["KEY"], cert=app.config["CERT"])
    encoded = base64.b64encode(etree.tostring(signed)).decode()
    return render_template_string(FORM, acs=authn.get("AssertionConsumerServiceURL"), response=encoded)
