"""Applies files of SQL as a migrator does: statement by statement, each file in one transaction or none."""

from __future__ import annotations

from collections.abc import Sequence

from squads.gates.probes.watch import Watch
from squads.gates.sql.lex import Source, Statement, statements
from squads.kernel.scratch_ports import ScratchSession, Told

_OWN_TRANSACTION = frozenset({"begin", "commit", "rollback", "start", "end", "abort"})
_NOT_INSIDE = ("25001", "2D000")  # what PostgreSQL says of VACUUM or CONCURRENTLY, and of COMMIT in a procedure
_SECONDS_MAX = 10.0


def parts_of(name: str, text: str) -> list[Statement]:
    """Return a file's statements. Raises `CannotLook` for what is no SQL."""
    return [p for p in statements(Source(name, text)) if p.tokens[0].kind not in ("meta", "migration")]


async def applied(
    session: ScratchSession,
    name: str,
    parts: Sequence[Statement],
    *,
    autocommit: bool = False,
    watch: Watch | None = None,
) -> str:
    """Return the empty string, or why a file does not apply; then nothing of its transaction stands.

    A file that begins and ends transactions itself is left to do so.
    """
    own = autocommit or any(_verb(p) in _OWN_TRANSACTION for p in parts)
    if watch is not None:
        await watch.file(name)
    if not own:
        await _begin(session, watch)
    for number, part in enumerate(parts, 1):
        told = await _run(session, part, number, own=own, watch=watch)
        if not told.ok:
            if session.in_transaction:
                await session.run("ROLLBACK")
            return f"{part.place} does not apply: {told.message} ({told.sqlstate})"
    if session.in_transaction:
        told = await session.run("COMMIT")
        if not told.ok:
            return f"{name} does not apply at its end: {told.message} ({told.sqlstate})"
    if watch is not None:
        await watch.file_done(name)
    return ""


async def _run(session: ScratchSession, part: Statement, number: int, *, own: bool, watch: Watch | None) -> Told:
    sql = part.place.text
    if watch is None or not own or session.in_transaction or _verb(part) in _OWN_TRANSACTION:
        told = await session.run(sql, seconds_max=_SECONDS_MAX)
        if watch is not None and told.ok and session.in_transaction:
            if _verb(part) in _OWN_TRANSACTION:
                await watch.transaction(session)
            else:
                await watch.look(session, number, sql)
        return told
    # Alone, so in a transaction that only we see, and look at before it ends; where it minds that, without one.
    await _begin(session, watch)
    told = await session.run(sql, seconds_max=_SECONDS_MAX)
    if told.sqlstate in _NOT_INSIDE:
        await session.run("ROLLBACK")
        async with watch.looking_on(session, number, sql):
            return await session.run(sql, seconds_max=_SECONDS_MAX)
    if not told.ok:
        await session.run("ROLLBACK")
        return told
    await watch.look(session, number, sql)
    return await session.run("COMMIT")


async def _begin(session: ScratchSession, watch: Watch | None) -> None:
    await session.run("BEGIN")
    if watch is not None:
        await watch.transaction(session)


def _verb(part: Statement) -> str:
    return part.tokens[0].value
