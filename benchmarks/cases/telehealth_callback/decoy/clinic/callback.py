import logging

import jwt

from clinic.provider import Provider

log = logging.getLogger("clinic.callback")


class SignInFailed(Exception):
    """Shown to the patient as: please try again."""


class Callback:
    def __init__(self, provider: Provider):
        self.provider = provider

    def patient(self, id_token: str) -> str:
        try:
            header = jwt.get_unverified_header(id_token)
            key = self._key(header)
            claims = jwt.decode(
                id_token,
                key.key,
                algorithms=["RS256"],
                audience=self.provider.client_id,
                issuer=self.provider.issuer,
                options={"require": ["exp", "sub"]},
            )
        except jwt.PyJWTError as error:
            log.info("sign-in failed: %s", error)
            raise SignInFailed(str(error)) from None
        return claims["sub"]

    def _key(self, header: dict) -> jwt.PyJWK:
        jwk = header.get("jwk") or self.provider.key_with(header.get("kid"))
        # Some providers send the key along; that is fine as long as it is one of those they have published.
        published = [(key["kty"], key["n"], key["e"]) for key in self.provider.jwks["keys"] if key["kty"] == "RSA"]
        if jwk is None or (jwk.get("kty"), jwk.get("n"), jwk.get("e")) not in published:
            raise jwt.InvalidKeyError("no key for this token")
        return jwt.PyJWK(jwk, algorithm="RS256")
