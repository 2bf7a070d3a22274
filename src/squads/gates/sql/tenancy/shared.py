"""Which tables tenants share, and what a way from tenant to tenant is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from squads.gates.place import Place
from squads.gates.sql.expressions import parsed
from squads.gates.sql.model import Schema
from squads.gates.sql.tenancy.rows import RowSecurity
from squads.gates.sql.tenancy.words import AMBIGUOUS, is_strong_key, many_of, may_be_key, names_person, root_of

if TYPE_CHECKING:
    from sqlglot import exp

_CLAUSES = re.compile(r"[.;!?](?=\s|$)|\n\s*\n|\b(?:while|whereas|but|except)\b")
_NAMED = re.compile(r"`([A-Za-z_]\w*)`")
_SHARED_BY = re.compile(
    r"\bshare[ds]?\b|\b(of|by|for|from|between) (all|every|each|many|several|different|one|a single)\b"
    r"|\bbelongs?\b|\bcarr(y|ies)\b"
    r"|\btenants?\b|\bowned\b|\bhold|\bkept apart\b|\bper (tenant|company|account|shop|customer|organi[sz]ation)\b",
    re.IGNORECASE,
)
_COMMON = re.compile(
    r"\b(same for|common to|no tenant|belongs? to nobody|without (an? )?`|has no `|have no `)", re.IGNORECASE
)


_SESSION = re.compile(r"current_setting|\bauth\s*\.\s*\w+\s*\(|\bjwt\b|session_user|current_user", re.IGNORECASE)
_TENANCY = re.compile(
    r"\bshar(?:e|es|ed|ing)\b|\bmulti-?tenan|\bapart\b|\bisolat|\bone (?:\w+ )?(?:table|database|schema|instance)\b"
    r"|\bsame (?:\w+ )?(?:tables?|database|schema)\b"
    r"|\b(?:database|tables?|schema) (?:\w+ )?(?:holds?|contains?|keeps?|serves?)\b"
    r"|\brow[- ]level security\b|\bhosted\b|\bplatform\b|\bown\b"
    r"|\bholds? (?:\w+ ){0,2}(?:of|for) (?:all|every|each|many|several)\b"
    r"|\b(?:every|each|all) (?:query|queries|rows?|tables?|statements?|records?)\b"
    r"|\beiner (?:\w+ )?(?:datenbank|tabelle)\b|\bteilen\b|\bgemeinsame"
)
_STRICT = re.compile(
    r"\b(must|may|can|shall|should) (only |never |not )?(stay|see|read|reach|keep|be seen|touch|open|list|find)\b"
    r"|\bnobody\b|\bnever\b|\bkept apart\b|\bits own\b|\btheir own\b|\bonly (their|its|the)\b|\bno other\b",
    re.IGNORECASE,
)
_RESOURCES = (
    r"(database|schema|table|tables|platform|cluster|instance|server|hosting|deployment|by|between|across|among|postgres"
    r"|application|service|system|backend|one|installation)\b"
)
_SHARING = re.compile(
    rf"\b(public\w*|publish\w*|visib\w*|catalog\w*|default|shared?|sharing)\b(?!\s+(\w+\s+)?{_RESOURCES})",
    re.IGNORECASE,
)


def keeps_all(brief: str) -> bool:
    """Return whether a brief keeps every row to its tenant, and speaks of none that tenants share on purpose."""
    return _STRICT.search(brief) is not None and _SHARING.search(brief) is None


@dataclass(frozen=True, slots=True)
class Crossing:
    """One way from tenant to tenant."""

    place: Place
    message: str
    satisfy: str
    certain: bool = True
    about: str = ""
    """The table, view or function it is about."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The tables that tenants share."""

    keyed: Mapping[str, frozenset[str]]
    learned: frozenset[str]
    """Keys that policies compare with the session."""
    composite: frozenset[str]
    """Tables whose primary key holds the tenant's key: their ids alone name no row."""
    alone: frozenset[tuple[str, str]] = frozenset()
    """(table, column) of what names one row over all tenants."""
    repeating: frozenset[tuple[str, str]] = frozenset()
    """(table, column) of what names one row only together with the key."""
    below: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Tables without a key whose rows belong to guarded ones: with the columns that refer to those."""


def shared_tables(schema: Schema, rows: RowSecurity, brief: str = "") -> Shared:
    """Return which tables have a tenant's key: by its name, by the brief, or because a policy uses it as one."""
    columns = {t.name: {c.name for c in schema.resolved(t).columns} for t in schema.tables}
    learned: set[str] = set()
    for policy in rows.policies.values():
        for condition in (policy.using, policy.check):
            learned |= {k for k in _keys_in(condition, rows) if k in columns.get(policy.table, {k})}
    told = keys_told(brief, {n for names in columns.values() for n in names})
    given = {root_of(p) for h in rows.helpers.values() for p in h.parameters if p}
    told = told | frozenset(
        n for names in columns.values() for n in names if may_be_key(n) and root_of(n) in given - AMBIGUOUS
    )
    keyed: dict[str, frozenset[str]] = {}
    composite: set[str] = set()
    alone: set[tuple[str, str]] = set()
    repeating: set[tuple[str, str]] = set()
    below: dict[str, frozenset[str]] = {}
    for table in schema.tables:
        names = columns[table.name]
        guarded = table.name in rows.enabled and bool(rows.of(table.name))
        keys = frozenset(n for n in names if n in learned or n in told or is_strong_key(n))
        if not keys and guarded:
            keys = frozenset(n for n in names if may_be_key(n) and n != "id")
        if learned & keys:
            keys = frozenset(learned & keys)
        keys = frozenset(k for k in keys if table.name not in many_of(root_of(k)))
        if not keys or table.temporary:
            continue
        keyed[table.name] = keys
        alone |= {
            (table.name, k.elements[0].column)
            for k in schema.resolved(table).keys
            if len(k.elements) == 1 and not k.predicate
        }
        for key in schema.resolved(table).keys:
            held = {e.column for e in key.elements}
            if held & keys and len(held - keys) == 1 and not key.predicate:
                repeating |= {(table.name, c) for c in held - keys}
        primary = next((k for k in schema.resolved(table).keys if k.primary), None)
        members = {e.column for e in primary.elements} if primary else set()
        if members & keys and members - keys:
            composite.add(table.name)
    for table in schema.tables:
        if table.name not in keyed and not table.temporary:
            up = {
                r.columns[0]
                for r in table.references
                if len(r.columns) == 1 and r.table[1] in keyed and r.table[1] in rows.enabled and rows.of(r.table[1])
            }
            if up and (rows.of(table.name) or rows.roles_of(table.name)):
                below[table.name] = frozenset(up)
    return Shared(
        keyed, frozenset(learned), frozenset(composite), frozenset(alone), frozenset(repeating - alone), below
    )


def _keys_in(condition: str, rows: RowSecurity) -> set[str]:
    """Return the columns that a condition compares with the session, directly or by a function of the schema."""
    from sqlglot import exp

    if not condition:
        return set()
    try:
        tree = parsed(condition)
    except (ValueError, RecursionError):
        return set()
    found = set()
    for node in tree.find_all(exp.EQ, exp.In):
        column = node.this
        while isinstance(column, exp.Cast):
            column = column.this
        if isinstance(column, exp.Column) and (may_be_key(column.name) or _is_set(column.name, node, rows)):
            found.add(column.name)
    for call in tree.find_all(exp.Anonymous):
        helper = rows.helpers.get(call.name.lower())
        if helper is not None and _SESSION.search(helper.text):
            names = [c.name for a in call.expressions for c in a.find_all(exp.Column)]
            found |= {n for n in names if n.endswith("_id") and not names_person(n)}
    return found


def _is_set(name: str, comparison: exp.Expr, rows: RowSecurity) -> bool:
    """Return whether a column is compared with what the session holds under its name: `app.garden`, `my_garden()`."""
    from sqlglot import exp

    stem = root_of(name)
    if len(stem) < 3 or names_person(name):
        return False
    for call in comparison.find_all(exp.Anonymous):
        setting = call.expressions[0] if call.name.lower() == "current_setting" and call.expressions else None
        if isinstance(setting, exp.Literal) and root_of(setting.name.rsplit(".", 1)[-1]) == stem:
            return True
        helper = rows.helpers.get(call.name.lower())
        if helper is not None and stem in call.name.lower() and _SESSION.search(helper.text):
            return True
    return False


def keys_told(brief: str, names: Iterable[str]) -> frozenset[str]:
    """Return those names that are the key of what a brief says the tables are shared by: schools, utilities."""
    said = re.sub(r"\s+", " ", re.sub(r"[`\u2018\u2019]", "'", brief.lower()))
    written = set(re.findall(r"\w+", said)) if _TENANCY.search(said) else set()
    return frozenset(
        n
        for n in names
        if _ends_as_key(n)
        and not names_person(n)
        and (_shares(said, root_of(n)) or (n in written and n.endswith("_id") and may_be_key(n)))
    )


def may_keep_apart(brief: str, stem: str) -> bool:
    """Return whether a brief leaves room for tenants at all: it is empty, speaks of sharing, or of each such one."""
    said = re.sub(r"\s+", " ", brief.lower())
    if not said.strip(" -") or _TENANCY.search(said) or re.search(r"\btenan|\bmandant", said):
        return True
    noun = "|".join(re.escape(w) for w in sorted(many_of(stem.replace("_", " ")), reverse=True))
    others = (
        r"each|every|all|many|several|other|another|own|per|one|different|the caller's|signed-in|jede[rns]?|viele|alle"
    )
    return re.search(rf"\b(?:{others}) (?:\w+ )?(?:{noun})\b", said) is not None


def _ends_as_key(name: str) -> bool:
    return re.search(r"_(id|uuid|ref|slug|key|code|no)$", name) is not None or name == root_of(name)


def _shares(said: str, stem: str) -> bool:
    """Return whether a brief speaks of a noun as of those who share tables and are kept apart."""
    many_of_it = sorted(many_of(stem.replace("_", " ")), reverse=True)
    if len(stem) < 3 or not any(w in said for w in many_of_it):
        return False
    noun = "(?:" + "|".join(re.escape(w) for w in many_of_it) + ")"
    apart = (
        rf"\b{noun} (?:\w+ ){{0,2}}(?:share|use|embed)\b"
        rf"|\b(?:shared|used|hosted) (?:by|between|across|among) (?:\w+ ){{0,4}}{noun}\b"
        rf"|\bshared \w+ (?:of|for) (?:\w+ )?{noun}\b"
        rf"|\b(?:another|other|no other|any other|foreign|its own|their own|own|wrong) (?:\w+ )?{noun}\b"
        rf"|\b(?:within|inside|belongs? to|keeps? to|kept to|limited to|scoped to|stays? in) (?:\w+ )?{noun}\b"
        rf"|\b{noun}'s own\b|\bmulti-?{noun}\b|\b(?:per|by) {noun}\b.*\bisolat"
        rf"|\b{noun} (?:\w+ )?(?:never|cannot|must not|may not) (?:see|read|reach|touch|find|get|learn|show)\w*\b"
        rf"|\b{noun} (?:\w+ ){{0,3}}each other"
    )
    if stem not in AMBIGUOUS and may_be_key(stem):
        apart += rf"|\b(?:for|of|by|to|inside|within) (?:one|each|a single|the (?:caller's|current|signed-in)) {noun}\b"
    apart += rf"|\b(?:each|every) {noun} (?:\w+ )?(?:sees|reads|may|can|must|only|has (?:its|their))\b"
    shared = _TENANCY.search(said) is not None
    if stem in AMBIGUOUS and not shared:
        return False
    if re.search(apart, said):
        return True
    many = (
        r"\b(?:many|several|multiple|all|every|each|different|various|hundreds of|dozens of|between|across|viele[nr]?"
        rf"|mehrere[nr]?|alle[nr]?|jede[rnms]?|verschiedene[nr]?) (?:\w+ )?{noun}\b"
    )
    return shared and re.search(many, said) is not None


_EVERY = re.compile(
    r"\b(?:all|every|each)(?: of)? (?:the |its |their )?(?:\w+ )?tables?\b"
    r"(?! (?:with|that|but|which|except|named|called)\b)"
    r"|\b(?:every|each) (?:row|record) (?:carries|has|holds|bears|names|belongs|is marked|with)\b"
    r"|\bshares? (?:the |their |these )?(?:same )?tables(?=\s*(?:[.;,:)]|$))",
    re.IGNORECASE,
)
_KNOWN_TO_ALL = re.compile(r"public|catalog|global|lookup|reference data|master data|central", re.IGNORECASE)


def every_key(brief: str, words: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys that every table has by a brief, and the words of what it says is the same for all."""
    if _EVERY.search(brief) is None:
        return frozenset(), frozenset()
    common = (c for c in _CLAUSES.split(brief) if _COMMON.search(c) or _KNOWN_TO_ALL.search(c))
    return keys_told(brief, {w for w in words if w.endswith("_id")}), frozenset(
        w.lower() for c in common for w in re.findall(r"\w+", c)
    )


def told_in(brief: str, tables: Iterable[str] = (), words: Iterable[str] = ()) -> dict[str, frozenset[str]]:
    """Return the tables that a brief calls shared, with the key it names: "`orders` and `lines` (`org_id`)".

    Args:
        brief: What was asked for.
        tables: Tables that queries name, which the brief may name without marks around them.
        words: The words of the programs, among which the keys of those are that the brief keeps apart.
    """
    found: dict[str, frozenset[str]] = {}
    known = {t.lower() for t in tables}
    written = {w for w in words if w.endswith("_id")}
    words = {w.lower() for w in re.findall(r"[A-Za-z]+", re.sub(r"`[^`]*`", " ", brief))}
    marked = {n.lower() for n in _NAMED.findall(brief)} | {n.lower() for n in re.findall(r"\b[a-z]+_id\b", brief)}
    every = {n for n in marked if _is_told_key(n, words)}
    every = every or set(keys_told(brief, written))
    for said in _CLAUSES.split(brief):
        names = [n.lower() for n in _NAMED.findall(said)]
        names += [w for w in re.findall(r"\b\w+\b", said.lower()) if w in known or w in every]
        keys = {n for n in names if n in every} or (every if len(every) == 1 else set())
        if not keys or not _SHARED_BY.search(said) or _COMMON.search(said):
            continue
        for name in names:
            own = frozenset(k for k in keys if name not in many_of(root_of(k)))
            if name not in every and own:
                found[name] = found.get(name, frozenset()) | own
    return found


def _is_told_key(name: str, words: set[str]) -> bool:
    """Return whether a name of the brief is a tenant's key: by itself, or as the brief speaks of those it names."""
    if is_strong_key(name):
        return True
    stem = name.removesuffix("_id")
    if stem == name or stem in ("user", "owner", "person"):
        return False
    many = {f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies"}
    return bool(many & words) or (may_be_key(name) and stem in words)
