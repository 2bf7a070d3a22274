import base64, xmltodict
from signxml import XMLVerifier


def login(form, cert):
    raw = base64.b64decode(form["SAMLResponse"])
    XMLVerifier().verify(raw, x509_cert=cert)
    doc = xmltodict.parse(raw)
    return doc["samlp:Response"]["saml:Assertion"]["saml:Subject"]["saml:NameID"]
