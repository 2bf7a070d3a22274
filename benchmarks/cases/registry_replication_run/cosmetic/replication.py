import asyncio
import logging
from dataclasses import dataclass, field

log = logging.getLogger("registry.replication")


@dataclass
class Summary:
    copied: int
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return "partial" if self.failed else "complete"


class Replication:
    def __init__(self, source, target, width: int = 16):
        self._source = source
        self._target = target
        self._gate = asyncio.Semaphore(width)

    async def run(self, parcels: list[str]) -> Summary:
        sizes = await asyncio.gather(*map(self._copy, parcels), return_exceptions=True)
        for parcel, size in zip(parcels, sizes):
            if isinstance(size, Exception):
                log.error("parcel %s: %s", parcel, size)
        summary = Summary(copied=len(sizes))
        log.info("replication %s, %d copied", summary.state, summary.copied)
        return summary

    async def _copy(self, parcel: str) -> int:
        async with self._gate:
            record = await self._source.read(parcel)
            await self._target.write(parcel, record)
            return len(record)
