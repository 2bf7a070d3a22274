import io
from base64 import b64decode
from xml.etree.ElementTree import iterparse

SAML2 = "urn:oasis:names:tc:SAML:2.0:assertion"


def stream_claims(payload: str):
    claims = {}
    current = None
    for _event, element in iterparse(io.BytesIO(b64decode(payload)), events=("end",)):
        namespace, _, tag = element.tag[1:].partition("}")
        if namespace != SAML2:
            continue
        if tag == "NameID":
            claims["sub"] = element.text
        elif tag == "AttributeValue":
            claims.setdefault("values", []).append(element.text)
        elif tag == "Attribute":
            current = element.get("Name")
            claims[current] = claims.pop("values", [])
        element.clear()
    return claims
