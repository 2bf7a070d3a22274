"""What a worker logs: lines for people, or one JSON object per line for whatever collects them.

Logs hold names, ids, counts and sentences of ours. A traceback would hold what a role's code or a vendor's client was
given, so of an exception only its type is written, and of other libraries only what they warn about, cut short.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from squads.contracts.errors import InvalidInput
from squads.pages.text import visible
from squads.worker import AT_WORK

FORMS: Final = ("text", "json")
MESSAGE_CHARS_MAX: Final = 2_000
FOREIGN_CHARS_MAX: Final = 300


def check_form(form: str) -> None:
    """Raise `InvalidInput` for a form of logs that there is not."""
    if form not in FORMS:
        raise InvalidInput(f"{form!r:.40} is no form of a log; write --log {' or --log '.join(FORMS)}")


def log_to(form: str, stream: TextIO | None = None) -> None:
    """Write this process's logs in one of `FORMS`, to standard error by default, and nowhere else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("squads").setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """One JSON object per record: time, level, logger, message, and packet and role where they are known."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        packet, role = AT_WORK.get(("", ""))
        said = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "packet": packet,
            "role": role,
            "error": _error(record),
        }
        return json.dumps({key: value for key, value in said.items() if value}, ensure_ascii=True)


class TextLines(logging.Formatter):
    """One visible line per record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        packet, role = AT_WORK.get(("", ""))
        about = f" [{role} {packet[:8]}]" if role else ""
        error = f" ({_error(record)})" if record.exc_info else ""
        message = visible(_message(record)).replace("\n", "\\n")
        return f"{_moment(record)} {record.levelname.lower()} {record.name}{about}: {message}{error}"


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # somebody else's arguments need not fit
        message = str(record.msg)
    ours = record.name == "squads" or record.name.startswith("squads.")
    return message[: MESSAGE_CHARS_MAX if ours else FOREIGN_CHARS_MAX]


def _error(record: logging.LogRecord) -> str:
    return record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
