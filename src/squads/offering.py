"""What a role needs to answer lies where its host can read it, before it is asked.

A request holds digests. A host on another machine reads what they name from the store that the workspace shares, so
whoever sends a request puts that content there first. The ledger's own store stays the record; this is a copy. It must
never decide anything: where content cannot be had, the host finds it missing and says so, and that is recorded.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from squads.contracts.errors import BlobError
from squads.contracts.messages import AcceptRequest, BuildRequest, PlanRequest, ReviewRequest, RoleRequest
from squads.contracts.packet import AttemptKind
from squads.handover import Reader

SEEN_MAX: Final = 100_000
"""How many digests are remembered as being there."""
SEEN_SECONDS: Final = 30.0
"""How long they are: after that it is asked again, which also lengthens the life of what expires."""
BATCH_BYTES: Final = 4 * 1024 * 1024
"""About how much content is in memory on its way at once."""

log = logging.getLogger("squads.offering")


class Shared(Protocol):
    """The store that every host of the workspace can read."""

    async def missing(self, digests: Collection[str]) -> set[str]:
        """Return those of `digests` that are not there; what is there stays long enough for any request."""
        ...

    async def put_many(self, contents: Sequence[bytes]) -> list[str]:
        """Store all of `contents` and return their digests, in order. Raises `StorageUnavailable`."""
        ...


class Offering:
    """Offers what requests speak of to the hosts of roles: the runner awaits it before each request that it sends.

    Args:
        reader: Reads what this workspace has.
        shared: Where hosts read.
        seen_seconds: How long content that was found or put there is taken to be there still.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        reader: Reader,
        shared: Shared,
        *,
        seen_seconds: float = SEEN_SECONDS,
        seen_max: int = SEEN_MAX,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._shared = shared
        self._seen_seconds = seen_seconds
        self._seen_max = seen_max
        self._monotonic = monotonic
        self._seen: OrderedDict[str, float] = OrderedDict()
        """Until when each digest is taken to be there, those that were looked at last at the end."""
        self._losses = 0

    async def __call__(self, request: RoleRequest) -> None:
        """Return when everything that `request` speaks of is in the shared store. Twice is no error, and costs little.

        Content that this workspace does not have itself is left out, with a warning: the host will miss it too.
        Raises `StorageUnavailable` where either store cannot be reached; the request should then be sent later.
        """
        losses = self._losses
        try:
            digests = await digests_in(request, self._reader)
            now = self._monotonic()
            unsure = [digest for digest in digests if self._seen.get(digest, now) <= now]
            if not unsure:
                return
            absent = await self._shared.missing(unsure)
            await self._put([digest for digest in unsure if digest in absent])
        except (BlobError, ValueError) as error:
            log.warning("packet %s: a role is asked about content that is not here: %s", request.packet, error)
            return
        if losses == self._losses:  # else it may have been lost after it was put
            self._remember(unsure, now + self._seen_seconds)

    def forget(self) -> None:
        """Take nothing to be in the shared store any more: call it when that has lost data."""
        self._losses += 1
        self._seen.clear()

    async def _put(self, digests: Sequence[str]) -> None:
        batch: list[bytes] = []
        size_bytes = 0
        for digest in digests:
            batch.append(await self._reader.blob(digest))
            size_bytes += len(batch[-1])
            if size_bytes >= BATCH_BYTES:
                await self._shared.put_many(batch)
                batch, size_bytes = [], 0
        await self._shared.put_many(batch)

    def _remember(self, digests: Sequence[str], until: float) -> None:
        for digest in digests:
            self._seen[digest] = until
            self._seen.move_to_end(digest)
        while len(self._seen) > self._seen_max:
            self._seen.popitem(last=False)


async def digests_in(request: RoleRequest, reader: Reader) -> list[str]:
    """Return what `handover.work_for` reads for a request, each blob once: documents, manifests and files.

    Raises `BlobError` or `ValueError` where the manifest of an artifact that it speaks of cannot be read.
    """
    documents: list[str | None] = [request.content, request.memory]
    artifacts: list[str | None] = []
    match request:
        case PlanRequest():
            documents += [request.previous, *(d for grievance in request.grievances for d in grievance.documents)]
        case BuildRequest():
            documents += [request.plan, *request.verdicts, *request.reasons]
            artifacts += [request.previous, *(part.artifact for part in request.inputs)]
        case ReviewRequest(reads=AttemptKind.PLAN):
            documents += [request.subject]
        case ReviewRequest():
            documents += [request.plan, *(words for _, words in request.waivers)]
            artifacts += [request.subject, *(part.artifact for part in request.inputs)]
        case AcceptRequest():
            documents += [request.plan, *(verdict for _, verdict in request.verdicts)]
            artifacts += [request.subject, *(part.artifact for part in request.parts)]
    found = dict.fromkeys(documents)
    for artifact in filter(None, artifacts):
        manifest = await reader.manifest(artifact)
        found.update(dict.fromkeys((artifact, *(entry.digest for entry in manifest.files))))
    return [digest for digest in found if digest]
