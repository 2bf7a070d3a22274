"""`squads gate` as a person uses it: real changes in, verdicts and exit codes out, receipts kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import quick_start

SQUADS = quick_start.squads()
DEFECTS = """\
CREATE TABLE memberships (
    person_id bigint NOT NULL,
    team_id bigint NOT NULL,
    season int,
    UNIQUE (person_id, team_id, season)
);
CREATE TABLE wallets (id bigint PRIMARY KEY, owner text NOT NULL, balance numeric(12, 2) NOT NULL DEFAULT 0);
"""
TWINS = {
    "partial": "CREATE TABLE m (p bigint NOT NULL, t bigint NOT NULL, s int);\n"
    "CREATE UNIQUE INDEX m1 ON m (p, t) WHERE s IS NULL;\n"
    "CREATE UNIQUE INDEX m2 ON m (p, t, s) WHERE s IS NOT NULL;\n",
    "nulls-not-distinct": "CREATE TABLE m (p bigint NOT NULL, s int, UNIQUE NULLS NOT DISTINCT (p, s));\n",
    "check-by-alter": "CREATE TABLE wallets (id bigint PRIMARY KEY, balance numeric(12, 2) NOT NULL);\n"
    "ALTER TABLE wallets ADD CONSTRAINT wallets_positive CHECK (balance >= 0);\n",
}


def squads(*arguments: str, cwd: Path, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([SQUADS, *arguments], cwd=cwd, input=given, capture_output=True, check=False, timeout=60)


def git(cwd: Path, *arguments: str) -> None:
    named = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
    named |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    subprocess.run(["git", *arguments], cwd=cwd, env={**os.environ, **named}, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-b", "main")
    (top / "README.md").write_text("hello\n")
    git(top, "add", ".")
    git(top, "commit", "-m", "first")
    return top


def test_a_change_with_both_defects_is_refused_and_says_where_and_what_to_do(repository: Path) -> None:
    """Both catches come in one round, with file, line, and SQL that would satisfy them; the exit code is 1."""
    (repository / "schema.sql").write_text(DEFECTS)

    done = squads("gate", cwd=repository)

    out = done.stdout.decode()
    assert done.returncode == 1, out + done.stderr.decode()
    assert "schema.sql:5:5: UNIQUE on memberships" in out
    assert "schema.sql:7" in out
    assert "CHECK (balance >= 0)" in out
    assert "Not composed" in out


@pytest.mark.parametrize("name", TWINS)
def test_clean_twins_compose(repository: Path, name: str) -> None:
    """What looks like the defect and is right goes through, with exit code 0."""
    (repository / "schema.sql").write_text(TWINS[name])

    done = squads("gate", cwd=repository)

    assert done.returncode == 0, done.stdout.decode()
    assert b"Composed" in done.stdout


def test_receipts_are_kept_and_verify(repository: Path) -> None:
    """The refusal is receipted under `.squads/`, which git never sees, and the ledger verifies."""
    (repository / "schema.sql").write_text(DEFECTS)
    squads("gate", cwd=repository)

    verified = squads("verify", "--json", cwd=repository)
    again = squads("gate", "--json", cwd=repository)

    found = json.loads(verified.stdout)
    assert (verified.returncode, [r for r in found["results"] if r["state"] == "failed"]) == (0, [])
    judged = json.loads(again.stdout)
    assert sorted({f["location"]["path"] for j in judged["judgements"] for f in _findings(j)}) == ["schema.sql"]
    assert (judged["exit_code"], judged["reason"]) == (1, "task-refused")


def _findings(judged: dict[str, dict[str, list[dict[str, dict[str, str]]]]]) -> list[dict[str, dict[str, str]]]:
    return judged["verdict"].get("findings", [])


def test_staged_range_paths_and_standard_input_name_the_change(repository: Path) -> None:
    """Each way of naming a change judges that change and nothing else."""
    (repository / "good.sql").write_text(TWINS["partial"])
    git(repository, "add", "good.sql")
    (repository / "bad.sql").write_text(DEFECTS)

    staged = squads("gate", "--staged", cwd=repository)
    git(repository, "commit", "-m", "good")
    ranged = squads("gate", "--range", "HEAD~1..HEAD", cwd=repository)
    path = squads("gate", "bad.sql", cwd=repository)
    given = squads("gate", "-", "--name", "x.sql", cwd=repository, given=DEFECTS.encode())
    outside = squads("gate", str(repository / "bad.sql"), cwd=repository.parent)

    assert [d.returncode for d in (staged, ranged, path, given, outside)] == [0, 0, 1, 1, 1]
    assert b"x.sql:5:5" in given.stdout


def test_a_removed_file_is_part_of_the_change(repository: Path) -> None:
    """A change that only removes is judged as one; nobody read it, so nothing composes."""
    git(repository, "rm", "-q", "README.md")

    done = squads("gate", "--staged", cwd=repository)

    assert done.returncode == 2
    assert b"no gate had anything to read" in done.stdout


def test_what_cannot_be_parsed_is_not_passed(repository: Path) -> None:
    """SQL that the checks cannot read makes them abstain, and an abstention exits with 2."""
    (repository / "broken.sql").write_text("CREATE TABLE t (a int, UNIQUE (a,\n")

    done = squads("gate", cwd=repository)

    assert done.returncode == 2
    assert b"abstained: broken.sql" in done.stdout


@pytest.mark.parametrize(
    ("prepare", "arguments", "sentence"),
    [
        ("nothing", ["gate"], "there is nothing to judge"),
        ("not-utf8", ["gate"], "UTF-8"),
        ("link-out", ["gate"], "out of the tree"),
        ("large", ["gate", "big.sql"], "more than 10,485,760 bytes"),
        ("nothing", ["gate", "--range", "main"], "is no range"),
        ("nothing", ["gate", "--range", "nowhere..HEAD"], "git cannot read this"),
        ("nothing", ["gate", "missing.sql"], "there is no file missing.sql"),
        ("nothing", ["gate", "--gate", "sql.nope", "README.md"], "there is no check 'sql.nope'"),
        ("nothing", ["gate", "--staged", "README.md"], "exclude each other"),
        ("nothing", ["verify", "nowhere"], "there is no ledger in nowhere"),
    ],
)
def test_bad_input_is_one_clear_sentence(repository: Path, prepare: str, arguments: list[str], sentence: str) -> None:
    """What cannot be judged says what, where and what to do, exits with 2, and never shows a traceback."""
    if prepare == "not-utf8":
        (repository / "latin.sql").write_bytes("-- caf\xe9\nCREATE TABLE t (a int);\n".encode("latin-1"))
    elif prepare == "link-out":
        (repository / "passwords").symlink_to("/etc/passwd")
    elif prepare == "large":
        (repository / "big.sql").write_bytes(b"-" * (10 * 1024 * 1024 + 1))

    done = squads(*arguments, cwd=repository)

    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 2, said
    assert sentence in said
    assert "Traceback" not in said


def test_outside_a_work_tree_files_can_still_be_judged(tmp_path: Path) -> None:
    """Without git the command says so; with files named it works, and keeps its receipts here."""
    (tmp_path / "a.sql").write_text(TWINS["nulls-not-distinct"])

    bare = squads("gate", cwd=tmp_path)
    named = squads("gate", "a.sql", cwd=tmp_path)

    assert (bare.returncode, named.returncode) == (2, 0)
    assert b"run it inside a work tree, or name files" in bare.stderr
    assert (tmp_path / ".squads" / "ledger.db").exists()


def test_a_full_disk_is_said_and_nothing_is_lost(repository: Path) -> None:
    """When the ledger cannot grow, nothing composes, the sentence says so, and the ledger still verifies."""
    (repository / "a.sql").write_text(TWINS["partial"])
    assert squads("gate", cwd=repository).returncode == 0
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000)); "
    code = limited + "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    code += "sys.argv = ['squads', 'gate']; from squads.cli import main; main()"

    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, check=False, timeout=60)

    assert done.returncode == 2, done.stdout
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"squads: ")
    assert squads("verify", cwd=repository).returncode == 0
    assert squads("gate", cwd=repository).returncode == 0


def test_the_version_is_printed(tmp_path: Path) -> None:
    """`--version` says which one this is."""
    from squads import __version__

    assert f"squads {__version__}" in squads("--version", cwd=tmp_path).stdout.decode()


def test_markup_in_a_path_is_only_a_path(repository: Path) -> None:
    """The store's path is printed as it is, after composing and after verifying."""
    (repository / "a.sql").write_text(TWINS["partial"])

    done = squads("gate", "a.sql", "--store", "st[/b]", cwd=repository)
    verified = squads("verify", "st[/b]", cwd=repository)

    assert (done.returncode, verified.returncode) == (0, 0), done.stderr + verified.stderr
    assert b"receipts in st[/b]; check them: squads verify st[/b]" in done.stdout
