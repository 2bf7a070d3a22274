from functools import wraps
from urllib.parse import urlparse

from flask import abort, current_app, request
from onelogin.saml2.auth import OneLogin_Saml2_Auth


def prepared():
    url = urlparse(request.url)
    return {"https": "on", "http_host": request.host, "server_port": url.port, "script_name": request.path,
            "get_data": request.args.copy(), "post_data": request.form.copy()}


def with_identity(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        auth = OneLogin_Saml2_Auth(prepared(), current_app.config["SAML"])
        try:
            auth.process_response()
        except Exception:
            current_app.logger.exception("saml")
            abort(400)
        for error in auth.get_errors():
            current_app.logger.warning("saml error: %s", error)
        return view(auth.get_nameid(), auth.get_attributes(), *args, **kwargs)

    return wrapper
