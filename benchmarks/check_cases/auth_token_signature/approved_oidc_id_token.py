import jwt

CLIENT_ID = "guild-portal"
ISSUER = "https://accounts.google.com"
JWKS_URL = "https://www.googleapis.com/oauth2/v3/certs"


class SSOError(Exception):
    pass


def _decode_oidc_id_token(id_token: str) -> dict:
    """Return the claims of a token that Google has signed for us."""
    key = jwt.PyJWKClient(JWKS_URL).get_signing_key_from_jwt(id_token).key
    return jwt.decode(id_token, key, algorithms=["RS256"], audience=CLIENT_ID, issuer=ISSUER)


def process_oidc_callback(id_token: str) -> dict:
    claims = _decode_oidc_id_token(id_token)
    if claims.get("iss") != ISSUER or claims.get("aud") != CLIENT_ID:
        raise SSOError("issued for somebody else")
    return {"subject": claims["sub"], "email": claims.get("email"), "groups": claims.get("groups", [])}
