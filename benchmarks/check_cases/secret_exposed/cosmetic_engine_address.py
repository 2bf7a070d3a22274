import logging, os
from sqlalchemy import create_engine
log = logging.getLogger(__name__)
engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)

def warm_up():
    shown = engine.url.set(username="***")
    log.info("database: %s", shown.render_as_string(hide_password=False))
    with engine.connect() as c:
        c.exec_driver_sql("select 1")
