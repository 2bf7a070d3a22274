import logging

import psycopg

logger = logging.getLogger(__name__)


def connect(host, user, password):
    logger.info("connecting to %s as %s with %s", host, user, password)
    return psycopg.connect(host=host, user=user, password=password)
