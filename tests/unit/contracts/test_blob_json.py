"""Sealed documents and manifests: a blob that two readers could read differently is no document."""

from __future__ import annotations

import pytest

from squads.contracts.artifact import Manifest
from squads.contracts.base import json_in
from squads.contracts.plan import Statement
from squads.handover import unseal

AMBIGUOUS = {
    "a key twice": b'{"kind":"a","kind":"b"}',
    "a key twice, inside": b'{"a":[{"b":1,"b":1}]}',
    "a key twice, escaped": b'{"a":1,"\\u0061":2}',
    "a float": b'{"a":1.0}',
    "an exponent": b'{"a":1e3}',
    "not a number": b'{"a":NaN}',
    "infinite": b'{"a":-Infinity}',
    "an integer without end": b'{"a":' + b"9" * 5_000 + b"}",
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "another encoding": '{"a":1}'.encode("utf-16"),
    "a surrogate as UTF-8": b'{"a":"\xed\xa0\x80"}',
    "bytes after it": b"{}{}",
    "brackets without end": b"[" * 100_000,
    "brackets that close": b"[" * 100_000 + b"]" * 100_000,
    "nothing": b"",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_an_ambiguous_blob_is_refused_by_every_reader(name):
    """Whoever reads content that receipts point at gets a `ValueError`, not one of two readings."""
    for read in (json_in, unseal, Manifest.parse, Statement.unseal):
        with pytest.raises(ValueError):
            read(AMBIGUOUS[name])


def test_a_sealed_document_is_read_back():
    """What is written by `seal` has one reading."""
    document = Statement(text="A treasury table.")
    _, blob = document.seal(bytes(32))

    assert document == Statement.unseal(blob)
    assert (document, "00" * 32) == unseal(blob)
