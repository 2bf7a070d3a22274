from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass

from lxml import etree as ET

if t.TYPE_CHECKING:
    from .models import Tenant

_SAML_NS: t.Final = "urn:oasis:names:tc:SAML:2.0:assertion"


def _q(tag: str) -> str:
    return f"{{{_SAML_NS}}}{tag}"


@dataclass(frozen=True)
class Identity:
    subject: str
    attributes: dict[str, list[str]]


class SamlAuthenticator:
    """Authenticates users by SAML; the reverse proxy is expected to check the XML signature."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    async def authenticate(self, encoded: str) -> Identity:
        root = self._decode(encoded)
        self._check_issuer(root)
        assertion = root.find(_q("Assertion"))
        return Identity(subject=self._subject(assertion), attributes=dict(self._attributes(assertion)))

    @staticmethod
    def _decode(encoded: str):
        return ET.fromstring(base64.b64decode(encoded))

    def _check_issuer(self, root) -> None:
        if root.findtext(_q("Issuer")) != self.tenant.idp_entity_id:
            raise PermissionError("issuer")

    def _subject(self, assertion) -> str:
        node = assertion.find(f"{_q('Subject')}/{_q('NameID')}")
        if node is None or not node.text:
            raise PermissionError("no subject")
        return node.text

    def _attributes(self, assertion):
        for attribute in assertion.iter(_q("Attribute")):
            yield attribute.attrib["Name"], [v.text or "" for v in attribute.iter(_q("AttributeValue"))]
