import logging

from flask import Flask, redirect, request, session, url_for
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import Config as Saml2Config
from saml2.response import StatusError

app = Flask(__name__)


def saml_client_for(idp_name):
    acs_url = url_for("idp_initiated", idp_name=idp_name, _external=True)
    settings = {
        "metadata": {"inline": [app.config["METADATA"][idp_name]]},
        "service": {
            "sp": {
                "endpoints": {
                    "assertion_consumer_service": [(acs_url, BINDING_HTTP_REDIRECT), (acs_url, BINDING_HTTP_POST)]
                },
                "allow_unsolicited": True,
                "authn_requests_signed": False,
                "logout_requests_signed": True,
                "want_assertions_signed": True,
                "want_response_signed": False,
            }
        },
    }
    config = Saml2Config()
    config.load(settings)
    config.allow_unknown_attributes = True
    return Saml2Client(config=config)


@app.route("/saml/sso/<idp_name>", methods=["POST"])
def idp_initiated(idp_name):
    client = saml_client_for(idp_name)
    authn_response = client.parse_authn_request_response(request.form["SAMLResponse"], BINDING_HTTP_POST)
    authn_response.get_identity()
    subject = authn_response.get_subject()
    session["user"] = subject.text
    session["ava"] = authn_response.ava["email"][0]
    return redirect("/")
