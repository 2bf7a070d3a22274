from dataclasses import dataclass


@dataclass(frozen=True)
class SsoSettings:
    certificate: str
    issuer: str = "https://idp.example/metadata"
    allowed_groups: frozenset = frozenset({"staff", "doctors"})
