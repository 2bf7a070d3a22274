from models import Claim, Reason


def open_claim(session, reason: Reason) -> Claim:
    claim = Claim(reason=reason.value)
    session.add(claim)
    return claim
