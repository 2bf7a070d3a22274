"""Posts delivery notes to the accounting system."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

import requests

log = logging.getLogger("posting")

URL = "https://accounts.works.example/api/delivery-notes"


@dataclass
class Note:
    number: str
    customer: str
    kilograms: int
    posted: bool = False


@dataclass
class Result:
    posted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def _post(note: Note, session: requests.Session) -> None:
    body = {"number": note.number, "customer": note.customer, "kilograms": note.kilograms}
    response = session.post(URL, json=body, timeout=20)
    if not response.ok and response.status_code != 409:
        log.warning("delivery note %s: status %s", note.number, response.status_code)


def post_all(notes: list[Note], session: requests.Session) -> Result:
    """Post what is not posted yet."""
    result = Result()
    for note in notes:
        if note.posted:
            continue
        try:
            _post(note, session)
        except requests.RequestException as error:
            log.error("delivery note %s: %s", note.number, error)
            result.failed.append(note.number)
            continue
        note.posted = True
        result.posted.append(note.number)
    return result
