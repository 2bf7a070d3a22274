import json
from functools import wraps
from urllib.request import urlopen
from flask import g, request
from jose import jwt

AUTH0_DOMAIN = "x.auth0.com"
API_AUDIENCE = "api"
ALGORITHMS = ["RS256"]


class AuthError(Exception): ...


def get_token_auth_header():
    auth = request.headers.get("Authorization", None)
    if not auth:
        raise AuthError("missing")
    return auth.split()[1]


def requires_scope(required_scope):
    token = get_token_auth_header()
    unverified_claims = jwt.get_unverified_claims(token)
    if unverified_claims.get("scope"):
        for s in unverified_claims["scope"].split():
            if s == required_scope:
                return True
    return False


def requires_auth(f):
    @wraps(f)
    def decorated(*args, **kwargs):
        token = get_token_auth_header()
        jwks = json.loads(urlopen("https://" + AUTH0_DOMAIN + "/.well-known/jwks.json").read())
        unverified_header = jwt.get_unverified_header(token)
        rsa_key = {}
        for key in jwks["keys"]:
            if key["kid"] == unverified_header["kid"]:
                rsa_key = {"kty": key["kty"], "kid": key["kid"], "n": key["n"], "e": key["e"]}
        if rsa_key:
            try:
                payload = jwt.decode(
                    token, rsa_key, algorithms=ALGORITHMS, audience=API_AUDIENCE, issuer="https://" + AUTH0_DOMAIN + "/"
                )
            except jwt.JWTError as e:
                raise AuthError("invalid") from e
            g.current_user = payload
            return f(*args, **kwargs)
        raise AuthError("no key")

    return decorated
