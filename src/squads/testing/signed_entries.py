"""Receipts that any ledger takes, signed with keys that everybody knows: for tests and measurements only."""

from __future__ import annotations

from typing import Any

from squads.adapters.keys import InProcessSigner
from squads.kernel.ports import WORKSPACE, Entry, Signer
from squads.ledger.statement import PAYLOAD_TYPE, pae, statement_bytes
from squads.ledger.trust import Trust

ORIGIN = "example.com/squads/conformance/0"
ROOT_KEY = InProcessSigner(b"\1" * 32)
LOG_KEY = InProcessSigner(b"\2" * 32)
RUNNER_KEY = InProcessSigner(b"\3" * 32)
"""Keys that everybody knows: for tests only."""
TRUST = Trust.of(ORIGIN, ROOT_KEY.public_key, LOG_KEY.public_key)
SUBJECT = ("subject", "0" * 64)


def signed_entry(stream: str, kind: str, predicate: dict[str, Any], *signers: Signer) -> Entry:
    """Return an entry whose statement is signed by all `signers`."""
    payload = statement_bytes(kind, [SUBJECT], predicate)
    message = pae(PAYLOAD_TYPE, payload)
    signatures = sorted((signer.key_id, signer.sign(message)) for signer in signers)
    return Entry(stream=stream, payload_type=PAYLOAD_TYPE, payload=payload, signatures=tuple(signatures))


def opening_entries(origin: str = ORIGIN) -> list[Entry]:
    """Return the two entries that open a verifiable log: log-open, and the runner's registration."""
    opening = {
        "format": 1,
        "origin": origin,
        "workspace": "conformance",
        "root_public_keys": [ROOT_KEY.public_key.hex()],
        "log_public_key": LOG_KEY.public_key.hex(),
    }
    return [
        signed_entry(WORKSPACE, "log-open", opening, ROOT_KEY),
        signed_entry(WORKSPACE, "key-event", registration(RUNNER_KEY, "runner"), ROOT_KEY),
    ]


def registration(signer: Signer, *roles: str, not_before_index: int = 0) -> dict[str, Any]:
    """Return the predicate that registers a signer's key with `roles`."""
    return {
        "event": "register",
        "key": signer.key_id.hex(),
        "public_key": signer.public_key.hex(),
        "alg": "ed25519",
        "subject": "conformance",
        "roles": list(roles),
        "custody": "in-process",
        "not_before_index": not_before_index,
    }


def ticket(stream: str, number: int = 0) -> Entry:
    """Return a small receipt that the runner signed."""
    return signed_entry(stream, "ticket", {"number": number}, RUNNER_KEY)


async def raises(expected: type[Exception], awaitable: Any) -> None:
    """Await, and demand exactly this kind of error; here so that the suites need nothing of pytest."""
    try:
        await awaitable
    except expected:
        return
    raise AssertionError(f"{expected.__name__} was not raised")
