"""The keys of the bus: one slot per workspace, no two parties alike, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from squads.adapters.redis_bus.names import Names, consumer_name, consumer_prefix, name_of, quoted

NAMES = Names("0123abcd")
ENDS = st.text(min_size=1, max_size=20)


@given(st.tuples(ENDS, ENDS), st.tuples(ENDS, ENDS))
def test_no_two_edges_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Whatever the parties are called, also with what separates the parts of a key."""
    keys, others = NAMES.edge(*one), NAMES.edge(*other)

    assert (one == other) == bool({*keys.keys, keys.seen} & {*others.keys, others.seen})


@given(ENDS, ENDS)
def test_every_key_of_a_workspace_is_in_its_slot(sender: str, recipient: str) -> None:
    """Scripts touch several keys, and a cluster keeps them together."""
    edge = NAMES.edge(sender, recipient)
    keys = [*edge.keys, NAMES.seen(edge, "id"), NAMES.heartbeat(consumer_name(sender, recipient, 1)), NAMES.dead]
    keys += [NAMES.events, NAMES.meta, NAMES.roster, NAMES.blob("00"), NAMES.step("00")]

    assert {key_slot(b"0123abcd")} == {key_slot(key.encode()) for key in keys}
    assert all(key.startswith(NAMES.root) for key in keys)


@given(ENDS, ENDS)
def test_an_edge_is_found_by_its_stream_and_its_lane(sender: str, recipient: str) -> None:
    """As a dead letter says where it stood."""
    edge = NAMES.edge(sender, recipient)

    assert [NAMES.edge_at(edge.key), NAMES.edge_at(edge.lane)] == [edge, edge]


@pytest.mark.parametrize("key", ["", "sq:{other}:q:runner:a", "sq:{0123abcd}:q:runner", "sq:{0123abcd}:q:a:b:c", "x"])
def test_what_is_no_edge_has_none(key: str) -> None:
    """A dead letter's edge is a field that anybody could have written."""
    assert NAMES.edge_at(key) is None


@given(st.text(max_size=30))
def test_a_quoted_name_has_no_wildcard_and_no_separator(name: str) -> None:
    """What stands in an access rule means itself."""
    assert not set(quoted(name)) & set("*?[]{}\\:!#~ ^")


def test_a_roles_consumers_are_told_from_those_of_a_longer_name() -> None:
    """A rule for the heartbeats of `a` must not cover those of `a.b`."""
    assert not consumer_name("a.b@00", "host", 1).startswith(consumer_prefix("a"))
    assert consumer_name("a@00", "host", 1).startswith(consumer_prefix("a"))
    assert consumer_name("a", "host", 1) != consumer_name("a", "host", 1)
    assert name_of("a@00") == name_of("a") == "a"


@pytest.mark.parametrize("workspace", ["", "a}b", "a:b", "a*", "a b"])
def test_a_workspace_whose_id_would_break_its_keys_is_refused(workspace: str) -> None:
    """Its brace would put the keys into several slots, or into another workspace's."""
    with pytest.raises(ValueError, match="is not a workspace's id"):
        Names(workspace)
