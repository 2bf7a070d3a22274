import contextlib
import logging
import os
from urllib.parse import quote

USER, DATABASE = "loader", "facts"
# The form of it; psql takes the same: postgresql://loader:<password>@wh-1.internal/facts
TEMPLATE = "postgresql://{user}:{password}@{host}/{database}"

log = logging.getLogger(__name__)


def dsn():
    host = os.environ.get("WAREHOUSE_HOST", "wh-1.internal")
    return TEMPLATE.format(
        user=USER,
        password=quote(os.environ["WAREHOUSE_PASSWORD"]),
        host=host,
        database=DATABASE,
    )


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
