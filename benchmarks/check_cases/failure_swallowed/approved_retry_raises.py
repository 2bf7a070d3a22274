import time


def publish(client, event):
    for attempt in range(3):
        try:
            client.publish(event)
            break
        except ConnectionError:
            if attempt == 2:
                raise
            time.sleep(2**attempt)
    event.published = True


def fetch(client, path):
    last = None
    for _ in range(3):
        try:
            return client.get(path)
        except TimeoutError as error:
            last = error
    raise RuntimeError("gave up") from last
