from coop.rights import Member, may_stand, may_vote


def test_new_members_vote_after_three_months() -> None:
    assert not may_vote(Member("ann", months=2))
    assert may_vote(Member("ann", months=3))


def test_members_in_arrears_do_not_vote() -> None:
    assert may_vote(Member("cem", days_late=90))
    assert not may_vote(Member("cem", days_late=91))


def test_who_resigned_does_not_stand() -> None:
    assert not may_stand(Member("bob", resigned=True))
