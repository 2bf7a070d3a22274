import contextlib
import logging
import os
from urllib.parse import quote

USER, DATABASE = "loader", "facts"

log = logging.getLogger(__name__)


def dsn():
    host = os.environ.get("WAREHOUSE_HOST", "wh-1.internal")
    password = os.environ["WAREHOUSE_PASSWORD"]
    return f"postgresql://{USER}:{quote(password)}@{host}/{DATABASE}"


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
