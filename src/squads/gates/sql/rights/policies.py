"""Row security policies: for which commands and roles they let rows through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Source, Token
from squads.gates.sql.model import TableName
from squads.gates.sql.rights.granting import role_names
from squads.gates.sql.rights.grants import PUBLIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy of a table."""

    name: str
    relation: TableName
    permissive: bool = True
    command: str = "all"
    roles: frozenset[str] = frozenset((PUBLIC,))
    closed: bool = False
    """Its condition is the word FALSE: it lets nothing through."""
    conditions: tuple[Token, ...] = field(default=(), compare=False)
    source: Source = field(compare=False)

    def lets(self, command: str, reach: frozenset[str]) -> bool:
        """Return whether it may let a row through for somebody with the rights of the roles in `reach`."""
        return (
            self.permissive
            and not self.closed
            and self.command in ("all", command)
            and not self.roles.isdisjoint(reach)
        )


def read_policy(cursor: Cursor, current: str) -> Policy:
    """Return what CREATE POLICY says, from its name on; the table's name is as written."""
    name = cursor.name()
    cursor.expect("on")
    relation = cursor.qualified()
    permissive, command, roles = True, "all", frozenset((PUBLIC,))
    using: Sequence[Token] = ()
    check: Sequence[Token] = ()
    while not cursor.done:
        if cursor.accept("as"):
            permissive = cursor.take().value == "permissive"
        elif cursor.accept("for"):
            command = cursor.take().value
        elif cursor.accept("to"):
            roles = frozenset(role_names(cursor, current))
        elif cursor.accept("using"):
            using = cursor.group()
        elif cursor.accept("with", "check"):
            check = cursor.group()
        else:
            cursor.fail("something in a policy that is not known")
    return Policy(
        name=name,
        relation=relation,
        permissive=permissive,
        command=command,
        roles=roles,
        closed=[t.value for t in (check or using)] == ["false"],
        conditions=(*using, *check),
        source=cursor.source,
    )
