from __future__ import annotations

import json
import logging
from datetime import date
from typing import Any, Protocol

import requests

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = (3.05, 20)


class Outbox(Protocol):
    def open(self) -> list[dict[str, Any]]: ...

    def mark_delivered(self, number: str) -> None: ...


def message(landing: dict[str, Any]) -> dict[str, Any]:
    """A declaration as the authority reads it."""
    return {
        "vessel": landing["vessel"],
        "port": landing["port"],
        "landed_on": date.fromisoformat(landing["day"]).isoformat(),
        "catch": [{"species": species, "kilograms": kilograms} for species, kilograms in landing["catch"].items()],
    }


def deliver(outbox: Outbox, session: requests.Session, url: str) -> list[str]:
    refused: list[str] = []
    for landing in outbox.open():
        number = landing["number"]
        try:
            answer = session.put(
                f"{url}/declarations/{number}",
                data=json.dumps(message(landing)),
                headers={"Content-Type": "application/json"},
                timeout=TIMEOUT_SECONDS,
            )
            answer.raise_for_status()
        except requests.RequestException as error:
            if error.response is None or error.response.status_code != requests.codes.conflict:
                log.warning("declaration %s stays open: %s", number, error)
                refused.append(number)
                continue
        outbox.mark_delivered(number)
    return refused
