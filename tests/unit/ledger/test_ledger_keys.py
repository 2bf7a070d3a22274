"""Keys and the registry: who may say what, at which index."""

from __future__ import annotations

from hashlib import sha256

import pytest

from squads.adapters.keys import InProcessSigner
from squads.ledger.errors import Malformed, Unauthorised
from squads.ledger.keys import Registry, check_public_key, key_id, parse_role, verify_signature
from squads.ledger.types import KINDS, ROLE_KINDS

ROOT, LOG, ONE, TWO, THREE = (InProcessSigner(bytes([n]) * 32) for n in range(1, 6))
OPEN = {
    "format": 1,
    "origin": "example.com/squads/test/0",
    "workspace": "w",
    "root_public_keys": [ROOT.public_key.hex()],
    "log_public_key": LOG.public_key.hex(),
}
P = 2**255 - 19


def opened() -> Registry:
    return Registry.open(OPEN, [ROOT.key_id])


def register(signer, *roles, since=0, **change):
    return {
        "event": "register",
        "key": signer.key_id.hex(),
        "public_key": signer.public_key.hex(),
        "alg": "ed25519",
        "subject": "subject-1",
        "roles": list(roles),
        "custody": "in-process",
        "not_before_index": since,
    } | change


def rotate(old, new, since=0, **change):
    return {
        "event": "rotate",
        "old_key": old.key_id.hex(),
        "key": new.key_id.hex(),
        "public_key": new.public_key.hex(),
        "alg": "ed25519",
        "custody": "daemon",
        "not_before_index": since,
    } | change


def revoke(signer, since, reason="compromised"):
    return {"event": "revoke", "key": signer.key_id.hex(), "reason": reason, "suspect_from_index": since}


def test_a_key_id_is_the_documented_hash():
    """SHA-256 of the domain, the algorithm byte and the raw key."""
    assert sha256(b"squads.key/v1\n\x01" + ONE.public_key).digest() == key_id(ONE.public_key)


def test_rfc_8032_vectors_verify():
    """Tests 1 and 3 of RFC 8032 section 7.1."""
    vectors = [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
            "4655141438e7a100b",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28"
            "dc027beceea1ec40a",
        ),
    ]
    for public, message, signature in vectors:
        key, text, sig = map(bytes.fromhex, (public, message, signature))
        check_public_key(key)

        assert verify_signature(key, sig, text)
        assert not verify_signature(key, sig, text + b"x")
        assert not verify_signature(key, sig[:-1], text)
        assert not verify_signature(key[:-1], sig, text)


def on_curve_multiple_is_identity(y: int, times: int) -> bool:
    """Affine Edwards arithmetic, slow and independent: is `times` the point with this y the neutral element?"""
    d = -121665 * pow(121666, -1, P) % P
    xx = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - xx) % P == 0
    px, py = 0, 1
    for _ in range(times):
        k = d * px * x * py * y % P
        px, py = (px * y + py * x) * pow(1 + k, -1, P) % P, (py * y + px * x) * pow(1 - k, -1, P) % P
    return (px, py) == (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "00" * 32,
        "01" + "00" * 31,
        "01" + "00" * 30 + "80",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ],
)
def test_keys_of_low_order_are_refused(text):
    """Eight times such a point is the neutral element, so signatures by it prove nothing."""
    raw = bytes.fromhex(text)
    y = int.from_bytes(raw, "little") & (2**255 - 1)

    assert on_curve_multiple_is_identity(y, 8)
    with pytest.raises(Malformed, match="low order"):
        check_public_key(raw)


@pytest.mark.parametrize("y", [P, P + 1, P + 3, 2**255 - 1])
def test_keys_in_another_than_their_one_form_are_refused(y):
    """Two encodings of one key would be two key ids."""
    with pytest.raises(Malformed, match="canonical"):
        check_public_key(y.to_bytes(32, "little"))


def test_what_is_no_point_is_refused():
    """About half of all numbers are no y of a point."""
    with pytest.raises(Malformed, match="no point"):
        check_public_key((2).to_bytes(32, "little"))
    with pytest.raises(Malformed, match="32 bytes"):
        check_public_key(b"short")


@pytest.mark.parametrize("role", ["root", "runner", "program", "gate:security", "human:3f", "builder:a.b-c_1"])
def test_roles_are_a_kind_or_a_kind_with_a_name(role):
    """Bare kinds stand alone, named kinds need their name."""
    assert ":".join(filter(None, parse_role(role))) == role


@pytest.mark.parametrize(
    "role", ["", "gate", "gate:", "runner:x", "root:", "judge:x", "gate:A", "gate:a b", "gate:a:b"]
)
def test_unknown_roles_are_refused(role):
    """A role that nobody knows authorises nothing, so it is not written down."""
    with pytest.raises(Malformed, match="no role"):
        parse_role(role)


def test_the_root_opens_the_log_and_may_do_only_what_roots_may():
    """Entry 0 makes the root, and the table says what it may sign."""
    registry = opened()

    assert registry.roles_of(ROOT.key_id, 0) == {"root"}
    assert registry.authorised(ROOT.key_id, "key-event", 1)
    assert not registry.authorised(ROOT.key_id, "verdict", 1)
    assert (registry.origin, registry.log_public_key) == (OPEN["origin"], LOG.public_key)


@pytest.mark.parametrize(
    ("change", "signers", "error"),
    [
        ({}, [], Unauthorised),
        ({}, [ONE.key_id], Unauthorised),
        ({}, [ROOT.key_id, ONE.key_id], Unauthorised),
        ({"format": 2}, [ROOT.key_id], Malformed),
        ({"format": True}, [ROOT.key_id], Malformed),
        ({"root_public_keys": []}, [ROOT.key_id], Malformed),
        ({"root_public_keys": [ROOT.public_key.hex()] * 2}, [ROOT.key_id], Malformed),
        ({"root_public_keys": ["00" * 32]}, [ROOT.key_id], Malformed),
        ({"log_public_key": ROOT.public_key.hex()}, [ROOT.key_id], Malformed),
        ({"origin": ""}, [ROOT.key_id], Malformed),
        ({"workspace": None}, [ROOT.key_id], Malformed),
    ],
)
def test_a_log_is_opened_by_its_roots_alone(change, signers, error):
    """Nobody else can begin it, and it says what it must say."""
    with pytest.raises(error):
        Registry.open(OPEN | change, signers)


def test_a_registered_key_speaks_from_the_next_index_on():
    """Not at the index that registers it, nor before its `not_before_index`."""
    registry = opened().apply(register(ONE, "gate:security", "builder:b"), 5, [ROOT.key_id])
    later = opened().apply(register(TWO, "runner", since=20), 5, [ROOT.key_id])

    assert [registry.authorised(ONE.key_id, "verdict", index) for index in (5, 6)] == [False, True]
    assert registry.roles_of(ONE.key_id, 6) == {"gate:security", "builder:b"}
    assert registry.authorised(ONE.key_id, "artifact", 6)
    assert not registry.authorised(ONE.key_id, "ticket", 6)
    assert registry.public_key(ONE.key_id) == ONE.public_key
    assert [later.authorised(TWO.key_id, "ticket", index) for index in (19, 20)] == [False, True]


def test_an_event_gives_a_new_registry():
    """What was true at an earlier index stays readable: nothing is changed in place."""
    before = opened()
    before.apply(register(ONE, "runner"), 1, [ROOT.key_id])

    assert before.public_key(ONE.key_id) is None
    assert before.roles_of(ONE.key_id, 9) == frozenset()


def test_a_rotation_moves_the_roles_to_the_new_key():
    """The old key ends exactly where the new one begins, and what it signed before still counts."""
    registry = opened().apply(register(ONE, "gate:g"), 1, [ROOT.key_id])
    registry = registry.apply(rotate(ONE, TWO, since=10), 5, [ROOT.key_id, ONE.key_id])

    assert [registry.authorised(ONE.key_id, "verdict", index) for index in (9, 10)] == [True, False]
    assert [registry.authorised(TWO.key_id, "verdict", index) for index in (9, 10)] == [False, True]
    assert registry.keys[TWO.key_id].subject == "subject-1"
    assert registry.keys[TWO.key_id].custody == "daemon"


def test_a_revocation_reaches_back_by_index():
    """From the suspect index on nothing counts, though it was signed while the key was good."""
    registry = opened().apply(register(ONE, "gate:g"), 1, [ROOT.key_id])
    registry = registry.apply(revoke(ONE, since=4), 9, [ROOT.key_id])
    again = registry.apply(revoke(ONE, since=7), 12, [ROOT.key_id])

    assert [registry.authorised(ONE.key_id, "verdict", index) for index in (3, 4, 50)] == [True, False, False]
    assert not again.authorised(ONE.key_id, "verdict", 5), "a later revocation never restores trust"


def test_a_root_can_be_rotated():
    """The new root acts, the old one no longer does."""
    registry = opened().apply(rotate(ROOT, TWO), 3, [ROOT.key_id])
    registry = registry.apply(register(ONE, "runner"), 4, [TWO.key_id])

    assert registry.authorised(ONE.key_id, "ticket", 5)
    with pytest.raises(Unauthorised):
        registry.apply(register(THREE, "runner"), 5, [ROOT.key_id])


def test_why_a_key_ended_is_kept_with_it():
    """Who lists keys reads it there: its successor, the reason of its revocation, and the event that says so."""
    registry = opened().apply(register(ONE, "gate:g"), 1, [ROOT.key_id])
    rotated = registry.apply(rotate(ONE, TWO), 5, [ROOT.key_id, ONE.key_id])
    revoked = rotated.apply(revoke(TWO, 7, "lost"), 8, [ROOT.key_id])
    both = revoked.apply(revoke(ONE, 3, "compromised"), 9, [ROOT.key_id])

    assert (TWO.key_id, "", 5) == told(rotated, ONE)
    assert (None, "lost", 8) == told(revoked, TWO)
    assert (TWO.key_id, "compromised", 9) == told(both, ONE)
    assert (None, "", None) == told(registry, ONE)


def told(registry, signer):
    key = registry.keys[signer.key_id]
    return key.successor, key.revoked, key.ended_by


def test_a_key_speaks_by_index_and_never_by_clock():
    """Before its registration, after its rotation, and from where it is suspect, it says nothing."""
    registry = opened().apply(register(ONE, "gate:g"), 4, [ROOT.key_id])
    registry = registry.apply(rotate(ONE, TWO), 9, [ROOT.key_id, ONE.key_id])
    registry = registry.apply(revoke(TWO, since=14), 20, [ROOT.key_id])

    assert list(range(5, 10)) == [i for i in range(30) if registry.authorised(ONE.key_id, "verdict", i)]
    assert list(range(10, 14)) == [i for i in range(30) if registry.authorised(TWO.key_id, "verdict", i)]


def test_a_key_that_was_rotated_away_is_not_rotated_again():
    """Its successor is; a chain of keys has one end."""
    registry = opened().apply(register(ONE, "gate:g"), 1, [ROOT.key_id])
    registry = registry.apply(rotate(ONE, TWO), 5, [ROOT.key_id, ONE.key_id])

    with pytest.raises(Malformed, match="holds no role"):
        registry.apply(rotate(ONE, THREE), 9, [ROOT.key_id, ONE.key_id])
    assert registry.apply(rotate(TWO, THREE), 9, [ROOT.key_id, TWO.key_id]).authorised(THREE.key_id, "verdict", 10)


@pytest.mark.parametrize("since", [0, 3, 6])
def test_the_last_root_is_not_revoked(since):
    """Not by itself, from whichever index on; a root that was rotated away does not count as another."""
    registry = opened().apply(rotate(ROOT, TWO), 3, [ROOT.key_id])

    with pytest.raises(Malformed, match="last root"):
        opened().apply(revoke(ROOT, since), 6, [ROOT.key_id])
    with pytest.raises(Malformed, match="last root"):
        registry.apply(revoke(TWO, since), 6, [TWO.key_id])
    assert registry.apply(revoke(ROOT, since), 6, [TWO.key_id]).roles_of(TWO.key_id, 7) == {"root"}


def test_one_of_several_roots_is_revoked_by_another():
    """From there on it says nothing more about keys; what it registered before stays."""
    registry = opened().apply(register(TWO, "root"), 1, [ROOT.key_id])
    registry = registry.apply(register(ONE, "gate:g"), 2, [ROOT.key_id])
    registry = registry.apply(revoke(ROOT, since=2), 5, [TWO.key_id])

    assert registry.authorised(ONE.key_id, "verdict", 6)
    with pytest.raises(Unauthorised):
        registry.apply(register(THREE, "runner"), 6, [ROOT.key_id])
    with pytest.raises(Malformed, match="last root"):
        registry.apply(revoke(TWO, since=6), 6, [TWO.key_id])


@pytest.mark.parametrize(
    ("event", "signers", "error"),
    [
        (register(TWO, "runner"), [ONE.key_id], Unauthorised),
        (register(TWO, "runner"), [], Unauthorised),
        (register(TWO, "runner"), [ROOT.key_id, ONE.key_id], Unauthorised),
        (register(TWO), [ROOT.key_id], Malformed),
        (register(TWO, "runner", "runner"), [ROOT.key_id], Malformed),
        (register(TWO, "judge"), [ROOT.key_id], Malformed),
        (register(TWO, "runner", alg="rsa"), [ROOT.key_id], Malformed),
        (register(TWO, "runner", key=ONE.key_id.hex()), [ROOT.key_id], Malformed),
        (register(TWO, "runner", public_key="00" * 32), [ROOT.key_id], Malformed),
        (register(TWO, "runner", custody="pocket"), [ROOT.key_id], Malformed),
        (register(TWO, "runner", subject="A Person"), [ROOT.key_id], Malformed),
        (register(TWO, "runner", since=-1), [ROOT.key_id], Malformed),
        (register(TWO, "runner", since=True), [ROOT.key_id], Malformed),
        (register(TWO, "runner", extra=1), [ROOT.key_id], Malformed),
        (register(ONE, "runner"), [ROOT.key_id], Malformed),
        (register(LOG, "runner"), [ROOT.key_id], Malformed),
        (register(ROOT, "runner"), [ROOT.key_id], Malformed),
        (rotate(ONE, TWO), [ROOT.key_id], Unauthorised),
        (rotate(ONE, TWO), [ONE.key_id], Unauthorised),
        (rotate(ONE, TWO), [ROOT.key_id, ONE.key_id, TWO.key_id], Unauthorised),
        (rotate(THREE, TWO), [ROOT.key_id, THREE.key_id], Malformed),
        (rotate(ONE, ONE), [ROOT.key_id, ONE.key_id], Malformed),
        (revoke(ONE, 2), [ONE.key_id], Unauthorised),
        (revoke(ONE, 7), [ROOT.key_id], Malformed),
        (revoke(ONE, 2, reason="mood"), [ROOT.key_id], Malformed),
        (revoke(TWO, 2), [ROOT.key_id], Malformed),
        ({"event": "bless"}, [ROOT.key_id], Malformed),
        ({}, [ROOT.key_id], Malformed),
    ],
)
def test_an_event_that_may_not_be_is_refused(event, signers, error):
    """At index 5 of a log whose key ONE is a gate: wrong signers, wrong fields, keys used twice."""
    registry = opened().apply(register(ONE, "gate:g"), 1, [ROOT.key_id])

    with pytest.raises(error):
        registry.apply(event, 5, signers)


def test_a_key_is_rotated_once():
    """Two successors of one key would be two voices of one role."""
    registry = opened().apply(register(ONE, "gate:g"), 1, [ROOT.key_id])
    registry = registry.apply(rotate(ONE, TWO, since=50), 5, [ROOT.key_id, ONE.key_id])

    with pytest.raises(Malformed, match="already has an end"):
        registry.apply(rotate(ONE, THREE, since=60), 6, [ROOT.key_id, ONE.key_id])


def test_every_signer_must_be_allowed_not_only_one():
    """A second signature by somebody who may not say this spoils the receipt, except the retiring key's."""
    registry = opened().apply(register(ONE, "gate:g"), 1, [ROOT.key_id])
    registry = registry.apply(register(TWO, "runner"), 2, [ROOT.key_id])

    assert registry.may_sign([TWO.key_id], "ticket", 9, {})
    assert not registry.may_sign([TWO.key_id, ONE.key_id], "ticket", 9, {})
    assert not registry.may_sign([], "ticket", 9, {})
    assert registry.may_sign([ROOT.key_id, ONE.key_id], "key-event", 9, rotate(ONE, THREE))
    assert not registry.may_sign([ROOT.key_id, TWO.key_id], "key-event", 9, rotate(ONE, THREE))


def test_the_table_of_kinds_is_closed_and_whole():
    """Every kind has signers that exist; workspace kinds are inputs; outputs are the runner's alone."""
    for name, kind in KINDS.items():
        assert name == kind.name
        assert kind.signers
        assert kind.signers <= ROLE_KINDS
        assert kind.direction == "input" or (kind.stream, kind.signers) == ("packet", {"runner"})
    assert {"log-open", "key-event", "grant", "policy", "calibration", "erasure", "stop", "lift"} == {
        n for n, k in KINDS.items() if k.stream == "workspace"
    }
    assert KINDS["verdict"].signers == {"gate"}
    assert KINDS["lift"].signers == KINDS["answer"].signers == KINDS["waiver"].signers == {"human"}
