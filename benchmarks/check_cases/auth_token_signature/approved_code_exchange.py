from joserfc import jwt
from joserfc.jwk import KeySet
import httpx


def claims(id_token, nonce):
    keys = KeySet.import_key_set(httpx.get("https://idp/jwks").json())
    token = jwt.decode(id_token, keys, algorithms=["RS256"])
    jwt.JWTClaimsRegistry(iss={"essential": True, "value": "https://idp"}, nonce={"value": nonce}).validate(
        token.claims
    )
    return token.claims["sub"]
