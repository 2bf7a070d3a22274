"""The messages of `bus.py`: a request for a verdict, and a signed answer, as a governed run sends them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256

from squads.contracts.messages import Envelope, ReviewRequest, Signed, address_of
from squads.contracts.records import Part

ROLE = "reader"
PRIOR = sha256(b"the gate that the benchmark asks").hexdigest()
ADDRESS = address_of(ROLE, PRIOR)
PACKET, DIGEST = "1" * 32, "2" * 64
KEY, SIGNATURE = sha256(b"key").digest(), 2 * sha256(b"signature").digest()
PART_BYTES = 87
"""What one more part adds to a request's JSON."""


def requests(workspace: str, count: int, size_bytes: int = 0) -> list[Envelope]:
    """Return requests with ids of their own, each of at least `size_bytes` of JSON, as small as they are by default."""
    parts = max(0, size_bytes - len(_request(workspace, 0).model_dump_json()) + PART_BYTES - 1) // PART_BYTES
    first = _request(workspace, parts)
    return [first.model_copy(update={"id": os.urandom(32).hex()}) for _ in range(count)]


def answer_to(request: Envelope) -> Envelope:
    """Return a gate's answer: a statement's bytes, a key's id and a signature."""
    return request.reply(Signed(payload=b"{" + b"x" * 190 + b"}", key=KEY, signature=SIGNATURE))


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def _request(workspace: str, parts: int) -> Envelope:
    inputs = tuple(Part(task=1, artifact=sha256(bytes([n % 256])).hexdigest()) for n in range(parts))
    body = ReviewRequest(
        packet=PACKET,
        workspace=workspace,
        content=DIGEST,
        due_ms=1_800_000_000_000,
        ticket=DIGEST,
        reads="artifact",
        task=1,
        attempt=1,
        subject=DIGEST,
        inputs=inputs,
        independence="prior",
    )
    return Envelope.to_role(ROLE, DIGEST, body, prior=PRIOR)
