from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

log = logging.getLogger(__name__)


class NotSignedIn(Exception):
    pass


@dataclass(frozen=True)
class Analyst:
    name: str
    groups: frozenset[str]

    @property
    def may_release(self) -> bool:
        return "release" in self.groups


def toolkit_request(request: Any) -> dict[str, Any]:
    """What python3-saml wants to know of a request."""
    return {
        "https": "on" if request.scheme == "https" else "off",
        "http_host": request.host,
        "script_name": request.path,
        "get_data": dict(request.args),
        "post_data": dict(request.form),
    }


def analyst_from(request: Any, settings: dict[str, Any]) -> Analyst:
    posted = request.form.get("SAMLResponse")
    if not posted:
        raise NotSignedIn("nothing was posted")
    try:
        response = OneLogin_Saml2_Response(OneLogin_Saml2_Settings(settings), posted)
        name = response.get_nameid()
        groups = response.get_attributes().get("groups", [])
    except (OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError) as error:
        log.info("login refused: %s", error)
        raise NotSignedIn("the response was refused") from error
    return Analyst(name, frozenset(groups))
