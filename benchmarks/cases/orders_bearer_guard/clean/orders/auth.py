import functools
import logging
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
        key = _keys.get(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise jwt.InvalidKeyError("unknown key id")
        claims = jwt.decode(
            token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER, options={"require": ["sub", "exp"]}
        )
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
