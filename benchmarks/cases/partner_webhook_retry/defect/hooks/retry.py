import functools
import logging
import time

log = logging.getLogger("hooks.retry")


def retried(attempts=4, first_wait=0.2, on=(ConnectionError, TimeoutError), sleep=None):
    """Call the function again when the network fails, with waits that double."""

    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            wait = first_wait
            for attempt in range(1, attempts + 1):
                try:
                    return function(*args, **kwargs)
                except on as error:
                    log.warning("%s: attempt %d of %d: %s", function.__name__, attempt, attempts, error)
                (sleep or time.sleep)(wait)
                wait *= 2

        return wrapper

    return decorate
