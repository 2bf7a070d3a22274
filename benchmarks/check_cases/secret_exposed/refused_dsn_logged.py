import logging
import os

import psycopg

logger = logging.getLogger(__name__)


def open_pool():
    dsn = os.environ["LEDGER_DSN"]
    try:
        return psycopg.connect(dsn)
    except psycopg.OperationalError:
        logger.exception("cannot connect to %s", dsn)
        raise
