import asyncio

import pytest
from club.signup import SignupRefused, SignupService


class Members:
    def __init__(self):
        self.all = {}

    async def find(self, email):
        return self.all.get(email)

    async def add(self, member):
        self.all[member.email] = member


class Mailer:
    async def send(self, *, to, subject, text):
        assert to and subject and text


def join(*forms):
    async def scenario():
        service = SignupService(Members(), Mailer())
        return [await service.join(form) for form in forms][-1]

    return asyncio.run(scenario())


def test_a_member_has_a_clean_address_and_a_name():
    member = join({"email": " Ada@Club.example "})

    assert ("ada@club.example", "ada", False) == (member.email, member.name, member.confirmed)


@pytest.mark.parametrize("forms", [[{}], [{"email": "x"}], [{"email": "a@b"}, {"email": "A@b"}]])
def test_other_forms_are_refused(forms):
    with pytest.raises(SignupRefused):
        join(*forms)
