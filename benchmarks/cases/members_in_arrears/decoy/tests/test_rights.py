from coop.meeting import has_quorum
from coop.rights import Member, may_stand, may_table_motion, may_vote


def test_new_members_vote_after_three_months() -> None:
    assert not may_vote(Member("ann", months=2))
    assert may_vote(Member("ann", months=3))


def test_members_in_arrears_do_not_vote() -> None:
    assert may_vote(Member("cem", days_late=90))
    assert not may_vote(Member("cem", days_late=91))


def test_members_in_arrears_keep_their_other_rights() -> None:
    late = Member("cem", days_late=400)

    assert may_stand(late)
    assert may_table_motion(late)
    assert has_quorum([late], [late])


def test_who_resigned_does_not_stand() -> None:
    assert not may_stand(Member("bob", resigned=True))
