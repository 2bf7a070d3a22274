"""Where a workspace is kept: its ledger, its `trust.json`, and the directory of its keys outside the work tree.

A store is a directory, with a SQLite ledger and `trust.json` in it, or the URL of a schema in PostgreSQL; then
`trust.json` stands beside this machine's keys. What a database says of itself is never trusted: a machine that does
not know a workspace is told by its `trust.json`, not by the first connection.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from squads.adapters.keys import keys_home, load, load_or_create
from squads.contracts.errors import InvalidInput, KeyUnavailable, LedgerBroken, StorageUnavailable
from squads.custody import remote
from squads.kernel.ports import Entropy, Ledger, Signer
from squads.ledger.errors import Malformed
from squads.ledger.trust import Trust

ROOT, LOG = "root", "log"
CHECKPOINTS = "checkpoints"
"""The checkpoint file's name, beside the keys: restoring the database does not restore it."""
CONTENT_KEYS = "content.slots"
"""The name of the file of content keys, beside the private keys: a copy of the database does not hold it."""
CONTENT = "content"
"""The key that content keys in PostgreSQL are wrapped with; every machine that runs the workspace has it."""
TRUST = "trust.json"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """The URL of a store in a database. Shown as text it has no password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        from squads.adapters.postgres_address import PostgresAddress

        return PostgresAddress.parse(self.url).shown


Place = Path | StoreUrl
"""Where a store is."""


def placed(store: str | Path | StoreUrl) -> Place:
    """Return where a store is: a directory, or the URL of a database. Raises `InvalidInput` for a URL that is none."""
    from squads.adapters.postgres_address import PostgresAddress, is_postgres

    if isinstance(store, StoreUrl):
        return store
    if is_postgres(store):
        PostgresAddress.parse(str(store))
        return StoreUrl(str(store))
    if isinstance(store, str) and "://" in store:
        raise InvalidInput("a store is a directory, or postgresql://host/database#schema; this URL is neither")
    return Path(store)


def keys_of(trust: Trust, keys: Path | None = None) -> Path:
    """Return the directory that holds a workspace's private keys and its checkpoint file."""
    return (keys or keys_home()) / trust.origin.split("/")[2]


def trust_in(store: str | Path | StoreUrl, keys: Path | None = None) -> Trust:
    """Return what a store's `trust.json` says; nothing is made.

    Raises `StorageUnavailable` where there is no ledger, `LedgerBroken`, and `KeyUnavailable` where this machine does
    not know the workspace in a database.
    """
    place = placed(store)
    if isinstance(place, StoreUrl):
        return _pinned(place, _claimed(place), keys or keys_home())
    path = place / TRUST
    try:
        return Trust.from_json(path.read_bytes())
    except FileNotFoundError:
        raise StorageUnavailable(f"there is no ledger in {store}; run `squads gate` or name another --store") from None
    except (OSError, Malformed) as error:
        raise LedgerBroken(f"{path} cannot be read: {error}; restore it from a backup") from error


def trust_or_new(place: Place, keys: Path, entropy: Entropy, *, root: Signer | None = None) -> Trust:
    """Return what `trust.json` says; a new workspace gets keys, and a `trust.json` that names them.

    With `root` a new workspace is founded under that key, which is kept elsewhere; else its root key is one of those
    that are made.
    """
    if isinstance(place, StoreUrl):
        return _trust_or_new_at(place, keys, entropy, root)
    path = place / TRUST
    if not path.exists():
        if (place / "ledger.db").exists():
            raise LedgerBroken(f"{place} has a ledger and no trust.json; restore trust.json from a backup")
        trust = _new_keys(keys, entropy, root)
        # Nothing of the store is meant for version control, and a store must not show up as a change to be gated.
        _write_once(place / ".gitignore", b"*\n")
        _write_once(path, trust.to_json())
    try:
        return Trust.from_json(path.read_bytes())
    except (OSError, Malformed) as error:
        raise LedgerBroken(f"{path} cannot be read: {error}; restore it from a backup") from error


def open_ledger(place: Place, trust: Trust, log_signer: Signer, own: Path) -> Ledger:
    """Open the ledger of a store, with its checkpoint file and its content keys in `own`.

    Raises `LedgerError`, `KeyUnavailable`.
    """
    if isinstance(place, StoreUrl):
        from squads.adapters.postgres_ledger import PostgresLedger

        key = content_key(own)
        return PostgresLedger.open(place.url, trust.origin, log_signer, outside=own / CHECKPOINTS, content_key=key)
    from squads.adapters.sqlite_ledger import SqliteLedger

    return SqliteLedger.open(
        place / "ledger.db", trust.origin, log_signer, outside=own / CHECKPOINTS, vault=own / CONTENT_KEYS
    )


def check_there(place: Place) -> None:
    """Raise `StorageUnavailable` where there is a `trust.json` and no ledger. Opening a database finds that itself."""
    if isinstance(place, Path) and not (place / "ledger.db").is_file():
        raise StorageUnavailable(f"{place} has a trust.json and no ledger.db; restore it from a backup")


def content_key(own: Path) -> bytes:
    """Return the key that content keys in PostgreSQL are wrapped with; none is made. Raises `KeyUnavailable`."""
    from squads.adapters.vault import content_key_of

    return content_key_of(load(own / f"{CONTENT}.key"))


def learn_trust(store: str | Path | StoreUrl, file: Path, keys: Path | None = None) -> Trust:
    """Keep the `trust.json` of a workspace in a database beside this machine's keys, and return what it says.

    The file comes from a machine that knows the workspace, by a way that is trusted. Raises `InvalidInput` for a file
    that is none, or another workspace's than the database claims to be, and `LedgerBroken` where this machine already
    knows the workspace by another one.
    """
    place = placed(store)
    if not isinstance(place, StoreUrl):
        raise InvalidInput(f"the store {place} is a directory, and keeps its trust.json itself; copy it there")
    try:
        trust = Trust.from_json(file.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}; name the trust.json of the workspace") from error
    except Malformed as error:
        raise InvalidInput(f"{file} is no trust.json: {error}") from error
    claimed = _claimed(place)
    if (claimed.get("origin"), claimed.get("log_vkey")) != (trust.origin, trust.log_vkey):
        raise InvalidInput(
            f"{file} is the trust.json of {trust.origin}, and {place} says that it is {claimed.get('origin')!r:.100}"
        )
    path = keys_of(trust, keys) / TRUST
    _write_once(path, trust.to_json())
    if path.read_bytes() != trust.to_json():
        raise LedgerBroken(f"{path} says something else of this workspace; find out which one is right, and keep that")
    return trust


def _new_keys(keys: Path, entropy: Entropy, root: Signer | None, *others: str) -> Trust:
    identity = entropy(16).hex()
    root = root or load_or_create(keys / identity / f"{ROOT}.key")
    log, *_ = (load_or_create(keys / identity / f"{name}.key") for name in (LOG, *others))
    return Trust.of(f"local.invalid/squads/{identity}/0", root.public_key, log.public_key)


def _trust_or_new_at(place: StoreUrl, keys: Path, entropy: Entropy, root: Signer | None) -> Trust:
    from squads.adapters.postgres_identity import claim

    def new() -> tuple[str, str]:
        trust = _new_keys(keys, entropy, root, CONTENT)
        # Before the database names it: whoever finds the name there finds the file here.
        _write_once(keys_of(trust, keys) / TRUST, trust.to_json())
        return trust.origin, trust.log_vkey

    return _pinned(place, claim(place.url, new), keys)


def _claimed(place: StoreUrl) -> Mapping[str, str]:
    from squads.adapters.postgres_identity import claim

    claimed = claim(place.url)
    if not claimed:
        raise StorageUnavailable(f"there is no ledger in {place}; run `squads gate` or name another --store")
    return claimed


def _pinned(place: StoreUrl, claimed: Mapping[str, str], keys: Path) -> Trust:
    """Return the trust in the workspace that a database claims to hold, from this machine's own file."""
    parts = claimed.get("origin", "").split("/")
    identity = parts[2] if len(parts) == 4 else ""
    if not identity.isalnum():
        raise LedgerBroken(f"{place} does not say which workspace it holds; restore it from a copy that verifies")
    path = keys / identity / TRUST
    try:
        trust = Trust.from_json(path.read_bytes())
    except FileNotFoundError:
        raise KeyUnavailable(
            f"this machine does not know the workspace in {place}: there is no {path}. Bring its trust.json from a "
            f"machine that knows it, and run `squads store trust {place} --trust FILE`; to work with it, bring its "
            "keys too"
        ) from None
    except (OSError, Malformed) as error:
        raise LedgerBroken(f"{path} cannot be read: {error}; restore it from a backup") from error
    if (trust.origin, trust.log_vkey) != (claimed.get("origin"), claimed.get("log_vkey")):
        raise LedgerBroken(
            f"{place} says that its log is {claimed.get('origin')!r:.100} with another key than {path} names; do not "
            "use it, and find out who wrote it"
        )
    return trust


def _write_once(path: Path, content: bytes) -> None:
    """Write a file that appears whole, unless there is one already: the first who writes it wins."""
    aside = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            aside.write_bytes(content)
            with suppress(FileExistsError):
                os.link(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise StorageUnavailable(
            f"cannot write {path}: {error.strerror}; make room, or choose another directory with --store"
        ) from error


def log_signer(place: Place, trust: Trust, own: Path) -> Signer:
    """Return the key that signs this store's checkpoints: the one that `trust.json` names, or nothing is signed.

    Raises `KeyUnavailable` where it is not here, and `LedgerBroken` where another one is.
    """
    path = own / f"{LOG}.key"
    kept = remote(own, LOG)
    if kept is None and not path.exists():
        raise KeyUnavailable(
            f"the log key of the workspace in {place} is not in {own}; set SQUADS_HOME to the directory that holds "
            "this workspace's keys"
        )
    signer = kept or load(path)
    if signer.public_key != trust.log_key.public_key:
        raise LedgerBroken(
            f"the trust.json of {place} names another log key than {path} holds; set SQUADS_HOME to the directory "
            "that holds this workspace's keys"
        )
    return signer
