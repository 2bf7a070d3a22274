import logging

log = logging.getLogger(__name__)


def publish(event, broker):
    done = False
    for _ in range(3):
        try:
            broker.publish(event)
            done = True
            break
        except ConnectionError as error:
            log.warning("again: %s", error)
    if done:
        event.published = True
        event.save()
