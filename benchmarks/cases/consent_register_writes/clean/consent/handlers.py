from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timezone
from http import HTTPStatus
from typing import NamedTuple

log = logging.getLogger("consent")


class Response(NamedTuple):
    status: HTTPStatus
    body: dict


def _entry(request):
    return {
        "person": request["person"],
        "purpose": request["purpose"],
        "given": False,
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def withdraw(request, register, cache) -> Response:
    """Record that a person no longer agrees to a purpose."""
    if not request.get("person") or not request.get("purpose"):
        return Response(HTTPStatus.BAD_REQUEST, {"error": "person and purpose are needed"})
    entry = _entry(request)
    register.append(entry)
    with contextlib.suppress(KeyError):
        cache.drop(entry["person"], entry["purpose"])
    return Response(HTTPStatus.OK, {"withdrawn": entry["purpose"], "at": entry["at"]})
