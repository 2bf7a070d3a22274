"""The receipts that speak of keys: entry 0 of a log, and the registration, rotation and revocation of keys.

Each is signed by the root, and its payload says everything: whoever holds only the root key and the payload can read
what they sign.
"""

from __future__ import annotations

from squads.kernel.ports import WORKSPACE, Entry, Signer
from squads.ledger.keys import LOG_FORMAT
from squads.ledger.statement import statement_bytes
from squads.ledger.trust import Trust
from squads.signing import signed_entry


def founding(trust: Trust, workspace: str, root: Signer) -> Entry:
    """Return entry 0 of a workspace's log."""
    predicate = {
        "format": LOG_FORMAT,
        "origin": trust.origin,
        "workspace": workspace,
        "root_public_keys": [root.public_key.hex()],
        "log_public_key": trust.log_key.public_key.hex(),
    }
    subject = ("root", root.key_id.hex())
    return signed_entry(WORKSPACE, statement_bytes("log-open", (subject,), predicate), root)


def registration(role: str, public_key: bytes, key: bytes, custody: str, *, root: Signer, index: int) -> Entry:
    """Return the key event that lets a key speak as `role` from `index` of the log on."""
    return signed_entry(WORKSPACE, registration_said(role, public_key, key, custody, index=index), root)


def registration_said(role: str, public_key: bytes, key: bytes, custody: str, *, index: int) -> bytes:
    """Return the payload of a registration."""
    predicate = {
        "event": "register",
        "key": key.hex(),
        "public_key": public_key.hex(),
        "alg": "ed25519",
        "subject": role,
        "roles": [role],
        "custody": custody,
        "not_before_index": index,
    }
    return statement_bytes("key-event", (("key", key.hex()),), predicate)


def rotation_said(old: bytes, successor: Signer, *, index: int) -> bytes:
    """Return the payload that moves the roles of the key `old` to its successor."""
    predicate = {
        "event": "rotate",
        "old_key": old.hex(),
        "key": successor.key_id.hex(),
        "public_key": successor.public_key.hex(),
        "alg": "ed25519",
        "custody": successor.custody,
        "not_before_index": index,
    }
    return statement_bytes("key-event", (("key", successor.key_id.hex()),), predicate)


def revocation_said(key: bytes, reason: str, *, since: int) -> bytes:
    """Return the payload that ends a key: what it signed from index `since` on does not count."""
    predicate = {"event": "revoke", "key": key.hex(), "reason": reason, "suspect_from_index": since}
    return statement_bytes("key-event", (("key", key.hex()),), predicate)
