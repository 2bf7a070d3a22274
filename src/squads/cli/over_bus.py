"""What `--bus`, `--signing` and `--elsewhere` come to for a squad that is run, resumed or served here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from squads.buses import BusSettings, Signing
from squads.contracts.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class OverBus:
    """The flags as they were given."""

    url: str | None = None
    signing: str = "shared"
    elsewhere: bool = False

    def options(self, *, recorded: bool = False) -> dict[str, Any]:
        """Return what a squad is told, checked; nothing without a bus. Raises `InvalidInput`.

        `recorded`: replies of models are to be recorded or replayed.
        """
        if not self.url:
            if self.elsewhere or self.signing != "shared":
                flag = "--elsewhere" if self.elsewhere else "--signing"
                raise InvalidInput(f"{flag} is for a bus: say where it is with --bus redis://HOST:PORT, or SQUADS_BUS")
            return {}
        if recorded:
            # A worker may answer first: what it asks would be missing from a recording, and paid for in a replay.
            raise InvalidInput(
                "replies are recorded and replayed in this process alone; leave out --bus (and SQUADS_BUS), or "
                "--record and --replay"
            )
        return {"bus": BusSettings(url=self.url, signing=cast("Signing", self.signing)), "hosts": not self.elsewhere}
