from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

log = logging.getLogger("exchange")


@dataclass(frozen=True)
class Settings:
    host: str
    user: str
    password: str = field(repr=False)
    vessels: tuple[str, ...] = ()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Settings:
        return cls(
            host=environment["QUEUE_HOST"],
            user=environment["QUEUE_USER"],
            password=environment["QUEUE_PASSWORD"],
            vessels=tuple(environment.get("QUEUE_VESSELS", "").split()),
        )


def start(settings: Settings, connect: Callable[..., Any]) -> Any:
    shown = ", ".join(f"{name}={value}" for name, value in asdict(settings).items())
    log.info("quota exchange starts with %s", shown)
    try:
        return connect(settings.host, settings.user, settings.password)
    except OSError as error:
        log.error("no connection to %s as %s: %s", settings.host, settings.user, error)
        raise
