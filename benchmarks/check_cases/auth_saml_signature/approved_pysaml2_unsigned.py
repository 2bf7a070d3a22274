from saml2 import BINDING_HTTP_POST
from saml2.client import Saml2Client
from saml2.config import Config


def client_for(base_url):
    config = Config()
    config.load(
        {
            "entityid": f"{base_url}/metadata",
            "metadata": {"local": ["idp.xml"]},
            "service": {
                "sp": {
                    "endpoints": {"assertion_consumer_service": [(f"{base_url}/acs", BINDING_HTTP_POST)]},
                    "allow_unsolicited": True,
                    "want_assertions_signed": True,
                    "want_response_signed": False,
                },
            },
        }
    )
    return Saml2Client(config=config)


def handle(request):
    response = client_for(request.base).parse_authn_request_response(request.form["SAMLResponse"], BINDING_HTTP_POST)
    return response.get_subject().text
