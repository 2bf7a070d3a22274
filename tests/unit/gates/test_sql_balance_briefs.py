"""`sql.balance-not-negative`: what a brief tells, and what keeps columns that no name tells from falling below zero."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.checks.sql_balance_not_negative import balance_not_negative
from squads.gates.sql.limits.told import told

NEVER = "A paddock never holds fewer than zero bales, also when two feedings come at once."
TABLES = "CREATE TABLE paddock (paddock text PRIMARY KEY, bales int NOT NULL DEFAULT 0{check}, cap int NOT NULL); CREATE TABLE feeding (id bigint PRIMARY KEY, paddock text NOT NULL REFERENCES paddock, bales int NOT NULL CHECK (bales > 0));"
FEED = "CREATE FUNCTION feed(p text, n int) RETURNS void LANGUAGE plpgsql AS $$ DECLARE have int; BEGIN {body} END $$;"
TAKE = "UPDATE paddock SET bales = bales - n WHERE paddock = p"
GUARD = "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;"


def refused(sql: str | dict[str, str], brief: str = NEVER) -> bool:
    """Return whether the check refuses what was made for a brief."""
    files = {"schema.sql": sql} if isinstance(sql, str) else sql
    work = ReviewWork(
        packet=Packet(brief=brief),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=brief,
        artifact=Artifact.of(files),
        inputs={},
    )
    return any(f.severity >= Severity.MAJOR for f in balance_not_negative(work))


def fed(body: str, check: str = "") -> str:
    return TABLES.format(check=check) + FEED.format(body=body)


def guarded(body: str, triggers: str) -> str:
    return TABLES.format(check="") + GUARD.format(body=body) + triggers


BOTH = "CREATE TRIGGER g BEFORE INSERT OR UPDATE ON paddock FOR EACH ROW EXECUTE FUNCTION guard();"
LESS = "IF NEW.bales < 0 THEN RAISE EXCEPTION 'no'; END IF;"
LEDGER = "CREATE TABLE fund (no int PRIMARY KEY); CREATE TABLE entry (id bigint PRIMARY KEY, fund int NOT NULL REFERENCES fund, cents bigint NOT NULL); CREATE FUNCTION covered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM fund WHERE no = NEW.fund FOR UPDATE; IF (SELECT sum(cents) FROM entry WHERE fund = NEW.fund) + NEW.cents < 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;"
SUM = "The sum of a fund's entries is never below zero."

DEFECTS: dict[str, tuple[str | dict[str, str], str]] = {
    "nothing refuses": (TABLES.format(check=""), NEVER),
    "taken": (fed(TAKE + ";"), NEVER),
    "asked for less than is taken": (fed(TAKE + " AND bales > 0;"), NEVER),
    "asked without a lock": (
        fed(
            f"SELECT bales INTO have FROM paddock WHERE paddock = p; IF have < n THEN RAISE EXCEPTION 'no'; END IF; {TAKE};"
        ),
        NEVER,
    ),
    "locked too late": (
        fed(
            f"SELECT bales INTO have FROM paddock WHERE paddock = p; PERFORM 1 FROM paddock WHERE paddock = p FOR UPDATE; IF have < n THEN RAISE EXCEPTION 'no'; END IF; {TAKE};"
        ),
        NEVER,
    ),
    "asked on one path only": (
        fed(
            f"IF p = 'a' AND n > (SELECT bales FROM paddock WHERE paddock = p FOR UPDATE) THEN RAISE EXCEPTION 'no'; END IF; {TAKE};"
        ),
        NEVER,
    ),
    "only warned afterwards": (
        fed(f"{TAKE} RETURNING bales INTO have; IF have < 0 THEN RAISE WARNING 'no'; END IF;"),
        NEVER,
    ),
    "guarded on insert only": (guarded(LESS, BOTH.replace(" OR UPDATE", "")), NEVER),
    "used beyond the only limit beside it": (
        "CREATE TABLE pool (id int PRIMARY KEY, seats int NOT NULL, out int NOT NULL); CREATE FUNCTION f(n int) RETURNS void LANGUAGE sql AS $$ UPDATE pool SET out = out + n $$;",
        "Never are more seats out than the pool has.",
    ),
    "entries that nothing refuses": (LEDGER[: LEDGER.index("CREATE FUNCTION")], SUM),
    "entries may be changed": (
        LEDGER
        + "CREATE TRIGGER t BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION covered(); GRANT INSERT, UPDATE ON entry TO app;",
        SUM,
    ),
    "summed in Python without a lock": (
        {
            "s.sql": LEDGER[: LEDGER.index("CREATE FUNCTION")],
            "f.py": "def pay(c, n):\n    have = c.execute('SELECT sum(cents) FROM entry').fetchone()[0]\n    if have < n:\n        raise ValueError\n    c.execute('INSERT INTO entry VALUES (1, 1, %s)', (-n,))\n",
        },
        SUM,
    ),
    "beyond an agreed overdraft": (
        "CREATE TABLE a (id int, balance int NOT NULL, overdraft int NOT NULL);",
        "The balance may be negative down to the overdraft limit, no further.",
    ),
}
CLEAN: dict[str, tuple[str | dict[str, str], str]] = {
    "no word of it": (TABLES.format(check=""), "Bales on paddocks, and feedings."),
    "checked": (TABLES.format(check=" CHECK (bales >= 0)"), NEVER),
    "asked in the statement": (fed(TAKE + " AND bales >= n;"), NEVER),
    "asked in the statement, turned round": (fed(TAKE + " AND n <= bales;"), NEVER),
    "locked, then asked": (fed(f"SELECT bales INTO have FROM paddock WHERE paddock = p FOR UPDATE; IF have IS NULL OR have < n THEN RAISE EXCEPTION 'no'; END IF; {TAKE};"), NEVER),
    "taken in the branch where enough is there": (fed(f"SELECT bales INTO have FROM paddock WHERE paddock = p FOR UPDATE; IF have >= n THEN {TAKE}; ELSE RAISE EXCEPTION 'no'; END IF;"), NEVER),
    "looked at afterwards": (fed(f"{TAKE} RETURNING bales INTO have; IF have < 0 THEN RAISE EXCEPTION 'no'; END IF;"), NEVER),
    "two triggers": (guarded(LESS, BOTH.replace(" OR UPDATE", "") + BOTH.replace("INSERT OR ", "").replace("TRIGGER g", "TRIGGER h")), NEVER),
    "deletes are let through first": (guarded("IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; " + LESS, BOTH.replace("UPDATE ON", "UPDATE OR DELETE ON")), NEVER),
    "good rows are let through": (guarded("IF NEW.bales >= 0 THEN RETURN NEW; END IF; RAISE EXCEPTION 'no';", BOTH), NEVER),
    "a look at changed rows only": (guarded(LESS, BOTH.replace(" OR UPDATE", "") + BOTH.replace("INSERT OR ", "").replace("TRIGGER g", "TRIGGER h").replace("EACH ROW", "EACH ROW WHEN (NEW.bales IS DISTINCT FROM OLD.bales)")), NEVER),
    "two triggers keep a named store": (
        "CREATE TABLE paddock (id int, balance int NOT NULL);"
        + GUARD.format(body=LESS.replace("bales", "balance"))
        + BOTH.replace(" OR UPDATE", "")
        + BOTH.replace("INSERT OR ", "").replace("TRIGGER g", "TRIGGER h"),
        "Paddocks.",
    ),
    "asked with the limit in the statement": ("CREATE TABLE pool (id int PRIMARY KEY, seats int NOT NULL, out int NOT NULL); CREATE FUNCTION f(n int) RETURNS void LANGUAGE sql AS $$ UPDATE pool SET out = out + n WHERE seats - out >= n $$;", "Never are more seats out than the pool has."),
    "entries covered on both paths": (LEDGER + "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION covered(); GRANT INSERT, UPDATE ON entry TO app;", SUM),
    "within an agreed overdraft": ("CREATE TABLE a (id int, balance int NOT NULL, overdraft int NOT NULL, CHECK (balance >= -overdraft));", "The balance may be negative down to the overdraft limit, no further."),
    "an undone addition": ("CREATE TABLE post (id int PRIMARY KEY, likes_seen int NOT NULL); CREATE TABLE mark (id int, post int REFERENCES post, w int CHECK (w > 0)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE post SET likes_seen = likes_seen - OLD.w WHERE id = OLD.post; RETURN NULL; END $$;", "Marks on posts; nobody marks more posts than they see."),
}  # fmt: skip


@pytest.mark.parametrize("name", DEFECTS)
def test_what_a_brief_wants_and_nothing_keeps_is_refused(name: str) -> None:
    """Where a brief says "never below zero", what may fall below zero is refused, whatever it is called."""
    assert refused(*DEFECTS[name])


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_kept_is_let_through(name: str) -> None:
    """What the statement, a lock before the question, a look afterwards or a trigger keeps is not refused."""
    assert not refused(*CLEAN[name])


@pytest.mark.parametrize(
    "brief",
    [
        "Stock cannot go negative.",
        "No account may be overdrawn.",
        "A user cannot spend more credits than they have.",
        "Reject redemptions that the balance does not cover.",
        "Only as many seats as the coach has may be booked.",
        "Consumption beyond the allowance has to be refused.",
        "Guthaben darf nicht negativ werden.",
    ],
)
def test_a_brief_that_wants_a_floor_is_understood(brief: str) -> None:
    """A floor is wanted in many words."""
    assert told(brief).never


@pytest.mark.parametrize(
    "brief",
    [
        "A name has no more than 30 characters.",
        "Accounts may be overdrawn up to their limit.",
        "The temperature may fall below zero.",
        "Refunds are stored as negative amounts.",
        "A negative amount is a refund, never a payment.",
    ],
)
def test_a_brief_that_wants_no_floor_is_left_alone(brief: str) -> None:
    """Lengths, permissions and signs are no floors."""
    assert not told(brief).zero
