import logging

import requests

log = logging.getLogger("shipping")


class Carrier:
    def __init__(self, token):
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def label(self, parcel):
        log.info("POST /labels headers=%s", sorted(self._headers))
        return requests.post("https://carrier.example/labels", headers=self._headers, json=parcel)
