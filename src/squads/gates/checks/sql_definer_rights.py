"""`sql.definer-rights`: what runs with other rights than its caller's works, and cannot be taken over.

Why it matters: a trigger function without SECURITY DEFINER runs with the rights of whoever writes the table. If it
writes an audit row where the application's role was never granted INSERT, every write of the application fails, or,
behind an EXCEPTION handler, the audit row is silently missing. Tests run as the owner and see nothing of it. The other
way round, SECURITY DEFINER without a closed search_path lets its caller choose the objects that run with the owner's
rights.

Refused:

    CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);
    CREATE TABLE audit_events (id bigint GENERATED ALWAYS AS IDENTITY, what text NOT NULL);
    GRANT SELECT, INSERT, UPDATE ON orders TO app;
    GRANT INSERT ON audit_events TO auditor;
    CREATE FUNCTION audit_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO audit_events (what) VALUES (TG_OP); RETURN NEW; END $$;
    CREATE TRIGGER audit_order AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audit_order();

Approved: the same, and

    GRANT INSERT ON audit_events TO app;

or the function as `SECURITY DEFINER SET search_path = public, pg_temp`, owned by a role that may write there.

What is weighed, and how heavily:

- A role that the artifact lets write a table lacks a right that the table's triggers need (on tables, columns,
  sequences of serial columns, schemas, functions, or a row security policy), or one that the expressions of a table,
  view or policy need, and the bodies of the functions that they call, or the body of a function that it was granted by
  name: major, refused. So is an owner of a SECURITY DEFINER function that lacks what its body needs.
- An artifact that grants nothing shows no such role: then nothing is said. What the runner of the artifact owns, the
  runner may use.
- SECURITY DEFINER without SET search_path, or with one that is open: "$user", a schema in which the artifact lets
  others create, pg_temp before other schemas, or no pg_temp while the body names tables without a schema: major,
  refused. So is a path that does not lead to what the body names.
- A text parameter of a SECURITY DEFINER function that comes into the text of EXECUTE, joined or filled in by %s, over
  however many variables: major, refused, at EXECUTE and where it came in. Quoting, %I and %L, USING, a CASE whose
  results are written out, and a refusal of all but a list close it; a length, a search for semicolons do not. Where
  EXECUTE is granted to a role by name and PUBLIC may still execute a function that reads or writes tables: major, too,
  as the grant was meant to narrow it.
- SECURITY DEFINER that nobody but its owner may execute, and that nothing in the artifact uses, while other roles are
  granted other things: major, refused. It was meant to be called.
- `public` on the path where nothing says who may create there, pg_temp not listed while every name is qualified, a path
  set in the body, compiled code, bodies bound at creation (BEGIN ATOMIC), and EXECUTE left to PUBLIC on a function that
  writes: a note.

A finding stands where the right is needed, at the head of the function that needs it, and at the REVOKE or ALTER
that took it away later, if one did.

Where it comes from: the fourth catch in "The Team is the Architecture"; PostgreSQL's documentation of CREATE FUNCTION,
"Writing SECURITY DEFINER Functions Safely". What is refused was tried on PostgreSQL 15.
"""

from __future__ import annotations

from collections.abc import Iterator

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.gates.check import CannotLook, check
from squads.gates.place import Place
from squads.gates.sql import SCHEMA_FILES, holds_schema, quoted, read_schema
from squads.gates.sql.model import HOLE
from squads.gates.sql.rights.authority import Authority
from squads.gates.sql.rights.grants import PUBLIC
from squads.gates.sql.rights.injection import Injected, injected
from squads.gates.sql.rights.lookup import look_up
from squads.gates.sql.rights.needs import Need, needs, unreachable
from squads.gates.sql.rights.reach import Reach
from squads.gates.sql.rights.replay import read_authority
from squads.gates.sql.rights.routines import Routine

INVARIANT = Invariant(
    id="sql.definer-rights",
    statement="What runs with, or needs, other rights than its caller's works for it and cannot be taken over.",
    why=(
        "A trigger that writes where the application's role may not makes every write fail, or loses its rows "
        "silently; SECURITY DEFINER with an open search_path gives the owner's rights to whoever calls it."
    ),
    severity=Severity.MAJOR,
    cwe=732,
    refused=(
        "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\n"
        "CREATE TABLE audit_events (id bigint GENERATED ALWAYS AS IDENTITY, what text NOT NULL);\n"
        "GRANT SELECT, INSERT, UPDATE ON orders TO app;\n"
        "GRANT INSERT ON audit_events TO auditor;\n"
        "CREATE FUNCTION audit_order() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        "BEGIN INSERT INTO audit_events (what) VALUES (TG_OP); RETURN NEW; END $$;\n"
        "CREATE TRIGGER audit_order AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audit_order();"
    ),
    approved=(
        "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric NOT NULL);\n"
        "CREATE TABLE audit_events (id bigint GENERATED ALWAYS AS IDENTITY, what text NOT NULL);\n"
        "GRANT SELECT, INSERT, UPDATE ON orders TO app;\n"
        "GRANT INSERT ON audit_events TO app, auditor;\n"
        "CREATE FUNCTION audit_order() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        "BEGIN INSERT INTO audit_events (what) VALUES (TG_OP); RETURN NEW; END $$;\n"
        "CREATE TRIGGER audit_order AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audit_order();"
    ),
    origin='"The Team is the Architecture", catch 4; PostgreSQL documentation, CREATE FUNCTION.',
)
_TEXT_MAX = 4_000
_LISTED_MAX = 6


@check(INVARIANT, files=SCHEMA_FILES, holds=holds_schema)
def definer_rights(artifact: Artifact) -> list[Finding]:
    """Return the routines of the final schema that lack rights, or that lend theirs to whoever calls them."""
    authority = read_authority(read_schema(artifact))
    reach = Reach(authority)
    lookups = [found for routine in authority.routines.values() for found in _lookups(authority, reach, routine)]
    findings = [f for f in lookups if isinstance(f, Finding)]
    findings += [_injected(one) for one in injected(authority)]
    unknown = [f for f in lookups if isinstance(f, str)]
    needed = needs(authority, reach)
    lacking = [finding for need in needed for finding in _lacking(authority, need)]
    alone = [finding for routine in unreachable(authority, reach) for finding in _alone(authority, routine)]
    if authority.dynamic is not None and (lacking or alone):
        unknown.append(
            f"{authority.dynamic}: rights are given by SQL that is put together while it runs, and without it "
            f"{(lacking or alone)[0].message[:200]}; write the grants as plain statements"
        )
    elif authority.unnamed_roles and any(HOLE not in k.role for need in needed for k in need.lacks):
        unknown.append(
            f"{needed[0].lacks[0].place}: {lacking[0].message[:300]} A role that is named only when the code runs "
            "is granted rights too, and it may be the same; write its name as a constant"
        )
    else:
        findings += lacking + alone
    unknown += reach.unknown
    if unknown and not any(f.severity >= Severity.MAJOR for f in findings):
        raise CannotLook(unknown[0])
    return findings


def _lookups(authority: Authority, reach: Reach, routine: Routine) -> Iterator[Finding | str]:
    if not routine.definer or routine.schema == "pg_temp":  # one session's own
        return
    found = look_up(authority, reach, routine)
    if found.unknown:
        yield found.unknown
    said = found.open_ways or found.remarks
    if said:
        severity = Severity.MAJOR if found.open_ways else Severity.NOTE
        rights = f"the rights of {quoted(routine.owner)}" if routine.owner else "its owner's rights"
        message = f"{routine} runs with {rights}, and {'; '.join(said)}."
        yield _finding(severity, message, routine.place, _head(routine), found.satisfy)
        taken = _taken(authority, {routine.name}, set()) if found.open_ways else None
        if taken and taken != routine.place:
            yield _finding(severity, message, taken, taken.text, found.satisfy)
    open_to_all = authority.grants.may(PUBLIC, "execute", ("routine", routine.key))
    body = reach.body(routine)
    named = {who for who, thing in authority.intended if thing == ("routine", routine.key)}
    writes = any(u.act in _WRITES for u in body.uses)
    if routine.created and not routine.fires and open_to_all and (writes or (named and body.uses)):
        revoke = f"REVOKE EXECUTE ON {routine.kind.upper()} {routine} FROM PUBLIC;"
        message = f"{routine} {'writes' if writes else 'reads'} with its owner's rights, and everybody may execute it."
        severity = Severity.MAJOR if named - {PUBLIC} else Severity.NOTE
        yield _finding(severity, message, routine.place, _head(routine), revoke)


def _injected(one: Injected) -> Finding:
    message = (
        f"{one.routine} runs with its owner's rights SQL that its caller writes: {one.name} is joined into the text of "
        "EXECUTE as it is."
    )
    satisfy = f"EXECUTE format('... %I ... %L', {one.name}), or EXECUTE '... $1 ...' USING {one.name}"
    return _finding(Severity.MAJOR, message, one.place, one.place.text, satisfy)


_WRITES = frozenset(("insert", "update", "delete", "truncate"))


def _lacking(authority: Authority, need: Need) -> Iterator[Finding]:
    """Yield what a need lacks where the body needs it, and at the later statement that took it away, if one did."""
    rights = [lack.right for lack in need.lacks]
    listed = ", ".join(dict.fromkeys(rights[:_LISTED_MAX]))
    roles = ", ".join(dict.fromkeys(_role(k.role) for k in need.lacks))
    message = f"{need.what}, which runs as {roles}, needs {listed}, and nothing grants it: {need.fails}."
    satisfy = "\n".join(dict.fromkeys(lack.grant for lack in need.lacks))
    place = need.lacks[0].place
    yield _finding(Severity.MAJOR, message, place, place.text, satisfy)
    if need.routine is not None and need.routine.created and need.routine.place.line < place.line - 3:
        yield _finding(Severity.MAJOR, message, need.routine.place, _head(need.routine), satisfy)
    wanted = {*_names_in(need.what), *(_names_in(rights[0])[-1:])}
    if taken := _taken(authority, wanted, {PUBLIC, *(lack.role for lack in need.lacks)}):
        yield _finding(Severity.MAJOR, message, taken, taken.text, satisfy)


def _taken(authority: Authority, names: set[str], roles: set[str]) -> Place | None:
    """Return the last statement that took a right on one of `names` from one of `roles`, or changed whose they are."""
    for words, place in reversed(authority.taken):
        from_them = "revoke" not in words or not words.isdisjoint(roles)
        if from_them and not words.isdisjoint(names):
            return place
    return None


def _names_in(text: str) -> list[str]:
    """Return the words of a sentence that may be names: of `inv.apply()` in brackets, `apply`."""
    return [w.rsplit(".", 1)[-1].split("(")[0].strip('"') for w in text.replace("(", "( ").replace("( )", "()").split()]


def _role(name: str) -> str:
    if HOLE in name:
        return "the role that the code names when it runs"
    return "everybody" if name == PUBLIC else quoted(name)


def _alone(authority: Authority, routine: Routine) -> Iterator[Finding]:
    message = (
        f"{routine} is SECURITY DEFINER, and nobody but its owner may execute it: EXECUTE is revoked from PUBLIC and "
        "granted to nobody, and nothing in this artifact calls it."
    )
    satisfy = f"GRANT EXECUTE ON {routine.kind.upper()} {routine} TO the_role_that_calls_it;"
    yield _finding(Severity.MAJOR, message, routine.place, _head(routine), satisfy)
    taken = _taken(authority, {routine.name}, {PUBLIC})
    if taken is not None and taken != routine.place:
        yield _finding(Severity.MAJOR, message, taken, taken.text, satisfy)


def _head(routine: Routine) -> str:
    """Return the statement without its body."""
    if routine.body is None or routine.source is None:
        return routine.place.text
    start = routine.place.text.find(routine.body.text)
    after = start + len(routine.body.text)
    return routine.place.text if start < 0 else f"{routine.place.text[:start]}...{routine.place.text[after:]}"


def _finding(severity: Severity, message: str, place: Place, evidence: str, satisfy: str) -> Finding:
    return Finding(
        invariant=INVARIANT.id,
        severity=severity,
        message=message[:_TEXT_MAX],
        location=Location(path=place.path, line=place.line, column=place.column, end_line=place.end_line),
        evidence=evidence[:_TEXT_MAX],
        satisfy=satisfy[:_TEXT_MAX],
    )
