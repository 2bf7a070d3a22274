"""Nothing on a stream is taken for a message unless size, signature, schema, edge and membership all hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from squads.adapters.keys import InProcessSigner
from squads.adapters.redis_bus.border import REASONS, Border
from squads.adapters.redis_bus.seals import OwnSeals, Seals, SharedSeals, Unacceptable, shared_key
from squads.contracts.errors import MessageTooLarge
from squads.contracts.finding import Usage
from squads.contracts.messages import (
    MESSAGE_BYTES_MAX,
    AcceptRequest,
    BuildRequest,
    Envelope,
    Failed,
    Grievance,
    PlanRequest,
    ReviewRequest,
    Signed,
)
from squads.contracts.records import Part, TreeHead

W, OTHER, P, D = "a" * 32, "9" * 32, "b" * 32, "c" * 64
EDGE, BACK = f"sq:{{{W}}}:q:runner:security@{D[:16]}", f"sq:{{{W}}}:q:security:runner"
COMMON: dict[str, Any] = {"packet": P, "workspace": W, "content": D, "due_ms": 1}
REQUEST = PlanRequest(**COMMON, request=D, attempt=1, builders=("carpenter",), gates=("security",))
ASKED = Envelope.to_role("security", D, REQUEST, prior=D)
SHARED = SharedSeals(b"k" * 32)

RUNNER_KEY, GATE_KEY, BUILDER_KEY, PERSON_KEY = (InProcessSigner(bytes([n]) * 32) for n in range(1, 5))
ROLES = {
    RUNNER_KEY: frozenset({"runner"}),
    GATE_KEY: frozenset({"gate:security"}),
    BUILDER_KEY: frozenset({"builder:carpenter", "gate:runner"}),
    PERSON_KEY: frozenset({"human:security", "program"}),
}
KEYS = {signer.key_id: (signer.public_key, roles) for signer, roles in ROLES.items()}


def own(speaking: InProcessSigner) -> OwnSeals:
    """The seals of a process whose only key is `speaking`, which it uses for whatever it is asked to sign."""
    return OwnSeals(lambda _: speaking, KEYS.get)


def border(seals: Seals = SHARED, **kwargs: Any) -> Border:
    """The border of workspace W."""
    return Border(W, seals, **kwargs)


def read(fields: dict[bytes, bytes], seals: Seals = SHARED) -> Envelope:
    """What comes through the border of the edge runner -> security."""
    return border(seals).read(fields, edge=EDGE, sender="runner", address=ASKED.address)


def read_back(fields: dict[bytes, bytes], seals: Seals = SHARED) -> Envelope:
    """What comes through the border of the edge security -> runner."""
    return border(seals).read(fields, edge=BACK, sender="security", address="runner")


def refused(act: Callable[[], object]) -> str:
    """The reason why it is refused; fails when it is accepted."""
    with pytest.raises(Unacceptable) as caught:
        act()
    assert caught.value.reason in REASONS
    return caught.value.reason


def sealed(raw: bytes, seals: Seals = SHARED, edge: str = EDGE, sender: str = "runner") -> dict[bytes, bytes]:
    """Fields with a genuine mark over whatever bytes these are."""
    key_id, mark = seals.seal(sender, edge, raw)
    return {b"b": raw, b"s": mark, b"k": key_id}


def changed(**values: object) -> bytes:
    """The JSON of the request's envelope, with some values in the envelope or the body changed or added."""
    fields = ASKED.model_dump(mode="json")
    fields["body"] |= {name.removeprefix("body_"): value for name, value in values.items() if name.startswith("body_")}
    fields |= {name: value for name, value in values.items() if not name.startswith("body_")}
    return json.dumps(fields).encode()


BODIES = {
    "plan": PlanRequest(
        **COMMON,
        request=D,
        attempt=2,
        builders=("a",),
        gates=(),
        previous=D,
        grievances=(Grievance(task=None, cause="paths-meet", documents=(D,), detail='"\\ \u2028 ümläut 😀'),),
    ),
    "build": BuildRequest(**COMMON, request=D, task=1, attempt=1, plan=D, inputs=(Part(task=1, artifact=D),)),
    "review": ReviewRequest(
        **COMMON,
        ticket=D,
        reads="artifact",
        task=None,
        attempt=1,
        subject=D,
        waivers=((D, D),),
        independence="prior",
        tree_head=TreeHead(size=3, root=D),
    ),
    "accept": AcceptRequest(**COMMON, request=D, attempt=1, subject=D, plan=D, parts=(), verdicts=(("a", D),)),
}
ANSWERS = {
    "signed": Signed(payload=bytes(range(256)), key=b"\xff" * 32, signature=b"\x80" * 64, content=(b"", b"\xc3\x28")),
    "failed": Failed(about=D, reason="crashed", detail="why", usage=Usage(cost_microusd=5)),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("seals", [SHARED, own(RUNNER_KEY)], ids=["shared", "own"])
def test_every_kind_of_request_arrives_as_it_was_sent(body: PlanRequest, seals: Seals) -> None:
    """The border changes nothing that it lets through."""
    envelope = Envelope.to_role("security", D, body, prior=D)

    assert envelope == read(border(seals).written(envelope, EDGE), seals)


@pytest.mark.parametrize("body", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("seals", [SHARED, own(GATE_KEY)], ids=["shared", "own"])
def test_every_kind_of_answer_arrives_as_it_was_sent(body: Signed, seals: Seals) -> None:
    """A signed payload keeps every byte, whether or not it is UTF-8."""
    envelope = ASKED.reply(body)

    assert envelope == read_back(border(seals).written(envelope, BACK), seals)


@given(payload=st.binary(max_size=64), content=st.lists(st.binary(max_size=32), max_size=3))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_any_bytes_of_a_signed_answer_survive(payload: bytes, content: list[bytes]) -> None:
    """What a role signed is what the runner verifies."""
    envelope = ASKED.reply(Signed(payload=payload, key=b"k", signature=b"s", content=tuple(content)))

    assert envelope == read_back(border().written(envelope, BACK))


def test_words_that_have_no_utf8_arrive_with_question_marks() -> None:
    """An exception may speak of a file whose name is no text; the fault it became must not be lost over that."""
    envelope = ASKED.reply(Failed(about=D, reason="crashed", detail="no file \udcff here"))

    arrived = read_back(border().written(envelope, BACK))

    assert isinstance(arrived.body, Failed)
    assert "no file ? here" == arrived.body.detail


# Whatever stands on a stream. ----------------------------------------------------------------------------------------


@given(
    fields=st.dictionaries(st.sampled_from([b"b", b"s", b"k", b"d", b"x"]), st.binary(max_size=200)),
    seals=st.sampled_from([SHARED, own(RUNNER_KEY)]),
)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_no_fields_raise_anything_but_unacceptable(fields: dict[bytes, bytes], seals: Seals) -> None:
    """Garbage is a dead letter, never a crash."""
    assert refused(lambda: read(fields, seals))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    [*Envelope.model_fields, *(f"body_{f}" for f in PlanRequest.model_fields), "more", "body_kind"]
)


@given(raw=st.binary(max_size=200) | st.text().map(str.encode) | JSON.map(lambda v: json.dumps(v).encode()))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_signed_bytes_raise_anything_but_unacceptable(raw: bytes) -> None:
    """Also who holds a key may write nonsense."""
    assert "unreadable" == refused(lambda: read(sealed(raw)))


@given(changes=st.dictionaries(FIELDS, JSON, min_size=1, max_size=2))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_signed_message_with_odd_values_is_refused_or_a_message(changes: dict[str, object]) -> None:
    """Whatever comes through is what the contract says, and of this edge and this workspace."""
    try:
        arrived = read(sealed(changed(**changes)))
    except Unacceptable:
        return
    assert ("runner", ASKED.address) == (arrived.sender, arrived.address)
    assert getattr(arrived.body, "workspace", W) == W


@pytest.mark.parametrize("seals", [SHARED, own(RUNNER_KEY)], ids=["shared", "own"])
def test_every_flipped_bit_is_noticed(seals: Seals) -> None:
    """In the bytes, in the mark, and in the key id."""
    fields = border(seals).written(ASKED, EDGE)
    found = set()
    for name, value in fields.items():
        # Every bit of what is short; of the message, one bit of every byte, another one in each.
        for bit in range(8 * len(value)) if name != b"b" else range(0, 8 * len(value), 9):
            flipped = bytearray(value)
            flipped[bit // 8] ^= 1 << bit % 8
            found.add(refused(partial(read, {**fields, name: bytes(flipped)}, seals)))

    assert {"forged", "unknown-key"} == found


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "unreadable"),
        (b"{}", "unreadable"),
        (b"[" * 60_000, "unreadable"),
        (b'{"id":' * 10_000, "unreadable"),
        (b"\xef\xbb\xbf" + changed(), "unreadable"),
        (changed().decode().encode("utf-16"), "unreadable"),
        (changed().replace(b"security", b"sec\xffrity"), "unreadable"),
        (changed() + b"{}", "unreadable"),
        (changed(extra=1), "unreadable"),
        (changed(body_extra=1), "unreadable"),
        (changed(v=2), "unreadable"),
        (changed(body_kind="teleport"), "unreadable"),
        (changed(body_attempt=1.0), "unreadable"),
        (changed(body_attempt="1"), "unreadable"),
        (changed(body_attempt=True), "unreadable"),
        (changed(body_attempt=10**16), "unreadable"),
        (changed(body_attempt=-(10**16)), "unreadable"),
        (changed(body_attempt=float("nan")), "unreadable"),
        (changed().replace(b'"attempt": 1', b'"attempt": ' + b"9" * 5000), "unreadable"),
        (changed().replace(b'"attempt": 1', b'"attempt": 1e0'), "unreadable"),
        (changed().replace(b'{"id"', b'{"sender": "runner", "id"'), "unreadable"),
        (changed().replace(b'"body": {', b'"body": {"attempt": 7, '), "unreadable"),
        (changed().replace(b'"attempt": 1', b'"attempt": 1, "\\u0061ttempt": 2'), "unreadable"),
        (changed(sender="security"), "wrong-edge"),
        (changed(recipient="carpenter"), "wrong-edge"),
        (changed(prior="d" * 64), "wrong-edge"),
        (changed(prior=None), "wrong-edge"),
        (changed(body_workspace=OTHER), "wrong-workspace"),
        (changed(body_packet=OTHER), "wrong-packet"),
        (changed(packet=OTHER), "wrong-packet"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}-bytes",
)
def test_what_is_signed_and_still_no_message_for_this_edge(raw: bytes, reason: str) -> None:
    """A key gives nobody the right to another shape, another edge or another workspace."""
    assert read(sealed(changed()))

    assert reason == refused(lambda: read(sealed(raw)))


def test_a_role_does_not_ask_the_runner() -> None:
    """Requests go from the runner to roles, whoever signs one."""
    asks = Envelope(id=D, sender="security", recipient="runner", packet=P, cause=D, body=REQUEST)

    assert "wrong-edge" == refused(lambda: read_back(border().written(asks, BACK)))


@pytest.mark.parametrize("missing", [b"s", b"k"], ids=["signature", "key"])
@pytest.mark.parametrize("empty", [False, True], ids=["left-out", "empty"])
def test_a_message_without_a_mark_is_refused(missing: bytes, empty: bool) -> None:
    """Unsigned is not "signed by nobody in particular"."""
    fields = border().written(ASKED, EDGE)
    del fields[missing]

    assert "unsigned" == refused(lambda: read({**fields, missing: b""} if empty else fields))


def test_the_size_is_looked_at_first() -> None:
    """At the bound a message passes; over it nothing is hashed, checked or parsed."""

    class Untouched:
        def seal(self, sender: str, edge: str, raw: bytes) -> tuple[bytes, bytes]:
            raise AssertionError

        def check(self, sender: str, edge: str, key_id: bytes, mark: bytes, raw: bytes) -> None:
            raise AssertionError("a message over the bound was looked into")

    padded = changed().ljust(MESSAGE_BYTES_MAX)
    assert read(sealed(padded))

    for name, value in ((b"b", padded + b" "), (b"s", b"s" * 65), (b"k", b"k" * 33)):
        assert "too-large" == refused(partial(read, {**sealed(changed()), name: value}, Untouched()))


def test_the_signature_is_looked_at_before_the_json() -> None:
    """No parser sees bytes that nobody answers for."""
    assert "forged" == refused(lambda: read({**sealed(changed()), b"b": b"[" * 60_000}))


def test_a_message_over_the_bound_is_not_sent() -> None:
    """The sender is told who wrote to whom, how much it was, and what to do."""
    size = len(border().written(ASKED, EDGE)[b"b"])
    assert border(bytes_max=size).written(ASKED, EDGE)

    with pytest.raises(MessageTooLarge, match=rf"'runner' to 'security' has {size} bytes .* {size - 1}; .*blob"):
        border(bytes_max=size - 1).written(ASKED, EDGE)


# Adversaries. --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seals", [SHARED, own(RUNNER_KEY)], ids=["shared", "own"])
def test_a_message_that_is_replayed_on_another_edge_is_forged(seals: Seals) -> None:
    """Copied to another role, another version of the role, another workspace, or back to its sender."""
    fields = border(seals).written(ASKED, EDGE)

    for edge in (EDGE.replace("security", "carpenter"), EDGE[:-1] + "d", EDGE.replace(W, OTHER), EDGE + "!", BACK):
        reading = partial(border(seals).read, fields, edge=edge, sender="runner", address=ASKED.address)
        assert "forged" == refused(reading)


def test_a_roles_key_does_not_speak_for_the_runner() -> None:
    """Whoever may write to the runner's stream still cannot sign a request; not even a gate that is called runner."""
    for key in (GATE_KEY, BUILDER_KEY, PERSON_KEY):
        assert "wrong-role" == refused(partial(read, border(own(key)).written(ASKED, EDGE), own(GATE_KEY)))


def test_a_key_does_not_speak_for_another_role() -> None:
    """Neither a builder, nor the runner, nor a person of the same name signs a gate's answer."""
    envelope = ASKED.reply(Signed(payload=b"approved", key=b"k", signature=b"s"))

    for key in (BUILDER_KEY, RUNNER_KEY, PERSON_KEY):
        fields = border(own(key)).written(envelope, BACK)
        assert "wrong-role" == refused(partial(read_back, fields, own(RUNNER_KEY)))
    assert envelope == read_back(border(own(GATE_KEY)).written(envelope, BACK), own(RUNNER_KEY))


def test_a_key_that_nobody_enrolled_is_unknown() -> None:
    """A good signature by a stranger is a stranger's."""
    stranger = InProcessSigner(b"\x63" * 32)

    assert "unknown-key" == refused(lambda: read(border(own(stranger)).written(ASKED, EDGE), own(GATE_KEY)))


def test_another_keys_id_does_not_make_it_that_keys_signature() -> None:
    """The id says which key to check with, nothing else."""
    fields = {**border(own(GATE_KEY)).written(ASKED, EDGE), b"k": RUNNER_KEY.key_id}

    assert "forged" == refused(lambda: read(fields, own(GATE_KEY)))


def test_the_two_ways_of_signing_never_accept_each_others_marks() -> None:
    """A worker with a key of its own cannot be talked down to the shared key, nor the other way round."""
    shared, signed = border().written(ASKED, EDGE), border(own(RUNNER_KEY)).written(ASKED, EDGE)
    anything = OwnSeals(lambda _: RUNNER_KEY, lambda _: KEYS[RUNNER_KEY.key_id])

    assert "unknown-key" == refused(lambda: read(shared, anything))
    assert "forged" == refused(lambda: read({**shared, b"k": RUNNER_KEY.key_id}, anything))
    assert "unknown-key" == refused(lambda: read(signed))
    assert "forged" == refused(lambda: read({**signed, b"k": b"shared"}))


def test_a_public_key_is_no_shared_key() -> None:
    """What everybody may know opens nothing: a mark made with a public key as a secret is forged in both modes."""
    confused = SharedSeals(RUNNER_KEY.public_key)
    fields = border(confused).written(ASKED, EDGE)

    assert "forged" == refused(lambda: read(fields))
    assert "unknown-key" == refused(lambda: read(fields, own(GATE_KEY)))


# Keys. ---------------------------------------------------------------------------------------------------------------


def test_the_shared_key_is_the_same_for_the_same_bus_key() -> None:
    """Processes of one trust domain need not tell each other anything; another workspace has another key."""
    assert shared_key(InProcessSigner(b"\x01" * 32)) == shared_key(RUNNER_KEY) != shared_key(GATE_KEY)
    assert 32 == len(shared_key(RUNNER_KEY))


def test_no_message_is_signed_that_would_tell_the_shared_key() -> None:
    """The bus key itself may sign messages: none of them is the one whose signature is the secret."""
    asked: list[bytes] = []

    class Spy(InProcessSigner):
        def sign(self, message: bytes) -> bytes:
            asked.append(message)
            return super().sign(message)

    spy = Spy(b"\x01" * 32)
    shared_key(spy)
    OwnSeals(lambda _: spy, KEYS.get).seal("runner", "", b"")

    assert asked[1] != asked[0]
    assert asked[1].startswith(asked[0] + b"\n")


def test_seals_show_no_secret() -> None:
    """What is printed or logged by accident tells nothing."""
    assert ("SharedSeals()", "OwnSeals()") == (repr(SHARED), repr(own(RUNNER_KEY)))


def test_a_shared_key_of_another_length_is_refused() -> None:
    """A password is no key."""
    with pytest.raises(ValueError, match="32 bytes, this one 8; use shared_key"):
        SharedSeals(b"password")
