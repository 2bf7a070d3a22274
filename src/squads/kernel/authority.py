"""What a role may sign: deny by default, narrowed or widened only by grants of the root.

Three things must agree before a receipt counts: the table of kinds (`squads.ledger.types`) lists the role, its scope
is held by default or by a live grant, and the receipt belongs to this very workspace. An error in any of them denies.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from squads.contracts.records import GrantRecord
from squads.ledger.types import KINDS

ASKED_FOR = frozenset({"waiver"})
"""Scopes that nobody holds by default: a waiver speaks against a gate, so its author is named by the root first."""

Grants = Mapping[tuple[str, str], GrantRecord]
"""(role, scope) to the newest grant."""


def may_sign(kind: str, roles: Collection[str], grants: Grants, *, now_ms: int) -> bool:
    """Say whether a key with `roles` may sign a receipt of `kind` now."""
    if not grants:
        return kind not in ASKED_FOR and bool(_listed(kind, frozenset(roles)))
    return any(_in_scope(kind, role, grants, now_ms) for role in _listed(kind, frozenset(roles)))


@lru_cache(maxsize=1_024)
def _listed(kind: str, roles: frozenset[str]) -> tuple[str, ...]:
    """Return those of the roles that the table lists for this kind; none for an unknown kind."""
    known = KINDS.get(kind)
    return tuple(r for r in sorted(roles) if known and r.split(":", 1)[0] in known.signers)


def _in_scope(scope: str, role: str, grants: Grants, now_ms: int) -> bool:
    grant = grants.get((role, scope))
    if grant is None:
        return scope not in ASKED_FOR
    return not grant.revoked and (grant.expires_ms is None or now_ms < grant.expires_ms)


CUSTODIES = ("in-process", "daemon", "kms", "hsm")
"""Where a private key may live, weakest first: with the code that it guards against, behind a process that judges what
it signs, or in hardware that gives it to nobody."""


def suffices(custody: str, demanded: str) -> bool:
    """Say whether a key is kept at least as well as is demanded; an unknown custody suffices for nothing."""
    return custody in CUSTODIES and CUSTODIES.index(custody) >= CUSTODIES.index(demanded)


def is_author(kind: str, name: str, roles: Collection[str]) -> bool:
    """Say whether a key with `roles` may speak as the `kind` called `name`, such as the gate `schema`."""
    return f"{kind}:{name}" in roles
