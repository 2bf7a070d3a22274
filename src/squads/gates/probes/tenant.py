"""`probe.tenant`: as the application's role, in the name of one tenant, reach for the rows of another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from squads.contracts.finding import Finding, Severity
from squads.gates.place import Place
from squads.gates.probes.calls import arguments, routines
from squads.gates.probes.catalog import OURS, Table, literal, named
from squads.gates.probes.outcome import Outcome
from squads.gates.probes.rows import Made
from squads.gates.probes.scene import Scene, finding
from squads.kernel.scratch_ports import ScratchSession

TENANT = re.compile(
    r"^(tenant|org|organi[sz]ation|workspace|company|account|customer|team|guild|site)(_?id|_uuid|_key)?$"
)
_BROAD = re.compile(r"admin|audit|report|support|owner|migrat|backup|super|analy|service|ops\b|billing")
"""Roles that are meant to see more than one tenant, where another role is the application."""
_SETTING = re.compile(r"current_setting\(\s*'([^']+)'")
_POLICIES = """
SELECT polrelid,
       coalesce(pg_get_expr(polqual, polrelid), '') || ' ' || coalesce(pg_get_expr(polwithcheck, polrelid), '')
FROM pg_policy WHERE polrelid = ANY($1)
"""
_VIEWS = f"""
SELECT c.oid, n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND {OURS} ORDER BY 2, 3
"""  # noqa: S608
_DISTINCTIVE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """A table that tenants share, with a row of each of two."""

    table: Table
    column: str
    own: Made
    other: Made

    @property
    def marks(self) -> list[str]:
        """Values of the other tenant's row that this one's has not: who reads one of them has read that row."""
        mine = set(self.own.values.values())
        return [v for v in self.other.values.values() if v is not None and len(v) >= _DISTINCTIVE and v not in mine]


async def tenant(scene: Scene) -> Outcome:
    """Read and change another tenant's rows through every table, view and function that a role was granted."""
    outcome = Outcome()
    shared = [t for t in scene.tables.values() if _column(t)]
    policies = (await scene.admin.ask(_POLICIES, list(scene.tables))).records
    found = await routines(scene)
    texts = [text for _, text in policies] + [r.body for r in found]
    settings = list(dict.fromkeys(m for text in texts for m in _SETTING.findall(text)))
    secured = [t for t in shared if t.secured]
    asked = [r for r in found if any(TENANT.match(_bare(n)) for n in r.names)]
    if not shared or not scene.roles or not (secured or settings or asked):
        return outcome
    setting = next((s for s in settings if any(w in s for w in ("tenant", "org", "workspace", "account"))), "")
    setting = setting or (settings[0] if settings else "")
    if secured and not setting:
        outcome.unable.append("its policies know a tenant in a way that this probe cannot put on: no current_setting")
        return outcome
    rows = [two for table in shared if (two := await _two(scene, table, setting, outcome)) is not None]
    narrow = [role for role in scene.roles if not _BROAD.search(role)]
    whose = {_column(t) for t in secured}
    for role in narrow or scene.roles:
        session = await scene.session(role)
        for one in rows:
            # Without a policy anywhere it is for the program's queries to filter; beside one, its absence is a hole.
            if one.column in whose:
                await _table(scene, session, one, setting, outcome)
        if setting:
            await _views(scene, session, rows, setting, outcome)
        for routine in found:
            if role not in routine.granted or routine.returns in ("trigger", "void") or routine.procedure:
                continue
            known = {one.table.name: one.own.values for one in rows}
            sql = f"SELECT * FROM {routine.sql}({arguments(scene, routine, known)}) AS x"  # noqa: S608
            place = scene.statement_of("function", routine.name)
            await _look(scene, session, rows, setting, sql, f"the function {routine.name}", place, outcome)
    return outcome


def _column(table: Table) -> str:
    """Return the column that says whose a row is; a table of the tenants themselves has none."""
    return next((c.name for c in table.columns if TENANT.match(c.name) and c.name != "id"), "")


def _bare(name: str) -> str:
    return re.sub(r"^(p|in|arg|v)?_+", "", name.lower())


async def _two(scene: Scene, table: Table, setting: str, outcome: Outcome) -> _Shared | None:
    column = _column(table)
    found: list[Made] = []
    texts = [c.name for c in table.columns if c.category == "S"]
    for _ in range(2):
        made = await scene.rows.insert(table, filled=[column, *texts])
        if not made.ok and setting:  # a policy that is forced on the owner too
            value = next((literal(str(n)) for n in (1, 2)), "'1'")
            await scene.owner.ask("SELECT set_config($1, $2, false)", setting, value.strip("'"))
            made = await scene.rows.insert(table, {column: value}, filled=texts)
        if not made.ok:
            outcome.unable.append(f"no valid row can be made for {table.called}: {made.told.message}")
            return None
        found.append(made)
    if found[0].values[column] == found[1].values[column]:
        outcome.unable.append(f"no two tenants can be made for {table.called}")
        return None
    return _Shared(table=table, column=column, own=found[0], other=found[1])


async def _table(scene: Scene, session: ScratchSession, one: _Shared, setting: str, outcome: Outcome) -> None:
    table, column = one.table, named(one.column)
    mine, theirs = one.own.values[one.column], one.other.values[one.column]
    where = f"WHERE {column}::text = {literal(theirs)}"
    tries = {
        "read": f"SELECT 1 FROM {table.sql} {where}",  # noqa: S608
        "changed": f"UPDATE {table.sql} SET {column} = {column} {where}",  # noqa: S608
        "deleted": f"DELETE FROM {table.sql} {where}",  # noqa: S608
        "gave its own rows to": f"UPDATE {table.sql} SET {column} = {literal(theirs)} "  # noqa: S608
        f"WHERE {column}::text = {literal(mine)}",
    }
    place = _policy(scene, one) or scene.place(table)
    for did, sql in tries.items():
        for who in [mine, None] if did == "read" else [mine]:
            if who is None and not table.secured:
                continue
            await _as(session, setting, who)
            told = await (session.ask(sql) if did == "read" else session.run(sql))
            await session.run("ROLLBACK")
            outcome.attacked += told.sqlstate != "42501"
            if told.ok and told.rows:
                name = "no tenant at all" if who is None else "one tenant"
                outcome.findings.append(
                    _leak(place, f"{session.role}, as {name}, {did} another tenant's rows of {table.called}.", sql)
                )
                return
    await _as(session, setting, mine)
    made = await scene.rows.insert(table, {one.column: literal(theirs)}, session=session)
    await session.run("ROLLBACK")
    if made.ok:
        outcome.findings.append(
            _leak(place, f"{session.role}, as one tenant, wrote a row of another into {table.called}.", made.sql)
        )


def _policy(scene: Scene, one: _Shared) -> Place | None:
    """Return the policy of a table that says nothing of whose row it is, else its last one."""
    found = [
        part
        for part in scene.parts
        if [t.value for t in part.tokens[:2]] == ["create", "policy"]
        and one.table.name in {t.value for t in part.tokens[3:8]}
    ]
    open_ = [p for p in found if not {one.column, "current_setting"} & {t.value for t in p.tokens}]
    return (open_ or found)[-1].place if found else None


async def _views(
    scene: Scene, session: ScratchSession, rows: Sequence[_Shared], setting: str, outcome: Outcome
) -> None:
    for oid, schema, name in (await scene.admin.ask(_VIEWS)).records:
        may = await scene.admin.ask("SELECT has_table_privilege($1::text, $2::oid, 'SELECT')", session.role, oid)
        if may.value is True:
            sql = f"SELECT * FROM {named(schema)}.{named(name)} AS x"  # noqa: S608
            place = scene.statement_of("view", name)
            await _look(scene, session, rows, setting, sql, f"the view {name}", place, outcome)


async def _look(
    scene: Scene,
    session: ScratchSession,
    rows: Sequence[_Shared],
    setting: str,
    sql: str,
    what: str,
    place: Place | None,
    outcome: Outcome,
) -> None:
    for one in rows:
        await _as(session, setting, one.own.values[one.column])
        told = await session.ask(
            f"SELECT 1 FROM ({sql}) y WHERE to_jsonb(y) ->> $1 = $2 OR EXISTS "  # noqa: S608
            "(SELECT FROM jsonb_each_text(to_jsonb(y)) e WHERE e.value = ANY($3)) LIMIT 1",
            *(one.column, one.other.values[one.column], one.marks),
        )
        await session.run("ROLLBACK")
        outcome.attacked += told.ok
        if told.ok and told.rows:
            outcome.findings.append(
                _leak(
                    place, f"{session.role}, as one tenant, read another's rows of {one.table.called} in {what}.", sql
                )
            )
            return


async def _as(session: ScratchSession, setting: str, tenant_id: str | None) -> None:
    """Begin a transaction in the name of a tenant, or of nobody."""
    await session.run("BEGIN")
    if setting and tenant_id is not None:
        await session.ask("SELECT set_config($1, $2, true)", setting, tenant_id)


def _leak(place: Place | None, message: str, sql: str) -> Finding:
    return finding(
        "sql.tenant",
        place,
        message,
        sql,
        "Turn row level security on and force it, with a policy USING and WITH CHECK the tenant; make views "
        "security_invoker, and let functions filter by tenant.",
        severity=Severity.MAJOR,
    )
