from flask import Flask, redirect, request, session
from onelogin.saml2.auth import OneLogin_Saml2_Auth

app = Flask(__name__)


def saml_settings():
    return {
        "strict": True,
        "debug": True,
        "sp": {
            "entityId": "https://app.example.com/metadata",
            "assertionConsumerService": {"url": "https://app.example.com/acs"},
        },
        "idp": {"entityId": "https://idp.example.com", "x509cert": app.config["IDP_CERT"]},
    }


@app.post("/acs")
def acs():
    auth = OneLogin_Saml2_Auth(prepare(request), saml_settings())
    auth.process_response()
    if auth.get_errors():
        return "no", 403
    session["user"] = auth.get_nameid()
    return redirect("/")


def prepare(req):
    return {"http_host": req.host, "script_name": req.path, "post_data": req.form.copy()}
