"""Where a ledger in PostgreSQL is, read from one URL, and how to say so without saying the password.

    postgresql://user@host:5432/database#schema
    postgresql:///database?host=/run/postgresql#schema         a socket on this machine
    postgresql://host/database?sslmode=verify-full&sslrootcert=/etc/squads/ca.pem

The fragment is the schema, `squads` where there is none: one log in each. A password may stand in the URL, but there a
list of processes or a log shows it: `PGPASSWORD`, or a file named by `PGPASSFILE`, serve better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from squads.contracts.errors import InvalidInput

SCHEMES: Final = ("postgresql", "postgres")
SCHEMA: Final = "squads"
"""The schema where the URL names none."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_OPTIONS: Final = ("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """One log's server, database and schema, and what to say to be let in."""

    dsn: str = field(repr=False)
    """What the driver is given: neither password nor schema stand in it."""
    schema: str
    name: str
    """How errors and people call it: no user, no password, no options."""
    shown: str
    """The URL that leads here again, without a password: user and options stand in it."""
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> PostgresAddress:
        """Return the address that a URL gives. Raises `InvalidInput`, which never repeats the URL."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise InvalidInput("this is no URL of a ledger: postgresql://host:port/database#schema") from None
        if parts.scheme not in SCHEMES:
            raise InvalidInput("the URL of a ledger begins with postgresql://, and names host and database")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if "@" in parts.fragment or any("@" in name for name in options):
            # Said without it: a password with a '#' or '?' in it ends where they stand, and its rest is read as these.
            raise InvalidInput("an @ stands behind a '#' or '?' of this URL; write those of a password as %23 and %3F")
        schema = unquote(parts.fragment) or SCHEMA
        check_name(schema, "schema")
        if odd := sorted(options.keys() - set(_OPTIONS)):
            raise InvalidInput(
                f"the URL of a ledger knows no option {', '.join(odd)!r:.80}; known: {', '.join(_OPTIONS)}; a password "
                "belongs into PGPASSWORD or PGPASSFILE"
            )
        user = unquote(parts.username or "")
        host = parts.hostname or ""
        place = f"[{host}]" if ":" in host else host
        place += f":{port}" if port else ""
        login = f"{quote(user, safe='')}@" if user else ""
        query = f"?{urlencode(options)}" if options else ""
        where = place or options.get("host", "")
        dsn = f"postgresql://{login}{place}{parts.path}{query}"
        return cls(
            dsn=dsn,
            shown=f"{dsn}#{schema}",
            schema=schema,
            name=f"postgresql://{where}{parts.path}#{schema}",
            password=unquote(parts.password) if parts.password is not None else None,
        )


def check_name(name: str, what: str) -> None:
    """Raise `InvalidInput` for what is no plain name of a schema or a role: nothing else is ever put into SQL."""
    if not _NAME.fullmatch(name) or name.startswith("pg_"):
        raise InvalidInput(
            f"{name[:80]!r} names no {what}: 1 to 63 lower-case letters, digits and '_', not beginning with a digit or "
            "with 'pg_'"
        )


def is_postgres(store: object) -> bool:
    """Say whether a store is named by the URL of a database."""
    return isinstance(store, str) and store.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))
