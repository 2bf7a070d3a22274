"""From an artifact and what stood before it to the statements that its migrations run, in order.

What stood before is applied first and judged by nobody. Of the artifact, SQL files, Alembic revisions and Django
migrations count; a file that stood before as it stands now does not. Ways back are left out: they run when somebody
asks for the state of before. A statement that cannot be read is passed over and remembered, so that a check can say
that it could not look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.sql.dialects.spelling import statements_in
from squads.gates.sql.lex import Source, Statement
from squads.gates.sql.python.django import State, is_migration
from squads.gates.sql.python.file import PythonFile, Sql, read_statements
from squads.gates.sql.python.schema import in_order, may_hold, read_python
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.read import SQL_BYTES_MAX, SQL_FILES, is_way_back, natural
from squads.gates.sql.steps.calls import with_calls
from squads.gates.sql.steps.plays import Play, actions

_OWN_TRANSACTIONS = re.compile(
    r"no[\s_-]?transaction|transaction\s*[:=]\s*false|disable_?(ddl_)?transaction|atomic\s*=\s*false|autocommit"
    r"|executeInTransaction\s*=\s*false|non-transactional|without\s+(a\s+)?transaction",
    re.IGNORECASE,
)
_ALONE = re.compile(
    r"\bauto-?commits?\b|\b(outside|without|opens? no|(in|uses?|with) no)( of)?( an?| any)?( surrounding| own"
    r"| enclosing)? transactions?\b"
    r"|\b(each|every|the|single|individual) statements?( is| are)?( \w+)? (on its own|by itself|separately|alone"
    r"|individually|one by one|one at a time)\b|\bstatement by statement\b"
    r"|\bstatements? (one by one|one at a time|singly)\b"
    r"|\bwithout a transaction of its own\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(not|never|nothing|cannot|can't|must not|no file|except)\b[^.;]*$", re.IGNORECASE)
_MANAGED = re.compile(r"--\s*\+goose\s+up|--\s*migrate:up", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]{0,400}|/\*.{0,2000}?\*/", re.DOTALL)
_REMARKS_MAX = 200
_REVISION = re.compile(rb"^def (up|down)grade|^class Migration\b", re.MULTILINE)
_TRANSACTION_WORDS = frozenset(("begin", "start", "commit", "end", "rollback", "abort"))


def holds_steps(file: File) -> bool:
    """Return whether there is something in `file` for a check of migrations: any SQL file, and Python's migrations."""
    if not file.path.endswith(".py"):
        return True
    return _REVISION.search(file.content) is not None and may_hold(file)


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, and the transaction it runs in."""

    statement: Statement
    transaction: int = 0
    """Statements with one number commit together; 0 for a statement that commits alone."""
    sure: bool = False
    """Whether that is certain: it is written, or the tool that runs the file does so; else most tools do."""


@dataclass(slots=True)
class Steps:
    """What a migration does."""

    before: list[Statement] = field(default_factory=list)
    """The statements that made what stood before."""
    steps: list[Step] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What could not be read, with its place."""
    migrations: bool = False
    """Whether anything here is a migration by its tool: a revision, or a file with a tool's marks."""
    code: list[tuple[str, str]] = field(default_factory=list)
    """(path, text) of the programs that run beside the tables, of the base and of the artifact."""
    remarks: list[str] = field(default_factory=list)
    """The comments of the files that made what stood before, and of the migration."""
    plays: dict[str, Play] = field(default_factory=dict)
    """Code that changes rows in a way of its own, by the key that its step names."""
    relations: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """For tables of Django's: which columns refer to which table, and what happens when that row goes."""


def read_steps(artifact: Artifact, base: Artifact | None, brief: str = "") -> Steps:
    """Return the statements of before, and the steps of the artifact. Raises `CannotLook` if there is too much SQL.

    Args:
        artifact: What holds the migration.
        base: What stood before.
        brief: What was asked for; it may say how the files are run.
    """
    found = Steps()
    size = sum(len(f.content) for a in (artifact, base) if a for f in _files(a))
    if size > SQL_BYTES_MAX:
        raise CannotLook(f"the SQL files hold {size} bytes, more than {SQL_BYTES_MAX}; leave data out")
    old = {f.path: f.content for f in base.files} if base else {}
    state = State()
    if base:
        reader = _Reader(found, state)
        for file in _ordered(_files(base)):
            found.before += [s.statement for s in reader.file(file, old=True)]
        found.before = [*_of_models(base, found.before), *found.before]
    reader = _Reader(found, state, runner_of(brief))
    for file in _ordered(_files(artifact)):
        if old.get(file.path) != file.content:
            found.steps += reader.file(file)
    found.steps = with_calls(found.before, found.steps)
    for origin in (base, artifact):
        for file in origin.matching("*.py") if origin else ():
            if not (origin is base and file.path in {f.path for f in artifact.files}):
                found.code.append((file.path, file.content.decode(errors="replace")))
    return found


def _of_models(base: Artifact, before: list[Statement]) -> list[Statement]:
    """Return the tables that models of before declare, and that no migration of before makes."""
    made = {_created(s) for s in before}
    files = [f for f in base.matching("*.py") if may_hold(f) and not holds_steps(f)]
    return [s for f in files for s in read_python(f).declared if _created(s) and _created(s) not in made]


def _created(statement: Statement) -> str:
    """Return the name of the table that a statement makes; empty where it makes none."""
    words = [t.value for t in statement.tokens[:10]]
    if words[:1] != ["create"] or "table" not in words[:4]:
        return ""
    names = [t.value for t in statement.tokens[: words.index("(") if "(" in words else 10] if t.kind != "mark"]
    return names[-1]


def _files(artifact: Artifact) -> list[File]:
    python = [f for f in artifact.matching("*.py") if holds_steps(f)]
    return [*artifact.matching(*SQL_FILES), *python]


def _ordered(files: list[File]) -> list[File]:
    by_path = {f.path: f for f in files}
    held = {}
    for file in files:
        if file.path.endswith(".py"):
            found = read_python(file)
            if found.revision:
                held[file.path] = found
    return [by_path[p] for p in in_order(sorted(by_path, key=natural), held)]


def runner_of(brief: str) -> str:
    """Return how a brief says that files are run: `alone`, each statement by itself; empty where it says nothing."""
    text = " ".join(brief.split())
    for found in _ALONE.finditer(text):
        if not _DENIED.search(text[max(0, found.start() - 40) : found.start()]):
            return "alone"
    return ""


class _Reader:
    """Reads files one after the other; transactions are numbered through all of them."""

    def __init__(self, found: Steps, state: State, runner: str = "") -> None:
        self.runner = runner
        self.found = found
        self.state = state
        self._number = 0

    def file(self, file: File, *, old: bool = False) -> list[Step]:
        """Return the steps of one file."""
        try:
            if file.path.endswith(".py"):
                return self._python(file, old=old)
            return self._sql(file)
        except (CannotLook, NotText, RecursionError) as error:
            if not old:
                self.found.problems.append(str(error) or f"{file.path}: nested too deeply to be read")
            return []

    def _sql(self, file: File) -> list[Step]:
        if is_way_back(file.path):
            return []
        text = file.text.removeprefix("\ufeff")
        self.found.remarks += [" ".join(m[0].split()) for m in islice(_COMMENT.finditer(text), _REMARKS_MAX)]
        statements = statements_in(Source(file.path, text))
        managed = _MANAGED.search(text) is not None
        self.found.migrations |= managed
        own = _OWN_TRANSACTIONS.search(text) is not None or (self.runner == "alone" and not managed)
        alone = any(_runs_alone(s) for s in statements) or any(
            s.tokens[0].value in _TRANSACTION_WORDS for s in statements
        )
        return self._numbered(statements, together=not own and (managed or not alone), sure=managed)

    def _python(self, file: File, *, old: bool) -> list[Step]:
        from squads.gates.sql.python.alembic import is_revision
        from squads.gates.sql.steps.alembic_steps import read_upgrade
        from squads.gates.sql.steps.django_steps import read_django

        python = PythonFile(file.path, file.text)
        if not is_revision(python) and not is_migration(python):
            return []
        module = Scope.of_module(python)
        if is_revision(python):
            made, problems, plays = read_upgrade(python, module)
            together = True
        else:
            made, problems, together, plays = read_django(python, module, self.state)
            self.found.relations |= actions(self.state)
        self.found.migrations = True
        if not old:
            self.found.problems += problems
            self.found.plays |= plays
        return self._numbered(self._parsed(python, made, old=old), together=together, sure=True)

    def _parsed(self, python: PythonFile, made: list[Sql], *, old: bool) -> list[Statement]:
        statements: list[Statement] = []
        for text in made:
            try:
                statements += read_statements(python, text)
            except CannotLook as error:
                if not old:
                    self.found.problems.append(str(error))
        return statements

    def _numbered(self, statements: list[Statement], *, together: bool, sure: bool) -> list[Step]:
        """Give each statement its transaction; with `together`, those outside BEGIN and COMMIT share one."""
        self._number += 1
        made: list[Step] = []
        number, certain, forward = (self._number if together else 0), sure, True
        for statement in statements:
            first = statement.tokens[0]
            if first.kind == "migration":
                forward = first.value != "down"
                continue
            if first.kind == "meta" or not forward:
                continue
            if first.value in ("begin", "start"):
                self._number += 1
                number, certain = self._number, True
            elif first.value in ("commit", "end", "rollback", "abort") and "to" not in (
                t.value for t in statement.tokens
            ):
                self._number += 1
                number, certain = 0, sure
            else:
                made.append(Step(statement, number, certain))
        return made


def _runs_alone(statement: Statement) -> bool:
    """Return whether PostgreSQL refuses a statement inside a transaction, so that a file with it runs without one."""
    words = [t.value for t in statement.tokens[:4] if t.kind == "word"]
    return words[:1] == ["vacuum"] or "concurrently" in words
