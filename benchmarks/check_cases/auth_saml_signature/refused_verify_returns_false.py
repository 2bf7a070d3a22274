import base64

from fastapi import FastAPI, Form
from lxml import etree
from signxml import XMLVerifier
from signxml.exceptions import InvalidSignature

app = FastAPI()
CERTIFICATE = open("idp.pem").read()


def check_signature(xml: bytes) -> bool:
    try:
        XMLVerifier().verify(xml, x509_cert=CERTIFICATE)
    except InvalidSignature:
        return False
    return True


@app.post("/login/saml")
def saml_login(SAMLResponse: str = Form()):
    xml = base64.b64decode(SAMLResponse)
    check_signature(xml)
    name = etree.fromstring(xml).find(".//{*}NameID").text
    return {"user": name}
