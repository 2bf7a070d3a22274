from collections.abc import Iterable, Mapping
from fractions import Fraction

from coop.rights import Member, in_good_standing, may_vote

QUORUM = Fraction(1, 5)


def has_quorum(members: Iterable[Member], present: Iterable[Member]) -> bool:
    everyone = sum(in_good_standing(member) for member in members)
    here = sum(may_vote(member) for member in present)
    return here >= QUORUM * everyone


def carried(votes: Mapping[Member, bool]) -> bool:
    """A motion is carried by more than half of the valid votes; each member has one."""
    valid = [vote for member, vote in votes.items() if may_vote(member)]
    return sum(valid) * 2 > len(valid)
