import logging
import urllib.request

log = logging.getLogger(__name__)


class Uploader:
    def __init__(self, opener=urllib.request.urlopen):
        self._open = opener
        self.last_upload = None

    def upload(self, url, data, clock):
        try:
            self._open(urllib.request.Request(url, data=data, method="PUT"))
        except OSError as error:
            log.error("%s: %s", url, error)
            raise
        self.last_upload = clock()
