import requests


def exchange(token_url, assertion, client_id):
    response = requests.post(
        token_url,
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion,
            "client_id": client_id,
        },
        timeout=10,
    )
    response.raise_for_status()
    return response.json()["access_token"]


def saml_bearer(token_url, saml_assertion):
    """Hand a SAML assertion on to the token endpoint, which verifies it."""
    grant = "urn:ietf:params:oauth:grant-type:saml2-bearer"
    return requests.post(token_url, data={"grant_type": grant, "assertion": saml_assertion}, timeout=10).json()
