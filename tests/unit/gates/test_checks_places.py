"""Where findings stand: at the fault, and at the later statement, or the verification in vain, that made it one."""

# ruff: noqa: E501 (an example stays on one line)

from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.builtin import built_in

CHECKS = {gate.name: gate for gate in built_in()}
TRIGGER = (
    "CREATE TABLE orders (id int); CREATE TABLE audit (what text); GRANT INSERT ON orders TO app;\n"
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$\n"
    "BEGIN INSERT INTO public.audit VALUES ('x'); RETURN NEW; END $$;\n"
    "CREATE TRIGGER note AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();"
)
SAML = (
    "from lxml import etree\nfrom signxml import XMLVerifier\ndef name(saml_response, cert):\n"
    "    root = etree.fromstring(saml_response)\n"
    "    XMLVerifier().verify(root, x509_cert=cert)\n"
    "    # much else\n    # much else\n    # much else\n    # much else\n"
    "    return root.findtext('.//{urn:oasis:names:tc:SAML:2.0:assertion}NameID')\n"
)
PLACES: dict[str, tuple[str, dict[str, str], str, int]] = {
    "rights taken away by ALTER": (
        "sql.definer-rights",
        {"1.sql": TRIGGER, "2.sql": "-- later\nALTER FUNCTION note() SECURITY INVOKER;"},
        "2.sql",
        2,
    ),
    "rights taken away by REVOKE": (
        "sql.definer-rights",
        {
            "1.sql": TRIGGER.replace(" SECURITY DEFINER", "") + "GRANT INSERT ON audit TO app;",
            "2.sql": "-- later\nREVOKE INSERT ON audit FROM app;",
        },
        "2.sql",
        2,
    ),
    "NOT NULL dropped": (
        "sql.unique-null",
        {"1.sql": "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE (a, b));", "2.sql": "ALTER TABLE t ALTER b DROP NOT NULL;"},
        "2.sql",
        1,
    ),
    "a covering index dropped": (
        "sql.unique-null",
        {
            "1.sql": "CREATE TABLE t (a int NOT NULL, b int, UNIQUE (a, b)); CREATE UNIQUE INDEX k ON t (a) WHERE b IS NULL;",
            "2.sql": "DROP INDEX k;",
        },
        "2.sql",
        1,
    ),
    "a CHECK dropped": (
        "sql.balance-not-negative",
        {"1.sql": "CREATE TABLE w (balance int CONSTRAINT c CHECK (balance >= 0));", "2.sql": "ALTER TABLE w DROP CONSTRAINT c;"},
        "2.sql",
        1,
    ),
    "a domain's CHECK dropped": (
        "sql.balance-not-negative",
        {
            "1.sql": "CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE >= 0); CREATE TABLE w (balance d);",
            "2.sql": "ALTER DOMAIN d DROP CONSTRAINT c;",
        },
        "2.sql",
        1,
    ),
    "a child of a guarded parent": (
        "sql.balance-not-negative",
        {"1.sql": "CREATE TABLE w (balance int CHECK (balance >= 0) NO INHERIT);", "2.sql": "CREATE TABLE c () INHERITS (w);"},
        "2.sql",
        1,
    ),
    "a type narrowed": (
        "sql.value-fits",
        {"1.sql": "CREATE TABLE t (s varchar(9) CHECK (s IN ('open', 'overdrawn')));", "2.sql": "ALTER TABLE t ALTER s TYPE varchar(6);"},
        "2.sql",
        1,
    ),
    "a foreign key added": (
        "sql.value-fits",
        {
            "1.sql": "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (a_id int);",
            "2.sql": "ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a;",
        },
        "2.sql",
        1,
    ),
    "a verification whose element is thrown away": ("auth.saml-signature", {"m.py": SAML}, "m.py", 5),
}  # fmt: skip


@pytest.mark.parametrize(("invariant", "files", "path", "line"), PLACES.values(), ids=PLACES)
def test_a_finding_stands_where_it_went_wrong(invariant, files, path, line):
    """Whoever mends it looks there first."""
    findings = [f for f in CHECKS[invariant](Artifact.of(files)) if f.severity >= Severity.MAJOR]

    assert (path, line) in [(f.location.path, f.location.line) for f in findings]
