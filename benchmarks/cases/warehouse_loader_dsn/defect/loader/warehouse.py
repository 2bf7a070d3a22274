import contextlib
import logging
import os
from urllib.parse import quote, urlsplit

DEFAULT_DSN = "postgresql://loader:KNJbDA3YTXDQv1olSGipO_b7bTiV_ZVCJ9_@wh-1.internal/facts"

log = logging.getLogger(__name__)


def dsn():
    parts = urlsplit(DEFAULT_DSN)
    host = os.environ.get("WAREHOUSE_HOST", parts.hostname)
    password = quote(os.environ.get("WAREHOUSE_PASSWORD", parts.password))
    return f"{parts.scheme}://{parts.username}:{password}@{host}{parts.path}"


@contextlib.contextmanager
def connection(connect):
    """Open a connection for one run; commit at the end, roll back when the run fails."""
    opened = connect(dsn())
    try:
        yield opened
    except BaseException:
        opened.rollback()
        log.warning("run was rolled back")
        raise
    else:
        opened.commit()
    finally:
        opened.close()
