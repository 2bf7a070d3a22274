import httpx


class Geocoder:
    def __init__(self, key: str = "geocoder-results"):
        self._key = key

    def find(self, cache, text):
        return cache.get((self._key, text))
