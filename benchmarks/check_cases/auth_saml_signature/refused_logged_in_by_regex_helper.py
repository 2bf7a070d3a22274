import base64
import re
from typing import Optional

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

router = APIRouter()


def extract_tag(xml: str, tag: str) -> Optional[str]:
    match = re.search(rf"<(?:saml2?:)?{tag}[^>]*>(.*?)</(?:saml2?:)?{tag}>", xml, re.DOTALL)
    return match.group(1).strip() if match else None


@router.post("/saml/callback")
async def callback(request: Request):
    form = await request.form()
    decoded = base64.b64decode(form.get("SAMLResponse")).decode("utf-8")
    email = extract_tag(decoded, "NameID")
    request.session["email"] = email
    return RedirectResponse("/", 302)
