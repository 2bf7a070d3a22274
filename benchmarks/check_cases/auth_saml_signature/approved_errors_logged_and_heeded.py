from functools import wraps
from urllib.parse import urlparse

from flask import abort, current_app, request
from onelogin.saml2.auth import OneLogin_Saml2_Auth


def prepared():
    url = urlparse(request.url)
    return {"https": "on", "http_host": request.host, "server_port": url.port, "script_name": request.path,
            "get_data": request.args.copy(), "post_data": request.form.copy()}


def identity():
    auth = OneLogin_Saml2_Auth(prepared(), current_app.config["SAML"])
    auth.process_response()
    errors = auth.get_errors()
    for error in errors:
        current_app.logger.warning("saml error: %s", error)
    return None if errors else (auth.get_nameid(), auth.get_attributes())


def with_identity(view):
    @wraps(view)
    def wrapper(*args, **kwargs):
        found = identity()
        if found is None:
            abort(403)
        name, attributes = found
        return view(name, attributes, *args, **kwargs)

    return wrapper
