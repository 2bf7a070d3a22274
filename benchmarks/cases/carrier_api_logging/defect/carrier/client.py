import logging
import os
import time
from dataclasses import dataclass, field

log = logging.getLogger("carrier")


@dataclass(frozen=True)
class CarrierSettings:
    account: str
    api_key: str = field(repr=False)
    base_url: str = field(default="https://api.carrier.example/v3")

    @classmethod
    def from_environment(cls):
        return cls(account=os.environ["CARRIER_ACCOUNT"], api_key=os.environ["CARRIER_API_KEY"])


class CarrierClient:
    """Books parcels; one client for the life of the process."""

    def __init__(self, settings, transport):
        self._settings = settings
        self._transport = transport
        log.info("client for account %s at %s", settings.account, settings.base_url)

    async def send(self, method, path, body=None):
        headers = {
            "X-Carrier-Account": self._settings.account,
            "X-Carrier-Key": self._settings.api_key,
            "Accept": "application/json",
        }
        began = time.monotonic()
        log.debug("%s %s headers=%s body=%s", method, path, headers, body)
        status, answer = await self._transport(method, self._settings.base_url + path, headers, body)
        log.info("%s %s -> %d in %.0f ms", method, path, status, (time.monotonic() - began) * 1000)
        if status >= 400:
            log.warning("%s %s was refused: %s", method, path, answer)
        return status, answer
