import base64
import xml.etree.ElementTree as ET

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"


def response_for(user):
    root = ET.fromstring(open("tests/data/response.xml").read())
    root.find(f".//{{{SAML}}}NameID").text = user
    return base64.b64encode(ET.tostring(root))


def name_in(encoded):
    return ET.fromstring(base64.b64decode(encoded)).findtext(f".//{{{SAML}}}NameID")


def test_the_fixture_names_the_user(client):
    encoded = response_for("ada")
    assert name_in(encoded) == "ada"
    assert client.post("/acs", data={"SAMLResponse": encoded}).status_code == 403
