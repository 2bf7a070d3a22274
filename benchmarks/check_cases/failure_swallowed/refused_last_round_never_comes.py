import logging

log = logging.getLogger(__name__)
ROUNDS = 4


def write_points(store, points):
    for number in range(ROUNDS):
        try:
            store.write(points)
            break
        except TimeoutError as error:
            if number == ROUNDS:
                raise
            log.warning("again: %s", error)
    return {"written": len(points)}
