from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode


class GrantRefused(ValueError):
    """The car stays locked."""


class Grant(NamedTuple):
    booking: str
    member: str
    car: str
    until: int


class Grants:
    def __init__(self, key: bytes) -> None:
        if len(key) < 32:
            raise ValueError("a key has at least 32 bytes")
        self._key = key

    def _seal(self, grant: Grant) -> str:
        text = urlencode(grant._asdict())
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def issue(self, booking: str, member: str, car: str, until: int) -> str:
        grant = Grant(booking, member, car, until)
        return urlencode({**grant._asdict(), "seal": self._seal(grant)})

    def read(self, grant: str, now: float) -> Grant:
        try:
            fields = dict(parse_qsl(grant, strict_parsing=True))
            seal = fields.pop("seal")
            read = Grant(fields["booking"], fields["member"], fields["car"], int(fields["until"]))
        except (KeyError, ValueError) as error:
            raise GrantRefused("not a grant") from error
        if not hmac.compare_digest(self._seal(read).encode(), seal.encode()):
            raise GrantRefused("not one of our grants")
        if read.until < now:
            raise GrantRefused("the booking is over")
        return read
