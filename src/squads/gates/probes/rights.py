"""`probe.definer-rights`: what an application's role may start must run to its end, and only in its own name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from squads.contracts.finding import Severity
from squads.gates.probes.calls import Routine, arguments, one_row_each, routines
from squads.gates.probes.catalog import Table, named
from squads.gates.probes.outcome import Outcome
from squads.gates.probes.scene import Scene, finding
from squads.kernel.scratch_ports import ScratchSession, Told

_DENIED = "42501"
_TRIGGERS = """
SELECT t.tgrelid, t.tgname::text, p.proname::text, p.oid, t.tgtype::int
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgrelid = ANY($1) AND t.tgenabled <> 'D' ORDER BY 1, 2
"""
_REFUSED = re.compile(r"permission denied for (\w+(?: \w+)?) (\S+)$")
_EVENTS = {"INSERT": 4, "UPDATE": 16, "DELETE": 8}


async def definer_rights(scene: Scene) -> Outcome:
    """Do as the application's roles what they were granted, and see whether triggers and functions let them."""
    outcome = Outcome()
    found = await routines(scene)
    known = await one_row_each(scene)
    triggers = (await scene.admin.ask(_TRIGGERS, list(scene.tables))).records
    for role in scene.roles:
        session = await scene.session(role)
        for table in scene.tables.values():
            for event in ("SELECT", *_EVENTS):
                if await _may(scene, role, table, event):
                    names = [t[2] for t in triggers if t[0] == table.oid and t[4] & _EVENTS.get(event, 0)]
                    await _do(scene, session, table, event, names, outcome)
        for routine in found:
            if role in routine.granted and routine.returns != "trigger":
                await _call(scene, session, routine, known, outcome)
            if routine.definer and "pg_temp" not in routine.settings:
                fires = [t[0] for t in triggers if t[3] == routine.oid and t[4] & _EVENTS["INSERT"]]
                fires = [oid for oid in fires if await _may(scene, role, scene.tables[oid], "INSERT")]
                if fires or role in routine.granted:
                    await _shadow(scene, session, routine, known, fires, outcome)
    return outcome


async def _may(scene: Scene, role: str, table: Table, event: str) -> bool:
    told = await scene.admin.ask(
        "SELECT has_any_column_privilege($1::text, $2::oid, $3) AND has_schema_privilege($1::text, $4::text, 'USAGE')"
        if event != "DELETE"
        else "SELECT has_table_privilege($1::text, $2::oid, $3) AND has_schema_privilege($1::text, $4::text, 'USAGE')",
        *(role, table.oid, event, table.schema),
    )
    return told.value is True


async def _do(
    scene: Scene, session: ScratchSession, table: Table, event: str, functions: list[str], outcome: Outcome
) -> None:
    """Do what a role was granted on a table; a refusal of something else on the way is what it lacks."""
    told, sql = await _act(scene, session, table, event)
    if told is None:
        outcome.unable.append(f"no valid row can be made for {table.called} to {event} as {session.role}")
        return
    outcome.attacked += 1
    denied = _REFUSED.match(told.message) if told.sqlstate == _DENIED else None
    if denied is None or denied[2] in (table.name, table.called):
        return
    culprit = denied[2]
    if functions:
        # Without its triggers: where it is let through then, the refusal is theirs.
        await scene.owner.run(f"ALTER TABLE {table.sql} DISABLE TRIGGER USER")
        control, _ = await _act(scene, session, table, event)
        await scene.owner.run(f"ALTER TABLE {table.sql} ENABLE TRIGGER USER")
        culprit = sorted(functions)[0] if control is not None and control.ok else culprit
    outcome.findings.append(
        finding(
            "sql.definer-rights",
            scene.statement_of("function", culprit.rpartition(".")[2]) or scene.place(table),
            f"{session.role} may {event} on {table.called}, and is refused on the way: {told.message}.",
            sql,
            f"Let {culprit} run with the rights of its owner (SECURITY DEFINER with SET search_path), or grant "
            f"{session.role} what it needs.",
            severity=Severity.MAJOR,
        )
    )


async def _act(scene: Scene, session: ScratchSession, table: Table, event: str) -> tuple[Told | None, str]:
    """Return what came of one SELECT, INSERT, UPDATE or DELETE; None where there is no row to do it with."""
    if event == "INSERT":
        made = await scene.rows.insert(table, session=session)
        return (made.told if made.ok or made.sql else None), made.sql
    if not (await scene.rows.insert(table)).ok:
        return None, ""
    column = next((c.name for c in table.columns if not c.made), "")
    sql = f"{'SELECT 1' if event == 'SELECT' else 'DELETE'} FROM {table.sql}"  # noqa: S608
    if event == "UPDATE":
        for c in table.columns:
            told = await scene.admin.ask(
                "SELECT has_column_privilege($1::text, $2::oid, $3::text, 'UPDATE')", session.role, table.oid, c.name
            )
            if told.value is True and not c.made:
                column = c.name
                break
        row = await scene.owner.ask(f"SELECT {named(column)}::text FROM {table.sql} LIMIT 1")  # noqa: S608
        value = "NULL" if row.value is None else "'" + str(row.value).replace("'", "''") + "'"
        sql = f"UPDATE {table.sql} SET {named(column)} = {value}"  # noqa: S608
    await session.run("BEGIN")
    told = await session.run(sql)
    await session.run("ROLLBACK")
    return told, sql


async def _call(
    scene: Scene,
    session: ScratchSession,
    routine: Routine,
    known: Mapping[str, Mapping[str, str | None]],
    outcome: Outcome,
) -> None:
    sql = f"{'CALL' if routine.procedure else 'SELECT'} {routine.sql}({arguments(scene, routine, known)})"
    await session.run("BEGIN")
    told = await session.run(sql)
    await session.run("ROLLBACK")
    if told.ok:
        outcome.attacked += 1
    elif told.sqlstate == _DENIED and "permission denied" in told.message:
        outcome.attacked += 1
        outcome.findings.append(
            finding(
                "sql.definer-rights",
                scene.statement_of("function", routine.name) or scene.statement_of("procedure", routine.name),
                f"{session.role} was granted {routine.name}, and is refused inside it: {told.message}.",
                sql,
                f"Make {routine.name} SECURITY DEFINER with SET search_path, or grant {session.role} what it needs.",
                severity=Severity.MAJOR,
            )
        )
    elif told.sqlstate[:2] in ("P0", "22", "23"):
        outcome.unable.append(f"no call of {routine.name} reached its end: {told.message}")


async def _shadow(
    scene: Scene,
    session: ScratchSession,
    routine: Routine,
    known: Mapping[str, Mapping[str, str | None]],
    fires: list[int],
    outcome: Outcome,
) -> None:
    """Put a table of the caller's own before the one that a definer's function means, and see which one it takes."""
    body = re.sub(r"--[^\n]*|/\*.*?\*/", " ", routine.body, flags=re.DOTALL)
    for table in scene.tables.values():
        if not re.search(rf'(?<![.\w"])"?{re.escape(table.name)}"?(?!\w)', body):
            continue
        columns = ", ".join(f"{named(c.name)} {c.type}" for c in table.columns)
        await session.run("BEGIN")
        made = await session.run(f"CREATE TEMP TABLE {named(table.name)} ({columns})")
        await session.run(f"GRANT ALL ON pg_temp.{named(table.name)} TO PUBLIC")
        sql = ""
        if made.ok and fires:
            sql = (await scene.rows.insert(scene.tables[fires[0]], session=session)).sql
        elif made.ok and session.role in routine.granted:
            sql = f"{'CALL' if routine.procedure else 'SELECT'} {routine.sql}({arguments(scene, routine, known)})"
            await session.run("SAVEPOINT call")
            if not (await session.run(sql)).ok:
                await session.run("ROLLBACK TO SAVEPOINT call")
        used = await session.ask(
            "SELECT pg_stat_get_xact_numscans(o) + pg_stat_get_xact_tuples_inserted(o) > 0 FROM to_regclass($1) o",
            f"pg_temp.{named(table.name)}",
        )
        await session.run("ROLLBACK")
        if used.value is True and sql:
            outcome.attacked += 1
            outcome.findings.append(
                finding(
                    "sql.definer-rights",
                    scene.statement_of("function", routine.name) or scene.statement_of("procedure", routine.name),
                    f"{session.role} made a temporary table {table.name}, and {routine.name} used it with its owner's "
                    "rights: the caller's search_path decides what the definer touches.",
                    sql,
                    f"ALTER FUNCTION {routine.name} SET search_path = {table.schema}, pg_temp;",
                    severity=Severity.MAJOR,
                )
            )
            return
    if "search_path" not in routine.settings or "$user" in routine.settings:
        outcome.unable.append(
            f"{routine.name} runs with its caller's search_path, and this probe knows no way to use that; give it SET "
            "search_path, with pg_temp last"
        )
