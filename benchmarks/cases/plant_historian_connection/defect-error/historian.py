"""Connection to the process database of the works."""

from __future__ import annotations

import logging
import os
from urllib.parse import urlsplit

import psycopg

log = logging.getLogger("historian")


class HistorianDown(Exception):
    """The process database does not answer."""


def historian() -> psycopg.Connection:
    """Return a connection for reading."""
    url = os.environ["HISTORIAN_URL"]
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or 5432}{parts.path}"
    log.info("connecting to %s", where)
    try:
        connection = psycopg.connect(url, connect_timeout=5)
    except psycopg.OperationalError as error:
        log.error("no answer from %s", where)
        raise HistorianDown(f"the historian at {url} does not answer") from error
    connection.read_only = True
    log.info("connected as %s", parts.username)
    return connection
