"""The bytes of a roster: how they are made from a workspace, and how they are checked. Age is not judged here.

    squads.roster/v1                          (domain: no checkpoint, note or receipt begins like this)
    <base64 of the log key's signature over all of this without this line>
    <canonical JSON of contracts.roster.Roster>

A signature made for a roster must never be good for anything else that the log's key signs, nor the other way round.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final, Literal

from pydantic import ValidationError

from squads.contracts.errors import Denied
from squads.contracts.roster import EVERYTHING, Roster, RosterKey
from squads.kernel.view import EVERYTHING as WHOLE_WORKSPACE
from squads.kernel.view import View
from squads.ledger.errors import Malformed
from squads.ledger.keys import verify_signature
from squads.ledger.note import strict_base64
from squads.ledger.statement import strict_json
from squads.ledger.trust import Trust
from squads.stores import LOG
from squads.workspace import Workspace

ROSTER_BYTES_MAX: Final = 16 * 1024 * 1024
"""Room for some fifty thousand keys; what is longer is not read."""
SigningSaid = Literal["shared", "own", ""]
_DOMAIN: Final = b"squads.roster/v1\n"


async def roster_of(
    workspace: Workspace, *, number: int = 1, lifetime_ms: int = 30_000, signing: SigningSaid = ""
) -> bytes:
    """Return a workspace's roster as it stands now, signed with the log's key. Raises `LedgerError`.

    Every receipt below its index is in it: the head is read before the workspace's own stream. None is signed on a
    ledger that an anchor contradicts: a copy from before a revocation would let its key speak again.
    """
    await workspace.anchoring.compare()
    head = await workspace.ledger.head()
    await workspace.refresh()
    view, now = workspace.view, workspace.clock.now_ms()
    roster = Roster(
        workspace=workspace.id,
        number=max(number, 1),
        index=head.size,
        issued_ms=now,
        expires_ms=now + lifetime_ms,
        keys=_keys_in(view),
        stops=tuple(sorted(EVERYTHING if scope == WHOLE_WORKSPACE else scope for scope in view.stops)),
        signing=signing,
        checkpoint=head.checkpoint,
    )
    said = roster.canonical()
    signature = workspace.signer(LOG).sign(_DOMAIN + said)
    return b"%b%b\n%b" % (_DOMAIN, b64encode(signature), said)


def read_roster(content: bytes, trust: Trust) -> Roster:
    """Return what a roster says, if the log of `trust` signed it; how old it is, is for the caller to ask.

    The checks, in order: 1 its size; 2 its form; 3 the log's signature; 4 its shape; 5 the workspace. Raises `Denied`.
    """
    if len(content) > ROSTER_BYTES_MAX:
        raise Denied(
            f"a roster has at most {ROSTER_BYTES_MAX:,} bytes, this one {len(content):,}; it was not read"
        )  # 1
    domain, _, rest = content.partition(b"\n")
    mark, _, said = rest.partition(b"\n")
    if domain + b"\n" != _DOMAIN:
        raise Denied("what lies in the roster's place is no roster of a version that is known here")  # 2
    try:
        signature = strict_base64(mark[:128].decode("ascii", "replace"))
    except Malformed:
        signature = b""
    if not verify_signature(trust.log_key.public_key, signature, _DOMAIN + said):
        raise Denied(
            "the roster is not signed by the log that trust.json names: somebody else wrote it, or trust.json is of "
            "another workspace; compare it with the one beside the ledger"
        )  # 3
    try:
        roster = Roster.model_validate(strict_json(said))  # 4
    except (Malformed, ValidationError) as error:
        raise Denied(f"the roster is none that this version can read; update squads here: {_first(error)}") from None
    if roster.workspace != workspace_in(trust):
        raise Denied(f"the roster is of workspace {roster.workspace}, and trust.json of {workspace_in(trust)}")  # 5
    return roster


def workspace_in(trust: Trust) -> str:
    """Return the id of the workspace whose log `trust` names."""
    return trust.origin.split("/")[2]


def span(duration_ms: int) -> str:
    """Return a duration in words, rounded down: `12 s`, `5 min`, `3 h`, `2 days`."""
    seconds = duration_ms // 1000
    for size, step, unit in ((1, 120, "s"), (60, 7_200, "min"), (3_600, 172_800, "h")):
        if seconds < step:
            return f"{seconds // size} {unit}"
    return f"{seconds // 86_400} days"


def _keys_in(view: View) -> tuple[RosterKey, ...]:
    return tuple(
        RosterKey(key=key.hex(), public_key=known.public_key.hex(), roles=tuple(sorted(known.roles)))
        for key, known in sorted(view.registry.keys.items())
        if known.holds_at(view.index)
    )


def _first(error: Malformed | ValidationError) -> str:
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, found['loc'])) or 'roster'}: {found['msg']}"
    return str(error)
