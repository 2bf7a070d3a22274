from relay.settings import RelaySettings


class RelayClient:
    def __init__(self, settings: RelaySettings | None = None):
        self.settings = settings or RelaySettings()

    @property
    def base_url(self) -> str:
        return f"https://{self.settings.host}:{self.settings.port}/v2"

    def headers(self) -> dict[str, str]:
        return {"X-Relay-Token": self.settings.token, "User-Agent": "newsletter/3"}
