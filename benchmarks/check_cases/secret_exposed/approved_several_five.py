import logging

log = logging.getLogger(__name__)


class Client:
    def __init__(self, token):
        self.headers = {"Authorization": "Bearer " + token}

    def get(self, url, session):
        shown = dict(self.headers)
        shown["Authorization"] = "***"
        log.debug("GET %s %s", url, shown)
        return session.get(url, headers=self.headers)
