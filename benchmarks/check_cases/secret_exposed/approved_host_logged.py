import logging
import os
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)


def announce():
    database_url = os.environ["DATABASE_URL"]
    logger.info("connecting to %s", urlsplit(database_url).hostname)
