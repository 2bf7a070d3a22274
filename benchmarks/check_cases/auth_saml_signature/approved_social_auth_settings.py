import os

SOCIAL_AUTH_SAML_SP_ENTITY_ID = "https://saml.example.com"
SOCIAL_AUTH_SAML_SECURITY_CONFIG = {
    "wantMessagesSigned": False,
    "wantAssertionsSigned": True,
    "wantNameIdEncrypted": False,
}
SAML_CONFIG = {
    "strict": os.environ.get("SAML_STRICT", "true") == "true",
    "service": {"sp": {"want_response_signed": True, "want_assertions_signed": False}},
}
