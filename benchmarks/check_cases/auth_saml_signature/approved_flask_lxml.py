import base64

from flask import Flask, abort, redirect, request, session
from signxml import XMLVerifier
from signxml.exceptions import InvalidSignature

app = Flask(__name__)
app.config.from_object("settings")

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


@app.route("/saml/acs", methods=["POST"])
def acs():
    raw = base64.b64decode(request.form["SAMLResponse"])
    try:
        doc = XMLVerifier().verify(raw, x509_cert=app.config["IDP_CERT"]).signed_xml
    except InvalidSignature:
        app.logger.warning("a response with a bad signature")
        abort(403)
    audience = doc.findtext(f".//{SAML}Audience")
    if audience != app.config["SP_ENTITY_ID"]:
        abort(403)
    session["user"] = doc.findtext(f".//{SAML}NameID")
    session["roles"] = doc.xpath("//*[local-name()='Attribute'][@Name='roles']/*[local-name()='AttributeValue']/text()")
    return redirect("/")
