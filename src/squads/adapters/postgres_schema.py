"""The schema of a ledger in PostgreSQL: its tables, the steps between its versions, and what the application role may.

Rows of the log are only ever inserted; the triggers that refuse everything else are guard rails against mistakes, and
the application role has no right to it either. Neither is proof against a superuser: that is what the signed
checkpoints are for. Numbers of receipts never come from a sequence, which leaves gaps, and nothing that was signed is
ever kept as JSONB, which forgets how it was written.

A step, once it was released, is never changed: what comes later is a step of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from squads.adapters.postgres_address import PostgresAddress, check_name
from squads.adapters.postgres_link import connect, let_go, translated
from squads.adapters.postgres_loop import blocking
from squads.contracts.errors import LedgerBroken, LedgerTooNew, StorageUnavailable

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What makes one version of the schema out of the one before."""

    version: int
    sql: str
    append_only: tuple[str, ...] = ()
    """Tables that it adds and that never lose or change a row."""


_FIRST: Final = """
CREATE TABLE schema_version (version bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
-- What the log is: its origin and the key that signs its checkpoints. Written once, when it is founded.
CREATE TABLE ledger (
  name text COLLATE "C" PRIMARY KEY CHECK (name IN ('origin', 'log_vkey')), value text NOT NULL
);
-- The row that writers take turns at: where the log ends, and the newest checkpoint.
CREATE TABLE head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one), next bigint NOT NULL CHECK (next >= 0), note text NOT NULL
);
INSERT INTO head (next, note) VALUES (0, '');
CREATE TABLE stream (id bigint PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, subject text NOT NULL);
-- The stream and the position in it are an index; what is true stands in the leaf.
CREATE TABLE entry (
  seq bigint PRIMARY KEY CHECK (seq >= 0), stream bigint NOT NULL, position bigint NOT NULL,
  leaf bytea NOT NULL, leaf_hash bytea NOT NULL, UNIQUE (stream, position)
);
ALTER TABLE entry ALTER COLUMN leaf SET STORAGE EXTERNAL;
-- Full subtrees of level 1 and above; level 0 is entry.leaf_hash. Every proof can be made from these.
CREATE TABLE node (level smallint NOT NULL, idx bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (level, idx));
CREATE TABLE checkpoint (size bigint PRIMARY KEY, note text NOT NULL);

-- Content, sealed with its subject's key. A key that is NULL was destroyed, and with it all that was sealed with it.
CREATE TABLE content (
  digest bytea NOT NULL, subject text COLLATE "C" NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (digest, subject)
);
ALTER TABLE content ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX content_subject ON content (subject);
CREATE TABLE subject_key (subject text COLLATE "C" PRIMARY KEY, wrapped bytea);
-- What was paid for, sealed like content. Not part of the log: nothing here is signed, and nothing that is signed
-- speaks of it.
CREATE TABLE step (
  about text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, input text COLLATE "C" NOT NULL,
  turn bigint NOT NULL, subject text COLLATE "C" NOT NULL, payload bytea NOT NULL,
  PRIMARY KEY (about, kind, input, turn)
);
CREATE INDEX step_subject ON step (subject);
-- Behind an account's name, the columns are the fields of a `Spend`.
CREATE TABLE account (
  name text COLLATE "C" PRIMARY KEY, tokens bigint NOT NULL, microusd bigint NOT NULL, wait_ms bigint NOT NULL,
  calls bigint NOT NULL, tokens_reserved bigint NOT NULL, microusd_reserved bigint NOT NULL,
  wait_ms_reserved bigint NOT NULL
);
-- Who holds which open packet. An empty holder gave a packet back.
CREATE TABLE lease (packet text COLLATE "C" PRIMARY KEY, holder text COLLATE "C" NOT NULL, token bigint NOT NULL);
CREATE INDEX lease_holder ON lease (holder);
-- How often each holder has said that it lives, and the start of the server that its session belongs to.
CREATE TABLE holder (name text COLLATE "C" PRIMARY KEY, beat bigint NOT NULL, server text NOT NULL);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0];
END $$;
CREATE FUNCTION entry_gapless() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  first bigint; last bigint; many bigint; ends bigint;
BEGIN
  SELECT min(seq), max(seq), count(*) INTO first, last, many FROM added;
  IF many = 0 THEN RETURN NULL; END IF;
  SELECT next INTO ends FROM head;
  IF first <> ends OR last - first + 1 <> many THEN
    RAISE EXCEPTION 'receipts are appended, each after the one before';
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION head_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.next < OLD.next THEN RAISE EXCEPTION 'a log never becomes shorter'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER entry_gapless AFTER INSERT ON entry REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION entry_gapless();
CREATE TRIGGER head_forward BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION head_forward();
CREATE TRIGGER head_stays BEFORE DELETE OR TRUNCATE ON head
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('the ledger is append-only');
CREATE TRIGGER content_update BEFORE UPDATE ON content
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('content is named by its digest; store other content beside it');
CREATE TRIGGER step_update BEFORE UPDATE ON step
  FOR EACH STATEMENT EXECUTE FUNCTION refuse('the first step that was put is the one that is kept');
"""

STEPS: Final[Sequence[Step]] = (
    Step(
        version=1,
        sql=_FIRST,
        append_only=("schema_version", "ledger", "stream", "entry", "node", "checkpoint"),
    ),
)

_RIGHTS: Final[tuple[tuple[str, str], ...]] = (
    ("SELECT", "schema_version"),
    ("SELECT, INSERT", "ledger, stream, entry, node, checkpoint"),
    ("SELECT, UPDATE", "head"),
    ("SELECT, INSERT, UPDATE", "account"),
    ("SELECT, INSERT, UPDATE, DELETE", "subject_key, lease, holder"),
    ("SELECT, INSERT, DELETE", "content, step"),
)
"""What an application role may, and nothing else: no UPDATE and no DELETE on the log."""
_CLEANED: Final = "content, subject_key, step"
"""Tables that it may vacuum where the server knows such a right, so that what was erased leaves them."""
_MAINTAIN_SINCE: Final = 17


async def prepare(connection: Connection, address: PostgresAddress, steps: Sequence[Step] = STEPS) -> None:
    """Bring the schema to the newest version where the role may, and check it where it may not.

    Raises `LedgerTooNew`, `LedgerBroken`, `StorageUnavailable`, or what the driver raises.
    """
    newest = steps[-1].version
    found = await version_of(connection, address)
    if found > newest:
        raise LedgerTooNew(
            f"{address.name} was written in version {found} of the schema, this squads knows up to {newest}; upgrade "
            "squads"
        )
    if found == newest:
        return
    if not await _may_make(connection, address):
        raise StorageUnavailable(
            f"{address.name} has {'no ledger' if not found else f'a ledger of version {found}, not {newest}'}, and "
            "this role may not make one; run `squads store init URL` as the owner of the database"
        )
    await migrate(connection, address, steps)


async def migrate(connection: Connection, address: PostgresAddress, steps: Sequence[Step] = STEPS) -> None:
    """Take every step that is missing, each in a transaction of its own; two who do it at once take turns."""
    for step in steps:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", lock_key("schema", address.schema))
            # Read from the catalogue: the functions that look names up may remember what was true before the lock.
            if not await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", address.schema):
                await connection.execute(f'CREATE SCHEMA "{address.schema}"')
            if await version_of(connection, address) >= step.version:
                continue
            await connection.execute(step.sql)
            for table in step.append_only:
                await connection.execute(
                    f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION refuse('the ledger is append-only')"
                )
            await connection.execute("INSERT INTO schema_version (version) VALUES ($1)", step.version)


async def version_of(connection: Connection, address: PostgresAddress) -> int:
    """Return the schema's version; 0 where there is no ledger. Raises `LedgerBroken` for somebody else's schema."""
    rows = await connection.fetch(
        "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE nspname = $1 AND relkind IN ('r', 'p', 'v')",
        address.schema,
    )
    tables = {row[0] for row in rows}
    if "schema_version" not in tables:
        if tables:
            raise LedgerBroken(
                f"{address.name} holds other tables, and no ledger of squads; name another schema after the '#'"
            )
        return 0
    found = await connection.fetchval("SELECT max(version) FROM schema_version")
    return int(found or 0)


async def _may_make(connection: Connection, address: PostgresAddress) -> bool:
    row = await connection.fetchval(
        "SELECT CASE WHEN to_regnamespace($1) IS NULL THEN has_database_privilege(current_database(), 'CREATE') "
        "ELSE has_schema_privilege($2, 'CREATE') END",
        f'"{address.schema}"',
        address.schema,
    )
    return bool(row)


async def check_identity(connection: Connection, address: PostgresAddress, origin: str, log_vkey: str) -> None:
    """Write what the log is where nobody has yet, and check it. Raises `LedgerBroken`."""
    known = await identity_of(connection)
    if not known:
        await write_identity(connection, origin, log_vkey)
        known = await identity_of(connection)
    if known.get("origin") != origin:
        raise LedgerBroken(
            f"{address.name} is the ledger {known.get('origin')!r}, not {origin!r}; check the URL and the origin"
        )
    if known.get("log_vkey") != log_vkey:
        raise LedgerBroken(
            f"the checkpoints of {address.name} are signed by another key than the one given; use that key"
        )


async def write_identity(connection: Connection, origin: str, log_vkey: str) -> None:
    """Say which log this is, unless somebody has said so already."""
    await connection.execute(
        "INSERT INTO ledger (name, value) VALUES ('origin', $1), ('log_vkey', $2) ON CONFLICT DO NOTHING",
        origin,
        log_vkey,
    )


async def identity_of(connection: Connection) -> dict[str, str]:
    """Return what the log says that it is; empty where it was never founded."""
    return {row["name"]: row["value"] for row in await connection.fetch("SELECT name, value FROM ledger")}


def init_blocking(url: str, *, app_role: str | None = None) -> bool:
    """Make the schema and its tables as their owner, and an application role that may append to the log, no more.

    A role that is not there is made without a password, and the owner sets one: True then. Doing it again is no error,
    and brings schema and rights up to date. Blocks. Raises `LedgerError`, `InvalidInput`.
    """
    address = PostgresAddress.parse(url)
    if app_role is not None:
        check_name(app_role, "role")
    return blocking(_init(address, app_role))


async def _init(address: PostgresAddress, app_role: str | None) -> bool:
    connection = await connect(address)
    try:
        await prepare(connection, address)
        return app_role is not None and await _grant(connection, address, app_role)
    except Exception as error:
        raise translated(error, address.name) from error
    finally:
        await let_go(connection)


async def _grant(connection: Connection, address: PostgresAddress, role: str) -> bool:
    """Give the role what it needs, and take everything else; return whether it was made."""
    async with connection.transaction():
        known = bool(await connection.fetchval("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1)", role))
        if not known:
            await connection.execute(f'CREATE ROLE "{role}" LOGIN')
        schema = address.schema
        await connection.execute(f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM "{role}", PUBLIC')
        await connection.execute(f'REVOKE ALL ON SCHEMA "{schema}" FROM "{role}", PUBLIC')
        await connection.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"')
        for rights, tables in _RIGHTS:
            await connection.execute(f'GRANT {rights} ON {tables} TO "{role}"')
        if connection.get_server_version().major >= _MAINTAIN_SINCE:
            await connection.execute(f'GRANT MAINTAIN ON {_CLEANED} TO "{role}"')
    return not known


def lock_key(what: str, *names: str) -> int:
    """Return the number of an advisory lock: the same for the same names, and nobody else's."""
    digest = sha256("\n".join(("squads.lock/v1", what, *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
