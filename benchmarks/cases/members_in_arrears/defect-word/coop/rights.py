from dataclasses import dataclass

ARREARS_DAYS = 90


@dataclass(frozen=True)
class Member:
    name: str
    shares: int = 1
    days_late: int = 0
    resigned: bool = False
    months: int = 12


def in_good_standing(member: Member) -> bool:
    return member.shares > 0 and not member.resigned


def may_vote(member: Member) -> bool:
    return in_good_standing(member) and member.months >= 3 and member.days_late <= ARREARS_DAYS


def may_stand(member: Member) -> bool:
    return in_good_standing(member) and member.months >= 12


def may_table_motion(member: Member) -> bool:
    return in_good_standing(member)
