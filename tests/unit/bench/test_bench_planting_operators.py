"""Operators of planting: each breaks what it says, where it says, and leaves every other byte alone."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from squads.bench.planting import Edit, Mutation, Span, operators
from squads.bench.planting.mutation import applied
from squads.contracts.errors import InvalidInput

TABLE = "CREATE TABLE t (\n    a int NOT NULL, -- who\n    b int,\n    UNIQUE NULLS NOT DISTINCT (a, b)\n);\n"
SQL = {
    "sql.nulls-distinct": (TABLE, "    UNIQUE (a, b)\n", (1, 5)),
    "sql.nullable": (TABLE, "    a int, -- who\n", (1, 5)),
    "sql.partial-index": (
        "CREATE TABLE s.t (a int);\n\nCREATE UNIQUE INDEX i ON s.t (a) WHERE b IS NULL;\n\nSELECT 1;\n",
        "CREATE TABLE s.t (a int);\n\nSELECT 1;\n",
        (1, 1),
    ),
    "sql.check": (
        "CREATE TABLE t (\n    a int, -- kept\n    CONSTRAINT c CHECK (a >= 0),\n    b int\n);\n",
        "    a int, -- kept\n    b int\n",
        (1, 4),
    ),
    "sql.search-path": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER\n"
        "  SET search_path = a, pg_temp\nAS $$ SELECT 1 $$;",
        "SECURITY DEFINER\nAS $$ SELECT 1 $$;",
        (1, 2),
    ),
    "sql.definer": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';",
        "LANGUAGE sql AS 'SELECT 1';",
        (1, 1),
    ),
    "sql.revoke": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\nREVOKE ALL ON FUNCTION f() FROM PUBLIC;\n",
        "AS 'SELECT 1';\n",
        (1, 1),
    ),
    "sql.shrunk": ("CREATE TABLE t (a varchar(9));\n", "a varchar(2)", (1, 1)),
    "sql.float-money": ("CREATE TABLE t (a numeric(12, 2) NOT NULL);\n", "a double precision NOT NULL", (1, 1)),
    "sql.policy": (
        "CREATE POLICY p ON t\n  USING (a = current_setting('x')::int);\n",
        "  USING (true);\n",
        (1, 2),
    ),
    "sql.predicate": (
        "CREATE VIEW v AS SELECT 1 FROM t\nWHERE a BETWEEN 1 AND 2 AND tenant_id = 3 ORDER BY 1;\n",
        "WHERE a BETWEEN 1 AND 2 ORDER BY 1;",
        (1, 2),
    ),
    "sql.row-security": (
        "CREATE TABLE t (a int);\nALTER TABLE t ENABLE ROW LEVEL SECURITY;\n",
        "CREATE TABLE t (a int);\n",
        (1, 1),
    ),
    "sql.invoker": ("CREATE VIEW v WITH (security_invoker = true) AS SELECT 1;\n", "VIEW v AS SELECT 1", (1, 1)),
    "sql.concurrently": ("CREATE INDEX CONCURRENTLY i ON t (a);\n", "CREATE INDEX i ON t", (1, 1)),
    "sql.not-valid": ("ALTER TABLE t ADD CONSTRAINT c CHECK (a) NOT VALID;\n", "CHECK (a);", (1, 1)),
}
PYTHON = {
    "python.signature": (
        "def f(t):\n    return jwt.decode(t, K, algorithms=['HS256'])  # kept\n",
        "algorithms=['HS256'], options={\"verify_signature\": False})  # kept",
        (2, 2),
    ),
    "python.comparison": (
        "def f(a, b):\n    if not compare_digest(a, b):\n        raise Wrong\n    return a\n",
        "def f(a, b):\n    return a\n",
        (1, 2),
    ),
    "python.query": (
        'def f(c, o, t):\n    c.execute("SELECT 1 FROM t WHERE a = ? "\n'
        '              "AND b > 1 AND org_id = ?", (o, t))\n',
        '"AND b > 1", (o,))',
        (2, 3),
    ),
    "python.filters": ("x = q.filter_by(a=1, tenant_id=t)\n", "q.filter_by(a=1)", (1, 1)),
    "python.secret-default": ('T = os.environ["API_TOKEN"]\n', 'T = os.environ.get("API_TOKEN", "', (1, 1)),
    "python.unawaited": ("async def f():\n    # why\n    await g()\n", "    # why\n    g()\n", (3, 3)),
    "python.swallowed": ("try:\n    f()\nexcept E:\n    log()\n    raise\n", "    log()\n    pass\n", (3, 5)),
    "python.float-money": (
        'A = Decimal("0.1")\nB = (A * n).quantize(Decimal("0.01"), ROUND)\n',
        'A = float("0.1")\nB = round((A * n), 2)\n',
        (1, 1),
    ),
    "python.assertion": ("def test_f():\n    assert f() == 3  # why\n", "    pass  # why\n", (1, 2)),
    "python.skipped": ("def test_f():\n    x = 1\n    assert f() == x\n", "    return\n    x = 1\n", (1, 4)),
}


def planted(name: str, files: Mapping[str, str]) -> list[tuple[dict[str, str], tuple[tuple[int | None, ...], ...]]]:
    """Return what an operator makes of files, with the lines of its places."""
    (operator,) = operators([name])
    found = [applied(files, mutation) for mutation in operator.mutations(files)]
    return [(after, tuple((p.line, p.end_line) for p in places)) for after, places in found]


@pytest.mark.parametrize("name", sorted({**SQL, **PYTHON}))
def test_an_operator_breaks_what_it_says_where_it_says(name: str) -> None:
    """The text is as before but for the piece, and the place is that of the statement afterwards."""
    before, piece, lines = {**SQL, **PYTHON}[name]
    path = "test_a.py" if name in ("python.assertion", "python.skipped") else "a.sql" if name in SQL else "a.py"
    text, places = planted(name, {path: before})[0]

    assert piece in text[path]
    assert before not in text.values()
    assert lines == places[0]
    assert set(text[path].split()) - set(before.split()) <= set(piece.split()) | set(text[path].split()[-4:])


def test_every_operator_has_an_example_here() -> None:
    """What is not shown is not known to work."""
    assert {operator.name for operator in operators()} == {*SQL, *PYTHON}


def test_operators_are_chosen_by_name_or_language() -> None:
    """A slip of the pen finds the nearest."""
    assert 1 == len(operators(["sql.check"]))
    assert {"python"} == {o.language for o in operators(["python"])}
    with pytest.raises(InvalidInput, match=r"did you mean 'sql\.check'"):
        operators(["sql.chekc"])


def test_a_check_that_was_added_later_goes_as_a_whole() -> None:
    """A finding is then right at the table that lacks it."""
    made = "CREATE TABLE t (a int);\nALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);\n"

    assert [({"a.sql": "CREATE TABLE t (a int);\n"}, ((1, 1),))] == planted("sql.check", {"a.sql": made})


def test_a_place_may_be_in_another_file() -> None:
    """Tables and their indexes often are."""
    files = {"1.sql": "\nCREATE TABLE t (a int);\n", "2.sql": "CREATE UNIQUE INDEX i ON t (a) WHERE b;\nSELECT 1;\n"}

    assert [({**files, "2.sql": "SELECT 1;\n"}, ((2, 2),))] == planted("sql.partial-index", files)


@pytest.mark.parametrize(
    ("condition", "after"),
    [
        ("tenant_id BETWEEN 1 AND 2 AND a = 3", " WHERE a = 3"),
        ("a = 3 AND (b OR tenant_id = 1) AND c", " WHERE a = 3 AND c"),
        ("tenant_id = 1", ""),
        ("tenant_id = 1 OR a = 3", None),
        ("a = 3", None),
    ],
    ids=["between", "brackets", "alone", "or", "nobody"],
)
def test_a_condition_goes_as_a_whole(condition: str, after: str | None) -> None:
    """And with one AND; beside an OR it means something else, so that nothing is planted."""
    text = f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 FROM t WHERE {condition} GROUP BY 1 $$;"
    made = planted("sql.predicate", {"a.sql": text})

    assert ([text.replace(f" WHERE {condition}", after)] if after is not None else []) == [f["a.sql"] for f, _ in made]


def test_what_is_no_code_is_left_alone() -> None:
    """Comments and strings are not broken, and files that cannot be read have nothing to break."""
    files = {
        "a.sql": "-- CONCURRENTLY\nSELECT 'CONCURRENTLY', \"NOT VALID\";",
        "b.sql": "SELECT 'open CONCURRENTLY",
        "c.py": "# await f()\ns = 'await f()'\n",
        "d.py": "await (",
        "e.txt": "await f() CONCURRENTLY",
    }

    assert [] == [
        made for name in ("sql.concurrently", "sql.not-valid", "python.unawaited") for made in planted(name, files)
    ]


def test_names_of_more_than_one_byte_do_not_move_a_place() -> None:
    """Offsets are of characters, not of bytes."""
    text = 'async def f():\n    print("Größe €")\n    x = await g("é")\n'

    assert [({"a.py": text.replace("await ", "")}, ((3, 3),))] == planted("python.unawaited", {"a.py": text})


@pytest.mark.parametrize(
    ("query", "values", "after"),
    [
        ("WHERE tenant_id = ? AND a = ?", "(t, a)", None),
        ("WHERE tenant_id = ? AND a = ?", "[t, a]", '"WHERE a = ?", [a]'),
        ("WHERE a = ? AND tenant_id = ? AND b = ?", "(a, t, b)", '"WHERE a = ? AND b = ?", (a, b)'),
        ("WHERE a = :a AND tenant_id = :t", "{'a': 1, 't': 2}", "\"WHERE a = :a\", {'a': 1, 't': 2}"),
        ("WHERE tenant_id = ?", "(t,)", None),
        ("WHERE tenant_id = ? OR a = ?", "(t, a)", None),
    ],
    ids=["tuple of two", "list", "middle", "named", "only value", "or"],
)
def test_a_value_goes_with_its_placeholder(query: str, values: str, after: str | None) -> None:
    """Where it could not go alone nothing is planted: the query would fail, and its own tests with it."""
    made = planted("python.query", {"a.py": f'c.execute("{query}", {values})\n'})

    assert ([f"c.execute({after})\n"] if after else []) == [text["a.py"] for text, _ in made]


def test_edits_move_places_that_come_after_them() -> None:
    """Two edits, one of which adds lines, and a place after each and around both."""
    text = dedent("""\
        one
        two
        three
        four
    """)
    spans = [Span("a", text.index(word), text.index(word) + len(word)) for word in ("one", "three", "four")]
    mutation = Mutation((Edit(spans[0], "1\n1"), Edit(spans[1])), (spans[2], Span("a", 0, len(text)), Span("a", 4, 7)))
    after, places = applied({"a": text}, mutation)

    assert {"a": "1\n1\ntwo\nfour\n"} == after
    assert [(1, 4), (3, 3), (4, 4)] == [(p.line, p.end_line) for p in places]
