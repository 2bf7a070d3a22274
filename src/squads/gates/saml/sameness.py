"""What two values being the same says: the message's certificate is the configured one, or its digest fits."""

from __future__ import annotations

import re

from squads.gates.saml.calls import Call, Forks, Walker, known_issuer, pinned
from squads.gates.saml.values import Const, Data, State, Value, Verdict, parts

_COMPARES = frozenset(("compare_digest", "constant_time_compare", "bytes_eq", "safe_str_cmp", "secure_compare"))
_DIGEST = re.compile(r"(^|[:}\\W])DigestValue$")
_ISSUER = re.compile(r"(^|[:}\\W])Issuer$")
WEAK = "#name"
"""The tag of what a certificate says of itself: a name, a number, a date. Everybody can write those into another."""


def same(left: Value, right: Value, state: State) -> Verdict | None:
    """Return what is known once two values were found to be the same; None where that is nothing of interest."""
    sides = [(left, right), (right, left)]
    for one, other in sides:
        if isinstance(one, Data) and _DIGEST.search(one.tag) and isinstance(other, Data):
            return Verdict(one.origins | other.origins, "digest")
    for one, other in sides:
        named = isinstance(one, Data) and _ISSUER.search(one.tag) and not isinstance(other, Const) and not one.key
        if isinstance(one, Data) and named and all(d.origins.isdisjoint(one.origins) for d in parts(other, state)):
            return Verdict(frozenset(map(known_issuer, one.origins)))
    for one, other in sides:
        if not isinstance(one, Data) or not one.key or one.tag == WEAK:
            continue
        held = parts(other, state)
        if not any(d.key or not d.origins.isdisjoint(one.origins) for d in held):
            return Verdict(frozenset(map(pinned, one.origins)))
    return None


def comparing(walker: Walker, call: Call, state: State) -> Forks | None:
    """`hmac.compare_digest` and its like."""
    if call.attribute not in _COMPARES or len(call.args) != 2:
        return None
    told = same(call.args[0], call.args[1], state)
    return [(state, told)] if told is not None else None
