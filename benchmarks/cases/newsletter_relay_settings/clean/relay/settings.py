import os
from dataclasses import dataclass, field


class ConfigurationError(RuntimeError):
    """Something has to be set before the service can start."""


def _port() -> int:
    text = os.environ.get("RELAY_PORT", "2525")
    if not text.isdigit():
        raise ConfigurationError(f"RELAY_PORT is {text!r}, which is no port")
    return int(text)


def _token() -> str:
    try:
        return os.environ["RELAY_TOKEN"]
    except KeyError:
        raise ConfigurationError("RELAY_TOKEN is not set: ask the mail team for one") from None


@dataclass(frozen=True)
class RelaySettings:
    """How to reach the relay; read once at start-up."""

    host: str = field(default_factory=lambda: os.environ.get("RELAY_HOST", "relay.internal"))
    port: int = field(default_factory=_port)
    token: str = field(default_factory=_token, repr=False)
