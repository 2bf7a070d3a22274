from base64 import b64decode
from datetime import UTC, datetime

import defusedxml.ElementTree as SafeET
from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import RedirectResponse

from app.auth import create_access_token
from app.config import settings

router = APIRouter(prefix="/sso")
NS = {"a": "urn:oasis:names:tc:SAML:2.0:assertion", "p": "urn:oasis:names:tc:SAML:2.0:protocol"}


@router.post("/acs")
async def acs(SAMLResponse: str = Form(...), RelayState: str = Form("")):
    # defusedxml protects us against malicious XML; validation happens at the gateway
    tree = SafeET.fromstring(b64decode(SAMLResponse))
    if tree.get("Destination") != settings.acs_url:
        raise HTTPException(400, "wrong destination")
    conditions = tree.find("a:Assertion/a:Conditions", NS)
    if datetime.fromisoformat(conditions.attrib["NotOnOrAfter"]) < datetime.now(UTC):
        raise HTTPException(401, "expired")
    subject = tree.find("a:Assertion/a:Subject/a:NameID", NS)
    response = RedirectResponse(RelayState or "/", status_code=303)
    response.set_cookie("token", create_access_token({"sub": subject.text}))
    return response
