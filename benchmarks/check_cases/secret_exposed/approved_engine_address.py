import logging, os
from sqlalchemy import create_engine
log = logging.getLogger(__name__)
engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)

def warm_up():
    log.info("database: %s", engine.url)
    with engine.connect() as c:
        c.exec_driver_sql("select 1")
