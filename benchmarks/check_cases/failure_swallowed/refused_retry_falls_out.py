import time


def publish(client, event):
    for attempt in range(3):
        try:
            client.publish("orders", event)
            break
        except ConnectionError:
            time.sleep(2**attempt)
    event.published = True
