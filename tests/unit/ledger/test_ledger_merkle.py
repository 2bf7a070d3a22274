"""The tree: public vectors, an independent reference, and an edge that is rebuilt from stored nodes."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squads.ledger.errors import Malformed
from squads.ledger.leaf import leaf_hash
from squads.ledger.merkle import EMPTY_ROOT, Edge

# The inputs and roots of Certificate Transparency's reference tests, used by every implementation since.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def reference_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word by word: split at the largest power of two below n, and recurse."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + reference_root(leaves[:split]) + reference_root(leaves[split:])).digest()


def leaves_of(size: int) -> list[bytes]:
    return [number.to_bytes(4, "big") for number in range(size)]


def test_the_roots_are_those_of_certificate_transparency():
    """The eight-leaf reference tree, at every size."""
    edge = Edge()
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert edge.root() == EMPTY_ROOT

    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        edge.append(leaf_hash(leaf))
        assert root == edge.root().hex()


def test_every_small_tree_agrees_with_the_recursive_definition():
    """All sizes to 130, each appended one by one and again in one piece."""
    growing = Edge()
    for size in range(131):
        leaves = leaves_of(size)
        whole = Edge()
        whole.extend(map(leaf_hash, leaves))

        assert reference_root(leaves) == growing.root() == whole.root()
        assert size == growing.size == whole.size
        growing.append(leaf_hash(size.to_bytes(4, "big")))


@given(st.integers(0, 600), st.integers(0, 100))
def test_an_edge_rebuilt_from_stored_nodes_goes_on_as_if_never_lost(size, more):
    """The nodes that `extend` returns are all that a store must keep, with the leaf hashes as level 0."""
    hashes = [leaf_hash(leaf) for leaf in leaves_of(size + more)]
    edge = Edge()
    stored = {(level, index): digest for level, index, digest in edge.extend(hashes[:size])}
    stored |= {(0, index): digest for index, digest in enumerate(hashes[:size])}

    again = Edge.rebuild(size, lambda level, index: stored.get((level, index)))
    assert edge.root() == again.root()
    assert edge.extend(hashes[size:]) == again.extend(hashes[size:])
    assert edge.root() == again.root()


def test_the_nodes_are_exactly_the_full_subtrees():
    """Each covers 2^level leaves from index * 2^level on, and none is returned twice."""
    leaves = leaves_of(100)
    nodes = Edge().extend(map(leaf_hash, leaves))
    expected = {(level, index) for level in range(1, 7) for index in range(100 >> level)}

    assert expected == {(level, index) for level, index, _ in nodes}
    assert len(expected) == len(nodes)
    for level, index, digest in nodes:
        assert digest == reference_root(leaves[index << level : (index + 1) << level])


def test_a_copy_goes_its_own_way():
    """A batch that is not committed leaves the edge as it was."""
    edge = Edge()
    edge.append(leaf_hash(b"a"))
    before = edge.root()
    edge.copy().append(leaf_hash(b"b"))

    assert (1, before) == (edge.size, edge.root())


def test_a_missing_node_is_named():
    """A store that lost a node cannot be appended to by accident."""
    with pytest.raises(Malformed, match="level 2, index 0"):
        Edge.rebuild(5, lambda level, index: None)
