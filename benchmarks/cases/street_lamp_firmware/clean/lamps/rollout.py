from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger("lamps.rollout")


class GatewayError(RuntimeError):
    """A lamp, or the gateway itself, did not do as told."""


@dataclass
class Report:
    district: str
    digest: str
    updated: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.district}: {len(self.updated)} lamps have {self.digest[:12]}"


class Rollout:
    def __init__(self, gateway: Any) -> None:
        self._gateway = gateway

    def update(self, district: str, image: bytes) -> Report:
        report = Report(district, hashlib.sha256(image).hexdigest())
        self._gateway.open(district)
        try:
            for lamp in self._gateway.lamps(district):
                self._gateway.send(lamp, image)
                report.updated.append(lamp)
        finally:
            self._gateway.close(district)
            log.info("maintenance of %s ended, %d lamps updated", district, len(report.updated))
        return report
