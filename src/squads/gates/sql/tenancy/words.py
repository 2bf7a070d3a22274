"""Which names are a tenant's key, and which roles and functions are meant to see every tenant."""

from __future__ import annotations

import re
from functools import lru_cache

from squads.gates.words import word_set

_STRONG = r"tenant|org|organi[sz]ation|workspace|mandant"
_WEAK = (
    r"account|company|team|customer|client|shop|store|merchant|site|school|clinic|firm|practice|studio|community"
    r"|club|hotel|hostel|depot|kita|restaurant|agency|seller|vendor|brand|household|guild|league|property|realm|unit|branch|chain|office"
    r"|garden|farm|parish|gym|salon|hospital|pharmacy|laboratory|lab|museum|library|venue|association|society|coop"
    r"|cooperative|kunde|verein|schule|praxis|firma|filiale|betrieb|kanzlei|werkstatt|klinik|verband|gemeinde|standort|district|utility|dealer|broker"
    r"|nursery|bistro|workshop|foundation|kindergarten|academy|college|campus"
    r"|municipality|landlord|publisher|university|employer|operator|franchise|charity|church|congregation"
    r"|bakery|winery|brewery|cinema|theat(?:re|er)|choir|subsidiary|enterprise|business|subscriber_org|partner"
)
AMBIGUOUS = word_set(
    "customer client account vendor seller partner branch unit office property team brand employer store shop"
)
"""Nouns that are as often somebody who buys, or a thing, as a tenant."""
_WORDS_MAX = 65_536
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
    r"job|cron|worker|nightly|daily|billing|usage|platform|superuser|staff|support|seed|"
    r"fixture|maintenance|reap|sweep|archive_\w+|retention|remind\w*|digest|rollup|sync|all_(?:accounts|companies|clubs|shops|customers|schools)|"
    r"resolve_tenant|tenant_of|lookup_tenant|find_tenant|owner_of)(_|$)",
    re.IGNORECASE,
)


@lru_cache(maxsize=_WORDS_MAX)
def is_strong_key(name: str) -> bool:
    """Return whether a name is a tenant's key whatever stands around it: `tenant_id`, `org_id`."""
    return _STRONG_KEY.fullmatch(name) is not None


@lru_cache(maxsize=_WORDS_MAX)
def may_be_key(name: str) -> bool:
    """Return whether a name may be a tenant's key where it is used as one: `account_id`, `shop_id`."""
    return is_strong_key(name) or _WEAK_KEY.fullmatch(name) is not None


@lru_cache(maxsize=_WORDS_MAX)
def root_of(name: str) -> str:
    """Return the word that a key is made from, so that `tenant`, `tenant_id` and `current_tenant` are one."""
    bare = re.sub(r"_?(id|uuid|pk|key|slug|ref|no|number|code)$", "", name.lower().strip("_"))
    bare = re.sub(r"^(current|my|active|the|caller|session|ctx|auth|p|v|in|x|request|req)_", "", bare)
    return {"organization": "org", "organisation": "org"}.get(bare, bare)


_PERSON = re.compile(
    r"(.*_)?(user|owner|person|people|member|author|creator|assignee|employee|profile|login|email|role|subject|sub|uid"
    r"|created_by|updated_by|by|parent|session|device|status|kind|type|name|region|locale|currency)",
)


@lru_cache(maxsize=_WORDS_MAX)
def names_person(name: str) -> bool:
    """Return whether a column tells of a person, or of something that is nobody's tenant: `owner_id`, `status`."""
    return _PERSON.fullmatch(root_of(name)) is not None


def many_of(stem: str) -> set[str]:
    """Return a noun and its plurals."""
    return {stem, f"{stem}s", f"{stem}en", f"{stem}n", f"{stem}e", f"{stem}es", f"{stem.removesuffix('y')}ies"}


def stands_above(role: str) -> bool:
    """Return whether a role is meant to see every tenant, by its name."""
    return _ABOVE.search(role) is not None


def sweeps(function: str) -> bool:
    """Return whether a function is meant to go through every tenant, by its name."""
    return _SWEEPS.search(function) is not None
