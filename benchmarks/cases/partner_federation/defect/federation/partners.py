from dataclasses import dataclass


@dataclass(frozen=True)
class Partner:
    issuer: str
    name: str
    certificate: str


class Registry:
    def __init__(self, partners):
        self._by_issuer = {partner.issuer: partner for partner in partners}

    def by_issuer(self, issuer):
        try:
            return self._by_issuer[issuer]
        except KeyError:
            raise LookupError(f"no partner is registered for {issuer!r}") from None
