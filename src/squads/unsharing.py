"""Removing from a bus's server what was shared there: content for workers elsewhere, and replies that were paid for.

All of it expires by itself; this only does not wait. It must never be asked for what another packet still needs.
"""

from __future__ import annotations

from squads.erasing import Shared, Unsharing
from squads.workspace import Workspace


def unsharing(url: str, workspace: Workspace) -> Unsharing:
    """Return what removes things from the server at `url`. It raises `StorageUnavailable` where that cannot be reached.

    Args:
        url: The bus's address, such as `redis://localhost`.
        workspace: Whose content it is.
    """

    async def unshare(shared: Shared) -> int:
        from squads.adapters.redis_bus.address import BusAddress
        from squads.adapters.redis_bus.blobs import RedisBlobs
        from squads.adapters.redis_bus.journal import RedisJournal
        from squads.adapters.redis_bus.link import Link

        link = Link.open(BusAddress.parse(url))
        try:
            blobs = RedisBlobs(link, workspace.id)
            gone = 0
            for digest in sorted(shared.digests):
                gone += await blobs.erase(digest)
            for role, about in sorted(shared.requests):
                gone += await RedisJournal(link, workspace.id, role).erase(about)
            return gone
        finally:
            await link.close()

    return unshare
