import json

from hooks.retry import retried


class Rejected(Exception):
    """The partner's server has refused the event."""


class Deliveries:
    def __init__(self, post, outbox):
        self._post = post
        self._outbox = outbox

    def deliver(self, event):
        self._send(event["url"], json.dumps(event["data"]))
        self._outbox.mark_delivered(event["id"])

    @retried(attempts=3, first_wait=0)
    def _send(self, url, body):
        status = self._post(url, body)
        if status >= 500:
            raise ConnectionError(f"{url} answered {status}")
        if status >= 400:
            raise Rejected(f"{url} answered {status}")
