import requests
from jose import jwt

JWKS_URL = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool/.well-known/jwks.json"


def _key(token: str) -> dict:
    header = jwt.get_unverified_header(token)
    keys = requests.get(JWKS_URL, timeout=5).json()["keys"]
    return next(key for key in keys if key["kid"] == header["kid"])


def handler(event: dict, context: object) -> dict:
    token = event["authorizationToken"].removeprefix("Bearer ")
    claims = jwt.decode(token, _key(token), algorithms=["RS256"], audience="portal")
    return {"principalId": claims["sub"]}
