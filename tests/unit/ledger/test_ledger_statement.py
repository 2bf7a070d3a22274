"""Statements: equal facts give equal bytes, and what two readers could read differently is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.ledger.errors import Malformed
from squads.ledger.leaf import PAYLOAD_BYTES_MAX
from squads.ledger.statement import (
    JSON_INTEGER_MAX,
    Statement,
    canonical_json,
    pae,
    parse_statement,
    statement_bytes,
    strict_json,
)
from squads.ledger.types import KINDS

SUBJECT = ("artifact", "ab" * 32)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-JSON_INTEGER_MAX, JSON_INTEGER_MAX)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh_", max_size=8), inner, max_size=4),
    max_leaves=20,
)


def test_pae_is_dsses():
    """The example of the DSSE protocol."""
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_statement_is_in_toto_v1():
    """Written out, so that the format cannot drift."""
    payload = statement_bytes("verdict", [SUBJECT], {"b": 1, "a": ["ü", None, True]})

    assert (
        payload
        == (
            '{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":["ü",null,true],"b":1},'
            '"predicateType":"urn:squads:verdict:v1","subject":[{"digest":{"sha256":"'
            + "ab" * 32
            + '"},"name":"artifact"}]}'
        ).encode()
    )
    assert parse_statement(payload) == Statement("verdict", 1, (SUBJECT,), {"b": 1, "a": ["ü", None, True]})


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_said(kind):
    """The table of kinds is the list of predicate types."""
    assert parse_statement(statement_bytes(kind, [SUBJECT], {})).kind == kind


@given(st.dictionaries(st.text("abcdef", max_size=6), plain, max_size=5))
def test_every_predicate_comes_back(predicate):
    """Writing and reading are inverse, and writing again gives the same bytes."""
    payload = statement_bytes("ticket", [SUBJECT], predicate)
    found = parse_statement(payload)

    assert predicate == found.predicate
    assert payload == statement_bytes(found.kind, found.subjects, found.predicate)


@given(plain)
def test_canonical_json_is_read_by_the_strict_reader(value):
    """What we write we also accept; keys are sorted and no space is spent."""
    raw = canonical_json(value)

    assert value == strict_json(raw)
    assert raw == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"verdict":"REFUSED","verdict":"PASSED"}',
        b'[{"a":{"b":1,"b":1}}]',
        b'{"a":1,"\\u0061":2}',
        b"1.0",
        b"[1e3]",
        b"-0.0",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b"9" * 5_000,
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'\xef\xbb\xbf{"a":1}',
        '{"u\u0308":1}'.encode(),
        b'{"u\\u0308":1}',
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 100_000,
        b"",
        b"{",
        b"{}x",
        b"{}{}",
        b"{'a':1}",
        b'"a\nb"',
        '{"a":1}'.encode("utf-16"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(raw):
    """Duplicate keys, floats, big integers, lone surrogates, deep nesting, other encodings."""
    with pytest.raises(Malformed):
        strict_json(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"9007199254740991",
        b"-9007199254740991",
        b"[" * 32 + b"]" * 32,
        b' {"a" : [ 1 , 2 ] } \n',
        b'"\\ud83d\\ude00"',
        '{"\u00fc":1}'.encode(),
        b"[" + b"[]," * 100 + b"[]]",
        b"-0",
    ],
)
def test_the_bounds_themselves_are_read(raw):
    """Strict is not narrow: white space, pairs of surrogates, 32 levels and 2^53 - 1 are well-defined."""
    assert strict_json(raw) == json.loads(raw)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        [1.5],
        2**53,
        -(2**53),
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {"u\u0308": 1},
        b"bytes",
        {1, 2},
        object(),
    ],
)
def test_what_has_no_exact_form_is_not_written(value):
    """The writer refuses what the reader would."""
    with pytest.raises(Malformed):
        canonical_json(value)


def test_a_circle_is_not_followed_for_ever():
    """The bound on depth also ends on a list that holds itself."""
    circle: list[object] = []
    circle.append(circle)

    with pytest.raises(Malformed, match="nested"):
        canonical_json(circle)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "_type"),
        ({"predicateType": "urn:squads:verdict:v2"}, "predicateType"),
        ({"predicateType": "urn:squads:unheard:v1"}, "predicateType"),
        ({"predicateType": 1}, "predicateType"),
        ({"predicate": []}, "predicate"),
        ({"subject": {}}, "subject"),
        ({"subject": []}, "subjects"),
        ({"subject": [{"name": "a"}]}, "subject"),
        ({"subject": [{"name": "a", "digest": {"sha1": "ab"}}]}, "sha256"),
        ({"subject": [{"name": "a", "digest": {"sha256": "AB" * 32}}]}, "hex"),
        ({"subject": [{"name": "", "digest": {"sha256": "ab" * 32}}]}, "name"),
        ({"subject": [{"name": "a", "digest": {"sha256": "ab" * 32}}] * 2}, "one name"),
        ({"unknown": 1}, "exactly the fields"),
    ],
)
def test_an_unknown_statement_is_refused(change, words):
    """Unknown types, kinds, versions and fields are refused, never skipped."""
    value = json.loads(statement_bytes("verdict", [SUBJECT], {}))

    with pytest.raises(Malformed, match=words):
        parse_statement(json.dumps(value | change).encode())


def test_prose_does_not_fit():
    """A statement is small; what is long belongs in a blob."""
    fits = {"x": "y" * (PAYLOAD_BYTES_MAX - 300)}

    assert parse_statement(statement_bytes("plan", [SUBJECT], fits))
    with pytest.raises(Malformed, match="blob"):
        statement_bytes("plan", [SUBJECT], {"x": "y" * PAYLOAD_BYTES_MAX})
    with pytest.raises(Malformed, match="no receipt kind"):
        statement_bytes("gossip", [SUBJECT], {})
    with pytest.raises(Malformed, match="1 to 64 subjects"):
        statement_bytes("plan", [], {})
