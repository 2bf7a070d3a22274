from dataclasses import dataclass, field


@dataclass
class Provider:
    issuer: str
    client_id: str
    jwks: dict = field(default_factory=lambda: {"keys": []})

    def key_with(self, kid):
        for key in self.jwks["keys"]:
            if key.get("kid") == kid:
                return key
        return None
