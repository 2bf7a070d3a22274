import logging
import os

log = logging.getLogger("worker")


def start(pool):
    password = os.environ["QUEUE_PASSWORD"]
    url = f"amqp://worker:{password}@queue/"
    log.debug(f"opening {url}")
    return pool.open(url)
