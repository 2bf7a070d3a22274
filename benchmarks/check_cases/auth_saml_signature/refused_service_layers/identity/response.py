from base64 import b64decode
from functools import cached_property

from .namespaces import MAIL_PATH, PREFIXES, SUBJECT_PATH
from .xmlutil import parse, text


class AuthnResponse:
    """A response of the identity provider. Signatures are checked by the load balancer."""

    def __init__(self, encoded: str) -> None:
        self._encoded = encoded

    @cached_property
    def document(self):
        return parse(b64decode(self._encoded))

    @property
    def subject(self):
        return text(self.document, SUBJECT_PATH, PREFIXES)

    @property
    def mail(self):
        return text(self.document, MAIL_PATH, PREFIXES)
