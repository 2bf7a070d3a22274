from __future__ import annotations

import asyncio
import base64

from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings


class SamlAuthenticator:
    def __init__(self, settings: dict) -> None:
        self.settings = OneLogin_Saml2_Settings(settings, sp_validation_only=True)

    async def authenticate(self, request_data: dict, encoded: str) -> dict:
        response = OneLogin_Saml2_Response(self.settings, encoded)
        valid = await asyncio.to_thread(response.is_valid, request_data)
        if not valid:
            raise PermissionError(response.get_error())
        return {"subject": response.get_nameid(), "attributes": response.get_attributes()}
