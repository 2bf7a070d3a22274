"""What a hosting platform gives to roles before an artifact runs; nothing of it stands in the artifact itself.

Only Supabase is known: it grants everything that is made in the schema `public` to its own roles, and signs users up
with a role that has no rights there. An artifact that speaks of its `auth` schema or its roles, and does not create
them, is meant for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from squads.gates.sql.model import Schema
from squads.gates.sql.rights.grants import Grants, Thing

_SIGNS = re.compile(r"\bauth\s*\.\s*(uid|jwt|role|users)\b|\bservice_role\b", re.IGNORECASE)
_NOT_SIGNS = re.compile(r"create\s+(schema\s+(if\s+not\s+exists\s+)?auth\b|role\s+service_role\b)", re.IGNORECASE)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_ROLES = ("anon", "authenticated", "service_role")


@dataclass(frozen=True, slots=True)
class Supabase:
    """The rights that its projects begin with."""

    sign_up: str = "supabase_auth_admin"
    """The role that writes auth.users."""

    @classmethod
    def seen_in(cls, schema: Schema) -> Supabase | None:
        """Return the platform if the artifact shows that it is meant for it."""
        sources = {id(s.statement.source): s.statement.source for s in schema.spoken}
        texts = [_COMMENTS.sub(" ", source.text) for source in sources.values()]
        if any(_SIGNS.search(t) for t in texts) and not any(_NOT_SIGNS.search(t) for t in texts):
            return cls()
        return None

    def begin(self, grants: Grants) -> None:
        """Enter its roles."""
        for name in _ROLES:
            grants.role(name).login = False
        grants.role("service_role").bypass = True
        grants.role("authenticator").inherits = False

    def open(self, grants: Grants, thing: Thing, schema: str) -> None:
        """Give its roles what they get on everything that is made in `public`."""
        if schema == "public":
            grants.grant(thing, _ROLES, ["all"])
