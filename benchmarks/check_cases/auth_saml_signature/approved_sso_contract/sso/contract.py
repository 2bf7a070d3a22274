"""SSO contract: turns an identity provider's answer into a profile."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from sso.saml import _parse_saml_assertions


@dataclass
class SamlProfile:
    name_id: str
    email: str | None
    groups: list[str] = field(default_factory=list)


def process_saml_response(saml_response_b64: str, idp: dict) -> SamlProfile:
    """Validate the response and return who signed in."""
    xml = base64.b64decode(saml_response_b64)
    parsed = _parse_saml_assertions(xml, idp["x509_cert"])
    if parsed["issuer"] != idp["entity_id"]:
        raise ValueError("unexpected issuer")
    attributes = parsed["attributes"]
    return SamlProfile(
        name_id=parsed["name_id"],
        email=attributes.get("email", [None])[0],
        groups=attributes.get("groups", []),
    )
