from base64 import b64decode

from django.conf import settings
from signxml import XMLVerifier

from .assertions import Assertion


def decode_response(encoded: str) -> Assertion:
    signed = XMLVerifier().verify(b64decode(encoded), x509_cert=settings.SAML_IDP_CERTIFICATE).signed_xml
    return Assertion(signed)
