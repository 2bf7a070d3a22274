import base64

from .verifier import BadSignature, verified_assertion

NAME_ID = "{urn:oasis:names:tc:SAML:2.0:assertion}NameID"


class SsoService:
    def __init__(self, idp_certificate: bytes):
        self._certificate = idp_certificate

    def sign_in(self, saml_response: str):
        try:
            assertion = verified_assertion(base64.b64decode(saml_response), self._certificate)
        except BadSignature:
            return None
        return assertion.findtext(f".//{NAME_ID}")
