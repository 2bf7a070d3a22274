import os

import saml2

BASE_DIR = os.path.dirname(__file__)
WANT_SIGNED = False

INSTALLED_APPS = ["django.contrib.auth", "djangosaml2"]
SAML_CONFIG = {
    "xmlsec_binary": "/usr/bin/xmlsec1",
    "entityid": "https://sp.example.org/saml2/metadata/",
    "service": {
        "sp": {
            "name": "Example SP",
            "endpoints": {
                "assertion_consumer_service": [("https://sp.example.org/saml2/acs/", saml2.BINDING_HTTP_POST)],
            },
            "want_response_signed": WANT_SIGNED,
            "want_assertions_or_response_signed": True,
        },
    },
    "metadata": {"local": [os.path.join(BASE_DIR, "remote_metadata.xml")]},
}
