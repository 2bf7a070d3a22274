from .assertions import Assertion
from .decoder import decode_response

__all__ = ["Assertion", "decode_response"]
