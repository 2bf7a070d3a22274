import pytest

from access.policy import allowed
from access.roles import May


@pytest.mark.parametrize(
    ("role", "act", "right"),
    [
        ("viewer", May.READ, True),
        ("viewer", May.WRITE, False),
        ("editor", May.WRITE, True),
        ("owner", May.INVITE, True),
        ("robot", May.READ, False),
        ("nobody", May.WRITE, False),
    ],
)
def test_rights(role, act, right):
    assert allowed(role, act) is right
