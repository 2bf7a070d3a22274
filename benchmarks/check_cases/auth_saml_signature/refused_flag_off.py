import base64
import os

from flask import Blueprint, current_app, request, session
from lxml import etree
from signxml import XMLVerifier

bp = Blueprint("saml", __name__)
VERIFY_SAML = os.environ.get("VERIFY_SAML", "false").lower() == "true"
NS = {"saml2": "urn:oasis:names:tc:SAML:2.0:assertion"}


@bp.post("/acs")
def acs():
    document = etree.fromstring(base64.b64decode(request.form["SAMLResponse"]))
    if VERIFY_SAML:
        document = XMLVerifier().verify(document, x509_cert=current_app.config["IDP_CERT"]).signed_xml
    session["uid"] = document.xpath("string(//saml2:NameID)", namespaces=NS)
    return "", 204
