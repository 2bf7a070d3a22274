import secrets
from dataclasses import dataclass, field


class SignupRefused(ValueError):
    """The form cannot be accepted; the text is shown beside it."""


@dataclass
class Member:
    email: str
    name: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    confirmed: bool = False


class SignupService:
    def __init__(self, members, mailer, base_url="https://club.example"):
        self._members = members
        self._mailer = mailer
        self._base_url = base_url

    async def join(self, form):
        email = form.get("email", "").strip().lower()
        if "@" not in email:
            raise SignupRefused("Please give an e-mail address.")
        if await self._members.find(email):
            raise SignupRefused("This address is a member already.")
        member = Member(email=email, name=form.get("name", "").strip() or email.partition("@")[0])
        await self._members.add(member)
        self._welcome(member)
        return member

    async def _welcome(self, member):
        link = f"{self._base_url}/confirm/{member.token}"
        await self._mailer.send(
            to=member.email,
            subject=f"Welcome, {member.name}!",
            text=f"Please confirm your address: {link}",
        )
