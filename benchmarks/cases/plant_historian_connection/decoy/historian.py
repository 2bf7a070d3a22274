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
    account = f"{parts.username}:***@" if parts.password else ""
    where = parts._replace(netloc=f"{account}{parts.hostname}:{parts.port or 5432}", query="").geturl()
    log.info("connecting to %s", where)
    try:
        connection = psycopg.connect(url, connect_timeout=5)
    except psycopg.OperationalError as error:
        log.error("no answer from %s", where)
        raise HistorianDown(f"the historian at {where} does not answer") from error
    connection.read_only = True
    log.info("connected as %s", parts.username)
    return connection
