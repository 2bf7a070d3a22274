from onelogin.saml2.auth import OneLogin_Saml2_Auth
from starlette.responses import JSONResponse


async def acs(request):
    form = await request.form()
    auth = OneLogin_Saml2_Auth({"post_data": dict(form)}, request.app.state.saml)
    try:
        auth.process_response()
        if not auth.is_authenticated():
            raise ValueError("not authenticated")
    except Exception as error:
        request.app.state.log.warning("saml: %s", error)
    return JSONResponse({"user": auth.get_nameid(), "attributes": auth.get_attributes()})
