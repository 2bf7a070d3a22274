"""Probes: what they store or call on a scratch database, and that they approve nothing that they could not attack."""

from __future__ import annotations

import pytest

from squads.adapters.postgres_scratch import PostgresScratch
from squads.contracts.artifact import Artifact
from squads.contracts.errors import InvalidSquad
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.probes import PROBES, Probes, probe_named

SCORES = """CREATE TABLE guilds (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name varchar(12) NOT NULL UNIQUE);
CREATE TYPE kind AS ENUM ('craft', 'war');
CREATE DOMAIN points AS numeric(6,2) CHECK (VALUE >= 0);
CREATE TABLE scores (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder int NOT NULL CHECK (holder BETWEEN 100 AND 900),
    kind kind NOT NULL,
    state text NOT NULL CHECK (state IN ('new', 'old')),
    guild uuid {null}REFERENCES guilds (id),
    value points NOT NULL,
    begun date NOT NULL,
    ended date NOT NULL,
    CHECK (ended > begun),
    UNIQUE {nulls}(holder, kind, guild)
);
"""
AUDIT = """CREATE ROLE web;
CREATE TABLE orders (id int PRIMARY KEY, total int NOT NULL);
CREATE TABLE audit (id bigserial PRIMARY KEY, what text NOT NULL);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql {rights}AS $$
BEGIN INSERT INTO public.audit (what) VALUES (TG_OP); RETURN NEW; END $$;
CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
GRANT SELECT, INSERT ON orders TO web;
"""
SHADOW = """CREATE TABLE audit (what text NOT NULL);
CREATE FUNCTION note(word text) RETURNS void LANGUAGE sql SECURITY DEFINER {path}AS
$$ INSERT INTO audit (what) VALUES (word) $$;
GRANT EXECUTE ON FUNCTION note TO app;
"""
TENANTS = """CREATE TABLE tenants (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
CREATE TABLE notes (id serial PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants (id), body text NOT NULL);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes TO app USING (tenant_id = current_setting('app.tenant', true)::uuid){check};
GRANT SELECT, INSERT, UPDATE ON notes TO app;
GRANT USAGE ON SEQUENCE notes_id_seq TO app;
{more}"""
VIEW = "CREATE VIEW recent {how}AS SELECT id, body FROM notes;\nGRANT SELECT ON recent TO app;\n"

SCHEMAS = {
    "unique-null": ("probe.unique-null", SCORES.format(null="", nulls=""), 14),
    "balance": (
        "probe.balance",
        "CREATE TABLE wallets (\n  id int PRIMARY KEY,\n  balance numeric(12,2) NOT NULL\n);",
        3,
    ),
    "default": ("probe.value-fits", "CREATE TABLE t (\n  id int,\n  decay numeric(5,4) NOT NULL DEFAULT 30.0\n);", 3),
    "row": ("probe.value-fits", "CREATE TABLE t (id int, code varchar(2));\nINSERT INTO t VALUES (1, 'EUR');", 2),
    "check": ("probe.value-fits", "CREATE TABLE t (\n  p numeric(4,2) CHECK (p BETWEEN 0 AND 100)\n);", 2),
    "comment": ("probe.value-fits", "CREATE TABLE t (\n  half_life numeric(5,4) NOT NULL -- 30.0 days\n);", 2),
    "money": ("probe.exact-money", "CREATE TABLE t (\n  id int,\n  price double precision NOT NULL\n);", 3),
    "trigger": ("probe.definer-rights", AUDIT.format(rights=""), 4),
    "shadow": ("probe.definer-rights", SHADOW.format(path=""), 2),
    "tenant": ("probe.tenant", TENANTS.format(check=" WITH CHECK (true)", more=""), 4),
    "view": ("probe.tenant", TENANTS.format(check="", more=VIEW.format(how="")), 7),
    "beside": (
        "probe.tenant",
        TENANTS.format(check="", more="CREATE TABLE tags (tenant_id uuid, tag text);\nGRANT SELECT ON tags TO app;\n"),
        7,
    ),
}
"""Refused: the probe, the SQL, and the line."""
HELD = {
    "unique-null": ("probe.unique-null", SCORES.format(null="", nulls="NULLS NOT DISTINCT ")),
    "not-null": ("probe.unique-null", SCORES.format(null="CHECK (guild IS NOT NULL) ", nulls="")),
    "partial": (
        "probe.unique-null",
        "CREATE TABLE t (a int NOT NULL, b int, UNIQUE (a, b));\nCREATE UNIQUE INDEX ON t (a) WHERE b IS NULL;",
    ),
    "present": (
        "probe.unique-null",
        "CREATE TABLE t (a int, b int);\nCREATE UNIQUE INDEX ON t (a, b) WHERE b > 0 AND a > 0;",
    ),
    "balance": (
        "probe.balance",
        "CREATE TABLE wallets (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0));",
    ),
    "overdraft": (
        "probe.balance",
        "CREATE TABLE wallets (balance int NOT NULL, overdraft int NOT NULL, CHECK (balance >= -overdraft));",
    ),
    "default": ("probe.value-fits", "CREATE TABLE t (id int, decay numeric(5,4) NOT NULL DEFAULT 0.0231);"),
    "bound": ("probe.value-fits", "CREATE TABLE t (p numeric(4,2) DEFAULT 1 CHECK (p < 100));"),
    "money": ("probe.exact-money", "CREATE TABLE t (price numeric(12,2) NOT NULL, weight double precision);"),
    "trigger": ("probe.definer-rights", AUDIT.format(rights="SECURITY DEFINER SET search_path = public, pg_temp ")),
    "shadow": ("probe.definer-rights", SHADOW.format(path="SET search_path = public, pg_temp ")),
    "tenant": ("probe.tenant", TENANTS.format(check="", more="")),
    "view": ("probe.tenant", TENANTS.format(check="", more=VIEW.format(how="WITH (security_invoker) "))),
    "auditor": (
        "probe.tenant",
        TENANTS.format(
            check="",
            more="CREATE ROLE auditor;\nGRANT SELECT ON notes TO auditor;\n"
            "CREATE POLICY whole ON notes FOR SELECT TO auditor USING (true);\n",
        ),
    ),
}
"""Right, and a little suspicious."""
BASE = {
    "1.sql": "CREATE TABLE orders (id int PRIMARY KEY, state varchar(20) NOT NULL, total numeric(8,2), note text);\n"
}
MOVES = {
    "index": ("probe.locks", "SELECT 1;\nCREATE INDEX ON orders (state);", 2),
    "rewrite": ("probe.locks", "ALTER TABLE orders ALTER id TYPE bigint;", 1),
    "check": (
        "probe.locks",
        "ALTER TABLE orders ADD CHECK (total >= 0) NOT VALID;\nALTER TABLE orders ADD CHECK (id > 0);",
        2,
    ),
    "column": ("probe.destroys", "ALTER TABLE orders ADD COLUMN x int;\nALTER TABLE orders DROP COLUMN note;", 2),
    "rename": ("probe.destroys", "ALTER TABLE orders RENAME COLUMN note TO remark;", 1),
    "table": ("probe.destroys", "CREATE TABLE other ();\nDROP TABLE orders;", 2),
    "rows": ("probe.destroys", "TRUNCATE orders;", 1),
    "values": ("probe.destroys", "ALTER TABLE orders ALTER total TYPE int;", 1),
    "null": ("probe.destroys", "SELECT 1;\nALTER TABLE orders ADD COLUMN currency text NOT NULL;", 2),
}
MOVES_HELD = {
    "index": ("probe.locks", "CREATE INDEX CONCURRENTLY ON orders (state);"),
    "fresh": ("probe.locks", "CREATE TABLE fresh (id int CHECK (id > 0));\nCREATE INDEX ON fresh (id);"),
    "column": ("probe.locks", "ALTER TABLE orders ADD COLUMN x int DEFAULT 3;"),
    "validated": (
        "probe.locks",
        "BEGIN;\nALTER TABLE orders ADD CONSTRAINT k CHECK (id > 0) NOT VALID;\nCOMMIT;\n"
        "ALTER TABLE orders VALIDATE CONSTRAINT k;",
    ),
    "wider": ("probe.destroys", "ALTER TABLE orders ALTER id TYPE bigint;\nALTER TABLE orders ALTER state TYPE text;"),
    "carried": (
        "probe.destroys",
        "ALTER TABLE orders ADD COLUMN remark text;\nUPDATE orders SET remark = note;\n"
        "ALTER TABLE orders DROP COLUMN note;",
    ),
    "known": ("probe.destroys", "ALTER TABLE orders ALTER note SET NOT NULL;"),
    "filled": (
        "probe.destroys",
        "UPDATE orders SET note = '' WHERE note IS NULL;\nALTER TABLE orders ALTER note SET NOT NULL;",
    ),
}


def work(files: dict[str, str], base: dict[str, str] | None = None) -> ReviewWork:
    return ReviewWork(
        packet=Packet(brief="x"),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief="x",
        artifact=Artifact.of(files),
        inputs={"base": Artifact.of(base)} if base else {},
    )


async def judged(probe: str, sql: str, scratch: PostgresScratch | None, base: dict[str, str] | None = None) -> Verdict:
    gate = probe_named(probe, scratch=scratch)
    verdict = await gate.review(work({"2.sql" if base else "s.sql": sql}, base))
    assert isinstance(verdict, (Approved, Refused, Abstained))
    return verdict


@pytest.mark.parametrize("case", SCHEMAS)
async def test_what_breaks_is_refused_where_it_is_written(case: str, scratch: PostgresScratch) -> None:
    """With the invariant of the static check, the line of the statement's part, and the row or the call."""
    probe, sql, line = SCHEMAS[case]
    verdict = await judged(probe, sql, scratch)

    assert isinstance(verdict, Refused), verdict
    found = verdict.findings[0]
    assert PROBES[probe] == found.invariant
    assert found.location is not None
    assert (found.location.line or 0) <= line <= (found.location.end_line or 0)
    assert abs((found.location.line or 0) - line) <= 1
    assert found.message
    assert found.evidence in sql
    assert found.satisfy


@pytest.mark.parametrize("case", HELD)
async def test_what_holds_is_approved_as_looked_at(case: str, scratch: PostgresScratch) -> None:
    """The attack was made, and the database stood."""
    probe, sql = HELD[case]
    verdict = await judged(probe, sql, scratch)

    assert isinstance(verdict, Approved), verdict
    assert verdict.looked == 1


@pytest.mark.parametrize("case", MOVES)
async def test_a_migration_that_locks_or_destroys_is_refused(case: str, scratch: PostgresScratch) -> None:
    """Seen on rows that stood before, at the statement that does it."""
    probe, sql, line = MOVES[case]
    verdict = await judged(probe, sql, scratch, BASE)

    assert isinstance(verdict, Refused), verdict
    assert [(PROBES[probe], "2.sql", line)] == [
        (f.invariant, f.location and f.location.path, f.location and f.location.line) for f in verdict.findings
    ]


@pytest.mark.parametrize("case", MOVES_HELD)
async def test_a_migration_beside_the_traffic_is_approved(case: str, scratch: PostgresScratch) -> None:
    """What is new locks nobody out, and what is wider loses nothing."""
    probe, sql = MOVES_HELD[case]
    verdict = await judged(probe, sql, scratch, BASE)

    assert isinstance(verdict, Approved), verdict
    assert verdict.looked == 1


@pytest.mark.parametrize(
    ("probe", "sql", "says"),
    [
        ("probe.unique-null", "CREATE TABLE t (a int REFERENCES elsewhere);", "does not apply"),
        ("probe.unique-null", "CREATE TABLE t (a int, 'b'", "never closed"),
        ("probe.balance", "CREATE TABLE t (id point NOT NULL, balance int, CHECK (id IS NULL));", "no valid row"),
        ("probe.value-fits", "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n\\.\n", "data of COPY"),
        ("probe.tenant", "CREATE TABLE t (org_id int NOT NULL);\nSELECT pg_sleep(60);", "longer than"),
    ],
    ids=["elsewhere", "unreadable", "no-row", "copy", "late"],
)
async def test_what_could_not_be_attacked_is_never_approved(
    scratch: PostgresScratch, monkeypatch: pytest.MonkeyPatch, probe: str, sql: str, says: str
) -> None:
    """It abstains, and says what stood in the way."""
    monkeypatch.setattr("squads.gates.probes.scene.STATEMENT_SECONDS_MAX", 0.2)
    verdict = await judged(probe, sql, scratch)

    assert isinstance(verdict, Abstained), verdict
    assert says in verdict.reason


async def test_without_a_server_it_abstains(scratch: PostgresScratch) -> None:
    """None given, or one that is away: could not look is never passed."""
    probe, sql = HELD["balance"]
    away = PostgresScratch("postgresql://u:p@127.0.0.1:1/x")

    assert isinstance(await judged(probe, sql, None), Abstained)
    assert isinstance(await judged(probe, sql, away), Abstained)


async def test_where_there_is_nothing_to_attack_nothing_was_looked_at(scratch: PostgresScratch) -> None:
    """So that a squad in which nobody else looked composes nothing."""
    verdict = await judged("probe.balance", "CREATE TABLE t (name text);", scratch)
    other = await Probes(scratch=scratch).review(work({"a.py": "x = 1\n"}))

    assert isinstance(verdict, Approved)
    assert isinstance(other, Approved)
    assert (verdict.looked, other.looked) == (0, 0)


async def test_an_artifact_cannot_run_as_whoever_probes(scratch: PostgresScratch) -> None:
    """A view, a default or a trigger that asks who it runs as never hears the server's superuser."""
    sql = (
        "CREATE TABLE seen (who text);\nGRANT ALL ON seen TO PUBLIC;\n"
        "CREATE FUNCTION tell() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN\n"
        "IF current_setting('is_superuser') = 'on' THEN RAISE EXCEPTION 'run as a superuser'; END IF;\n"
        "RETURN true; END $$;\n"
        "CREATE TABLE wallets (id int, balance int CHECK (tell() AND balance >= 0), extra boolean DEFAULT tell());\n"
        "CREATE VIEW v AS SELECT tell() AS told, balance FROM wallets;\nGRANT SELECT ON v TO app;\n"
    )
    gate = Probes(["probe.balance", "probe.tenant", "probe.destroys"], scratch=scratch)
    verdict = await gate.review(work({"2.sql": "SELECT 1;\n"}, {"1.sql": sql}))

    assert "superuser" not in str(verdict)
    assert isinstance(verdict, (Approved, Abstained))


def test_unknown_probes_and_no_probes_are_refused() -> None:
    """A slip in a card is an error, and an empty list is no gate."""
    with pytest.raises(InvalidSquad, match="no probe"):
        Probes(["probe.uniq"])
    with pytest.raises(InvalidSquad, match="approves everything"):
        Probes([])
    with pytest.raises(InvalidSquad, match="scratch"):
        Probes(scratch="here")  # type: ignore[arg-type]


async def test_its_bar_and_what_it_skips_are_the_cards(scratch: PostgresScratch) -> None:
    """As with every gate."""
    sql = SCHEMAS["balance"][1]
    mild = Probes(["probe.balance"], scratch=scratch, refuse_at=Severity.BLOCKER)
    aside = Probes(["probe.balance"], scratch=scratch, skip=["old/"])

    assert isinstance(await mild.review(work({"s.sql": sql})), Approved)
    assert isinstance(await aside.review(work({"old/s.sql": sql})), Approved)
