"""Which log a schema says that it holds, asked before anything of it is opened; and founding one where there is none.

What is said here is a claim: whoever asks holds it against a `trust.json` of their own.
"""

from __future__ import annotations

from collections.abc import Callable

from squads.adapters.postgres_address import PostgresAddress
from squads.adapters.postgres_link import connect, let_go, translated
from squads.adapters.postgres_loop import blocking
from squads.adapters.postgres_schema import identity_of, prepare, version_of, write_identity


def claim(url: str, new: Callable[[], tuple[str, str]] | None = None) -> dict[str, str]:
    """Return a log's `origin` and `log_vkey` as its schema has them; empty where there is no ledger. Blocks briefly.

    With `new` an empty schema becomes the log that it names: of several who found it at once, one does. Raises
    `LedgerError`, `InvalidInput`.
    """
    return blocking(_claimed(PostgresAddress.parse(url), new))


async def _claimed(address: PostgresAddress, new: Callable[[], tuple[str, str]] | None) -> dict[str, str]:
    connection = await connect(address)
    try:
        if new is not None:
            await prepare(connection, address)
        elif not await version_of(connection, address):
            return {}
        found = await identity_of(connection)
        if not found and new is not None:
            await write_identity(connection, *new())
            found = await identity_of(connection)
        return found
    except Exception as error:
        meant = translated(error, address.name)
        if meant is error:
            raise
        raise meant from error
    finally:
        await let_go(connection)
