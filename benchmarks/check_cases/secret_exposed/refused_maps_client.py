import httpx


class Geocoder:
    def __init__(self, key: str = "kQ3v9ZtY1nB7rWc5LxE2uJ8m"):
        self._client = httpx.Client(params={"key": key})

    def find(self, text):
        return self._client.get("/search", params={"q": text}).json()
