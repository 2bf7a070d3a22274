from flask import request, session, render_template, redirect
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.utils import OneLogin_Saml2_Utils


def index():
    req = {
        "http_host": request.host,
        "script_name": request.path,
        "get_data": request.args.copy(),
        "post_data": request.form.copy(),
    }
    auth = OneLogin_Saml2_Auth(req, custom_base_path="saml")
    errors = []
    error_reason = None
    not_auth_warn = False
    if "sso" in request.args:
        return redirect(auth.login())
    elif "acs" in request.args:
        request_id = session.get("AuthNRequestID")
        auth.process_response(request_id=request_id)
        errors = auth.get_errors()
        not_auth_warn = not auth.is_authenticated()
        if len(errors) == 0:
            session.pop("AuthNRequestID", None)
            session["samlUserdata"] = auth.get_attributes()
            session["samlNameId"] = auth.get_nameid()
            session["samlSessionIndex"] = auth.get_session_index()
            self_url = OneLogin_Saml2_Utils.get_self_url(req)
            if "RelayState" in request.form and self_url != request.form["RelayState"]:
                return redirect(auth.redirect_to(request.form["RelayState"]))
        elif auth.get_settings().is_debug_active():
            error_reason = auth.get_last_error_reason()
    return render_template("index.html", errors=errors, error_reason=error_reason, not_auth_warn=not_auth_warn)
