from flask import Flask, redirect, request, session, render_template
from onelogin.saml2.auth import OneLogin_Saml2_Auth

app = Flask(__name__)


def init_saml_auth(req):
    auth = OneLogin_Saml2_Auth(req, custom_base_path=app.config["SAML_PATH"])
    return auth


@app.route("/", methods=["GET", "POST"])
def index():
    req = {"http_host": request.host, "get_data": request.args.copy(), "post_data": request.form.copy()}
    auth = init_saml_auth(req)
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
            session["samlUserdata"] = auth.get_attributes()
            session["samlNameId"] = auth.get_nameid()
            session["samlSessionIndex"] = auth.get_session_index()
        elif auth.get_settings().is_debug_active():
            error_reason = auth.get_last_error_reason()
    return render_template("index.html", errors=errors, error_reason=error_reason, not_auth_warn=not_auth_warn)
