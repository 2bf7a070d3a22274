from fastapi import APIRouter, HTTPException, Request
from onelogin.saml2.auth import OneLogin_Saml2_Auth

from app.settings import saml_settings

router = APIRouter()


async def prepare(request: Request) -> dict:
    form = await request.form()
    return {"http_host": request.url.hostname, "script_name": request.url.path, "post_data": dict(form)}


@router.post("/acs")
async def acs(request: Request):
    auth = OneLogin_Saml2_Auth(await prepare(request), saml_settings())
    auth.process_response()
    if not auth.is_authenticated():
        raise HTTPException(401, auth.get_last_error_reason())
    request.session["saml"] = {"nameid": auth.get_nameid(), "attributes": auth.get_attributes()}
    return {"ok": True}
