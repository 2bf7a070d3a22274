import base64

from flask import Flask, abort, redirect, request, session
from lxml import etree

app = Flask(__name__)
app.config.from_object("settings")

SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"


@app.route("/saml/acs", methods=["POST"])
def acs():
    raw = base64.b64decode(request.form["SAMLResponse"])
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    doc = etree.fromstring(raw, parser=parser)
    conditions = doc.find(f".//{SAML}Conditions")
    if conditions is None or expired(conditions.get("NotOnOrAfter")):
        abort(403)
    audience = doc.findtext(f".//{SAML}Audience")
    if audience != app.config["SP_ENTITY_ID"]:
        abort(403)
    session["user"] = doc.findtext(f".//{SAML}NameID")
    session["roles"] = doc.xpath("//*[local-name()='Attribute'][@Name='roles']/*[local-name()='AttributeValue']/text()")
    return redirect("/")


def expired(stamp):
    from datetime import datetime, timezone

    return datetime.fromisoformat(stamp.replace("Z", "+00:00")) < datetime.now(timezone.utc)
