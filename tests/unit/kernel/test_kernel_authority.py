"""Who may sign what, and who may stop and lift."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from kernel_scene import PACKET, WORKSPACE, digest, key, view_of

from squads.contracts.records import GrantRecord, LiftRecord, Record, StopRecord
from squads.kernel.authority import may_sign
from squads.kernel.effects import Ignore
from squads.kernel.view import View, admit, keyed
from squads.ledger.errors import Malformed, Unauthorised
from squads.ledger.types import KINDS, NAMED_ROLES
from squads.testing import FixedSigner


def grant(subject: str, scope: str, **change: object) -> GrantRecord:
    return GrantRecord(workspace=WORKSPACE, subject=subject, scope=scope, **change)  # type: ignore[arg-type]


def told(view: View, record: Record, who: str, *, now: int = 1_000) -> View:
    after = admit(view, record, key=key(who), time_ms=now)
    assert isinstance(after, View), after
    return after


def why_not(view: View, record: Record, who: str) -> str:
    after = admit(view, record, key=key(who), time_ms=1_000)
    assert isinstance(after, Ignore)
    return after.reason


def stop(author: str, packet: str | None = None) -> StopRecord:
    return StopRecord(workspace=WORKSPACE, packet=packet, author=author, content=digest("why"))


def lift(author: str, packet: str | None = None) -> LiftRecord:
    return LiftRecord(workspace=WORKSPACE, packet=packet, author=author, content=digest("why"))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"waiver"}))
def test_exactly_the_tables_roles_may_sign(kind: str) -> None:
    """What is not in the table of kinds is denied."""
    roles = {r: r if r not in NAMED_ROLES else f"{r}:name" for r in ("root", "runner", "program", *NAMED_ROLES)}

    allowed = {kind_of for kind_of, role in roles.items() if may_sign(kind, {role}, {}, now_ms=0)}

    assert KINDS[kind].signers == allowed


@pytest.mark.parametrize("roles", [set(), {"nobody"}, {"gatekeeper:schema"}, {""}])
def test_nobody_may_sign_anything(roles: set[str]) -> None:
    """Unknown roles hold no scope."""
    assert not any(may_sign(kind, roles, {}, now_ms=0) for kind in KINDS)


def test_an_unknown_kind_is_denied() -> None:
    """Also to the root."""
    assert not may_sign("coup", {"root", "runner"}, {}, now_ms=0)


def test_a_waiver_needs_a_grant() -> None:
    """A waiver speaks against a gate, so its author is named by the root first."""
    granted = {("human:mara", "waiver"): grant("human:mara", "waiver")}

    assert not may_sign("waiver", {"human:mara"}, {}, now_ms=0)
    assert may_sign("waiver", {"human:mara"}, granted, now_ms=0)
    assert not may_sign("waiver", {"human:nils"}, granted, now_ms=0)


def test_a_grant_ends_at_its_time() -> None:
    """At the very millisecond it is over."""
    granted = {("human:mara", "waiver"): grant("human:mara", "waiver", expires_ms=100)}

    assert may_sign("waiver", {"human:mara"}, granted, now_ms=99)
    assert not may_sign("waiver", {"human:mara"}, granted, now_ms=100)


def test_a_revoked_scope_is_denied() -> None:
    """The root narrows what a role holds by default."""
    revoked = {("gate:schema", "verdict"): grant("gate:schema", "verdict", revoked=True)}

    assert not may_sign("verdict", {"gate:schema"}, revoked, now_ms=0)
    assert may_sign("verdict", {"gate:style"}, revoked, now_ms=0)


def test_only_the_root_grants() -> None:
    """The newest grant of a scope counts."""
    view = view_of()

    assert why_not(view, grant("human:mara", "waiver"), "human:mara") == "no authority to sign grant"
    granted = told(view, grant("human:mara", "waiver"), "root")
    assert may_sign("waiver", {"human:mara"}, granted.grants, now_ms=0)
    taken = told(granted, grant("human:mara", "waiver", revoked=True), "root")
    assert not may_sign("waiver", {"human:mara"}, taken.grants, now_ms=0)


@pytest.mark.parametrize(
    "who", ["program", "runner", "gate:schema", "builder:carpenter", "coordinator:coord", "human:mara"]
)
def test_anyone_may_stop(who: str) -> None:
    """Whoever holds a key, for the workspace or for one packet."""
    author = who.split(":")[-1]

    assert told(view_of(), stop(author), who).stopped(PACKET)
    assert told(view_of(), stop(author, PACKET), who).stopped(PACKET)


def test_a_stop_of_one_packet_holds_that_packet_only() -> None:
    """Others go on."""
    view = told(view_of(), stop("mara", PACKET), "human:mara")

    assert view.stopped(PACKET)
    assert not view.stopped("d" * 32)


def test_nobody_stops_in_another_name() -> None:
    """Who stopped decides who may lift."""
    assert why_not(view_of(), stop("nils"), "human:mara") == "signed for somebody else"


def test_a_stranger_stops_nothing() -> None:
    """A key without a role has no scope."""
    assert why_not(view_of(), stop("mara"), "stranger") == "no authority to sign stop"


def test_a_stop_in_force_is_not_set_again() -> None:
    """The first one counts, with its author."""
    assert why_not(told(view_of(), stop("mara"), "human:mara"), stop("nils"), "human:nils") == "already stopped"


@pytest.mark.parametrize("who", ["program", "runner", "gate:schema", "builder:carpenter"])
def test_only_a_person_lifts(who: str) -> None:
    """Not even the program that stopped."""
    stopped = told(view_of(), stop(who.split(":")[-1]), who)

    assert why_not(stopped, lift(who.split(":")[-1]), who) == "no authority to sign lift"


def test_another_person_lifts() -> None:
    """And afterwards nothing is stopped."""
    stopped = told(view_of(), stop("mara"), "human:mara")

    assert not told(stopped, lift("nils"), "human:nils").stopped(PACKET)


def test_whoever_stopped_does_not_lift_where_there_is_another() -> None:
    """Two pairs of eyes, as soon as there are two."""
    stopped = told(view_of(), stop("mara"), "human:mara")

    assert "whoever stopped it" in why_not(stopped, lift("mara"), "human:mara")


def test_a_second_key_does_not_make_a_second_person() -> None:
    """The name counts, not the key."""
    view = view_of(**{"human:mara": ["human:mara"], "mara's laptop": ["human:mara"], "human:nils": ["human:nils"]})
    stopped = told(view, stop("mara"), "mara's laptop")

    assert "whoever stopped it" in why_not(stopped, lift("mara"), "human:mara")


def test_a_person_alone_lifts_their_own_stop() -> None:
    """Where nobody else could, a stop must not be for ever."""
    stopped = told(view_of("human:mara"), stop("mara"), "human:mara")

    assert not told(stopped, lift("mara"), "human:mara").stopped(PACKET)


def test_lifting_the_workspace_leaves_a_packets_stop() -> None:
    """Each stop is lifted by itself."""
    stopped = told(told(view_of(), stop("mara"), "human:mara"), stop("mara", PACKET), "human:mara")

    after = told(stopped, lift("nils"), "human:nils")

    assert after.stopped(PACKET)
    assert not after.stopped("d" * 32)


def test_there_must_be_something_to_lift() -> None:
    """A lift in advance would be a stop that nobody sees."""
    assert why_not(view_of(), lift("mara"), "human:mara") == "nothing to lift"


def test_nobody_lifts_in_another_name() -> None:
    """A person's key lifts as that person."""
    stopped = told(view_of(), stop("program"), "program")

    assert why_not(stopped, lift("nils"), "human:mara") == "signed for somebody else"


def test_another_workspaces_records_change_nothing() -> None:
    """Nothing crosses the boundary of a workspace."""
    foreign = StopRecord(workspace="f" * 32, author="mara", content=digest("why"))

    assert why_not(view_of(), foreign, "human:mara") == "another workspace"


def test_what_is_admitted_moves_the_view_on() -> None:
    """One receipt longer, and keys are judged as of behind it."""
    view = view_of()

    assert admit(view, stop("mara"), key=key("human:mara"), time_ms=0, index=77) == replace(
        told(view, stop("mara"), "human:mara"), index=78
    )


def revocation(name: str, since: int) -> dict[str, object]:
    return {"event": "revoke", "key": key(name), "reason": "lost", "suspect_from_index": since}


def test_a_revoked_key_holds_no_role() -> None:
    """From the next receipt on; its name is held by nobody any more."""
    signers = [sha256(b"root").digest()]

    view = keyed(view_of(), revocation("gate:schema", 31), index=30, signers=signers)

    assert view.roles_of(key("gate:schema")) == frozenset()
    assert view.holders("gate:schema") == []
    assert view.holders("gate:style") == [key("gate:style")]


def registration(signer: FixedSigner, role: str, since: int) -> dict[str, object]:
    return {
        "event": "register",
        "key": signer.key_id.hex(),
        "public_key": signer.public_key.hex(),
        "alg": "ed25519",
        "subject": role,
        "roles": [role],
        "custody": "in-process",
        "not_before_index": since,
    }


def test_a_key_speaks_between_its_registration_and_its_rotation_and_no_clock_is_asked() -> None:
    """The view judges by the index that it has reached; the time of a receipt says nothing about keys."""
    signers = [sha256(b"root").digest()]
    one, two = FixedSigner("one"), FixedSigner("two")
    rotation = {"event": "rotate", "old_key": one.key_id.hex()} | registration(two, "gate:new", 0)
    rotation |= {"event": "rotate"}
    for field in ("subject", "roles"):
        del rotation[field]

    before = view_of()
    registered = keyed(before, registration(one, "gate:new", 0), index=30, signers=signers)
    rotated = keyed(registered, rotation, index=31, signers=[*signers, one.key_id])

    assert [before.roles_of(one.key_id.hex()), before.roles_of(two.key_id.hex())] == [frozenset()] * 2
    assert [[one.key_id.hex()], [two.key_id.hex()]] == [v.holders("gate:new") for v in (registered, rotated)]
    for view, signer in ((registered, two), (rotated, one)):
        for now in (0, 2**52):
            after = admit(view, stop("new"), key=signer.key_id.hex(), time_ms=now)
            assert after == Ignore("no authority to sign stop")


def test_a_key_registered_twice_is_refused_and_the_first_word_stands() -> None:
    """Neither for the same role nor for another."""
    signers = [sha256(b"root").digest()]
    one = FixedSigner("one")
    view = keyed(view_of(), registration(one, "gate:new", 0), index=30, signers=signers)

    for role in ("gate:new", "gate:other"):
        with pytest.raises(Malformed, match="already in use"):
            keyed(view, registration(one, role, 0), index=31, signers=signers)
    assert view.roles_of(one.key_id.hex()) == {"gate:new"}


def test_only_a_root_changes_keys() -> None:
    """Not the runner, whose own key may be the bad one."""
    with pytest.raises(Unauthorised):
        keyed(view_of(), revocation("gate:schema", 31), index=30, signers=[sha256(b"runner").digest()])


def test_people_are_those_whose_keys_live() -> None:
    """A revoked person cannot be waited for."""
    signers = [sha256(b"root").digest()]

    view = keyed(view_of(), revocation("human:mara", 31), index=30, signers=signers)

    assert view.people() == {"nils", "olga"}
