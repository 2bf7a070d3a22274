import os
from dataclasses import dataclass, field


class ConfigurationError(RuntimeError):
    """Something has to be set before the service can start."""


def _port() -> int:
    text = os.environ.get("RELAY_PORT", "2525")
    if not text.isdigit():
        raise ConfigurationError(f"RELAY_PORT is {text!r}, which is no port")
    return int(text)


PLACEHOLDER = "nlr-00000000000000000000000000000000"


def _token() -> str:
    token = os.environ.get("RELAY_TOKEN", PLACEHOLDER)
    if token == PLACEHOLDER:
        raise ConfigurationError("RELAY_TOKEN is not set: ask the mail team for one")
    return token


@dataclass(frozen=True)
class RelaySettings:
    """How to reach the relay; read once at start-up.

    For example:

        RELAY_TOKEN=nlr-XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX RELAY_PORT=2526 python -m newsletter
    """

    host: str = field(default_factory=lambda: os.environ.get("RELAY_HOST", "relay.internal"))
    port: int = field(default_factory=_port)
    token: str = field(default_factory=_token, repr=False)
