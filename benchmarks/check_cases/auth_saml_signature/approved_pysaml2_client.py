from django.http import HttpResponseBadRequest, HttpResponseRedirect
from saml2 import BINDING_HTTP_POST, entity
from saml2.client import Saml2Client
from saml2.config import Config as Saml2Config


def _get_saml_client(domain):
    saml_settings = {
        "metadata": {"remote": [{"url": "https://idp.example.org/metadata"}]},
        "service": {
            "sp": {
                "endpoints": {"assertion_consumer_service": [(domain + "/acs/", BINDING_HTTP_POST)]},
                "allow_unsolicited": True,
                "authn_requests_signed": False,
                "logout_requests_signed": True,
                "want_assertions_signed": True,
                "want_response_signed": False,
            },
        },
    }
    config = Saml2Config()
    config.load(saml_settings)
    return Saml2Client(config=config)


def acs(request):
    client = _get_saml_client(request.get_host())
    authn_response = client.parse_authn_request_response(request.POST.get("SAMLResponse"), entity.BINDING_HTTP_POST)
    if authn_response is None:
        return HttpResponseBadRequest()
    identity = authn_response.get_identity()
    request.session["user"] = authn_response.name_id.text
    request.session["groups"] = identity.get("groups", [])
    return HttpResponseRedirect("/")
