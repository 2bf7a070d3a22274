"""Which names are a tenant's key, and which roles and functions are meant to see every tenant."""

from __future__ import annotations

import re

_STRONG = r"tenant|org|organi[sz]ation|workspace"
_WEAK = (
    r"account|company|team|customer|client|shop|store|merchant|site|school|clinic|firm|practice|studio|community"
    r"|club|hotel|restaurant|agency|seller|vendor|brand|household|guild|league|property|realm|unit|branch|chain|office"
    r"|garden|farm|parish|gym|salon|hospital|pharmacy|laboratory|lab|museum|library|venue|association|society|coop"
    r"|cooperative|municipality|landlord|publisher|university|employer|operator|franchise|charity|church|congregation"
    r"|bakery|winery|brewery|cinema|theat(?:re|er)|choir|subsidiary|enterprise|business|subscriber_org|partner"
)
_TAIL = r"(_?(id|uuid|pk|key|slug|ref|no|number|code))?"
_STRONG_KEY = re.compile(rf"(?:\w*_)?(?:{_STRONG}){_TAIL}", re.IGNORECASE)
_WEAK_KEY = re.compile(rf"(?:{_WEAK}){_TAIL}", re.IGNORECASE)
_ABOVE = re.compile(
    r"(^|_)(admin\w*|owner|migrat\w*|service(_role)?|backup|replication|replica|audit\w*|report\w*|support|etl|dba|"
    r"postgres|superuser|root|maintenance|ops|operator|staff|analytics|analyst|system|internal|billing|job|jobs|cron|"
    r"worker|scheduler|janitor|supabase_admin|platform|monitor\w*|bi)(_|$)",
    re.IGNORECASE,
)
_SWEEPS = re.compile(
    r"(^|_)(admin|system|internal|global|all_tenants|every|across|purge|cleanup|prune|expire|migrate|backfill|reindex|"
    r"job|cron|worker|nightly|daily|billing|usage|platform|superuser|staff|support|seed|fixture|maintenance|reap|sweep|"
    r"resolve_tenant|tenant_of|lookup_tenant|find_tenant|owner_of)(_|$)",
    re.IGNORECASE,
)


def is_strong_key(name: str) -> bool:
    """Return whether a name is a tenant's key whatever stands around it: `tenant_id`, `org_id`."""
    return _STRONG_KEY.fullmatch(name) is not None


def may_be_key(name: str) -> bool:
    """Return whether a name may be a tenant's key where it is used as one: `account_id`, `shop_id`."""
    return is_strong_key(name) or _WEAK_KEY.fullmatch(name) is not None


def root_of(name: str) -> str:
    """Return the word that a key is made from, so that `tenant`, `tenant_id` and `current_tenant` are one."""
    bare = re.sub(r"_?(id|uuid|pk|key|slug|ref|no|number|code)$", "", name.lower().strip("_"))
    bare = re.sub(r"^(current|my|active|the|caller|session|ctx|auth|p|v|in|x|request|req)_", "", bare)
    return {"organization": "org", "organisation": "org"}.get(bare, bare)


def stands_above(role: str) -> bool:
    """Return whether a role is meant to see every tenant, by its name."""
    return _ABOVE.search(role) is not None


def sweeps(function: str) -> bool:
    """Return whether a function is meant to go through every tenant, by its name."""
    return _SWEEPS.search(function) is not None
