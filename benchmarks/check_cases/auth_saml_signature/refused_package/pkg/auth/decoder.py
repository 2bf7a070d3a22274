from base64 import b64decode

from defusedxml.ElementTree import fromstring

from .assertions import Assertion
from .names import qualified


def decode_response(encoded: str) -> Assertion:
    # The signature has been checked by SignatureMiddleware.
    response = fromstring(b64decode(encoded))
    return Assertion(response.find(qualified("Assertion")))
