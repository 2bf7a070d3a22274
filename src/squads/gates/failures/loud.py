"""How loud a handler is: what it logs, and whose failure it takes."""

from __future__ import annotations

import ast
import re

from squads.gates.failures.after import called, calls, is_log
from squads.gates.python import Function

_REMOTE = re.compile(
    r"Request|HTTP|Connection|Timeout|Unavailable|Transport|Client(?:Response)?Error|Api|API|Operational|Stripe"
)
_SOFT = re.compile(
    r"(?i)count|unread|size|length|progress|delay|ttl|age\b|uptime|badge|estimate|cached?|default|pending|depth|lag"
)


def warns(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler tells a log that something went wrong."""
    return any(is_log(c) and called(c) in ("warning", "error", "exception", "critical") for c in calls(handler.body))


def serious(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler says of itself that something went wrong: a loud log, an error of the network."""
    loud = warns(handler)
    types = ast.unparse(handler.type) if handler.type is not None else ""
    return loud or bool(re.search(r"Connection|Timeout|OSError|IOError|Request|HTTP|Unavailable|Transport", types))


def loud(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler tells a log of an error."""
    return any(is_log(c) and called(c) in ("error", "exception", "critical") for c in calls(handler.body))


def away(handler: ast.ExceptHandler, function: Function | None) -> bool:
    """Return whether a handler takes what says that somebody else was away or refused."""
    types = ast.unparse(handler.type) if handler.type is not None else ""
    name = function.name if function is not None else ""
    return bool(_REMOTE.search(types)) and not _SOFT.search(name)
