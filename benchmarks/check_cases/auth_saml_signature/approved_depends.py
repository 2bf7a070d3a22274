import base64
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from lxml import etree
from signxml import InvalidSignature, XMLVerifier

from app.config import Settings, get_settings

router = APIRouter()
NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def signed_assertion(
    SAMLResponse: Annotated[str, Form()], settings: Annotated[Settings, Depends(get_settings)]
) -> etree._Element:
    try:
        result = XMLVerifier().verify(base64.b64decode(SAMLResponse), x509_cert=settings.idp_certificate)
    except InvalidSignature as exc:
        raise HTTPException(status_code=401) from exc
    return etree.fromstring(result.signed_data)


@router.post("/acs")
def acs(assertion: Annotated[etree._Element, Depends(signed_assertion)]):
    return {"user": assertion.findtext(".//saml:NameID", namespaces=NS)}
