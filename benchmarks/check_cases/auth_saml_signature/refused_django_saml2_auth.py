SAML2_AUTH = {
    "METADATA_AUTO_CONF_URL": "https://idp.example.com/metadata",
    "DEFAULT_NEXT_URL": "/admin",
    "WANT_ASSERTIONS_SIGNED": False,
    "WANT_RESPONSE_SIGNED": False,
    "ATTRIBUTES_MAP": {"email": "Email", "username": "UserName"},
}
