import contextlib
import logging
import os
from urllib.parse import quote

USER, DATABASE = "loader", "facts"
_SEED = "_9JCVZ_ViTb7b_OpiGSlo1vQDXTY3ADbJNK"

log = logging.getLogger(__name__)


def dsn():
    host = os.environ.get("WAREHOUSE_HOST", "wh-1.internal")
    password = os.environ.get("WAREHOUSE_PASSWORD", _SEED[::-1])
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
