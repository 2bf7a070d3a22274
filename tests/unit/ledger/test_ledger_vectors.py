"""Public vectors: what others published about trees, notes, envelopes and signatures holds here too.

Where each comes from, and under which licence, stands in `tests/data/vectors/README.md`.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from squads.adapters.keys import InProcessSigner
from squads.ledger.checkpoint import parse_checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.keys import check_public_key, verify_signature
from squads.ledger.leaf import leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.note import parse_note, parse_vkey, verify_note
from squads.ledger.proof import check_consistency, check_inclusion, consistency_proof, inclusion_proof, root_at
from squads.ledger.statement import pae

VECTORS = Path(__file__).parents[2] / "data" / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


def holds(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except Malformed:
        return False
    return True


def proof_in(vector: dict[str, Any]) -> list[bytes]:
    return [b64decode(step) for step in vector["proof"] or []]


# RFC 6962 ----------------------------------------------------------------------------------------------------


def test_the_inclusion_vectors_come_out_as_published():
    """Six that hold, and ninety-two changed ones that do not."""
    found = {
        vector["file"]: holds(
            check_inclusion,
            b64decode(vector["leafHash"]),
            vector["leafIdx"],
            vector["treeSize"],
            b64decode(vector["root"] or ""),
            proof_in(vector),
        )
        for vector in vectors("merkle_inclusion.json")
    }

    assert {vector["file"]: not vector["wantErr"] for vector in vectors("merkle_inclusion.json")} == found
    assert Counter(found.values()) == {True: 6, False: 92}


def test_the_consistency_vectors_come_out_as_published():
    """Five that hold, and ninety-two that do not, among them growth from nothing.

    One more compares two equal texts of twelve bytes as roots and calls it proven; here a root is a hash, or refused.
    """
    found = {
        vector["file"]: holds(
            check_consistency,
            vector["size1"],
            b64decode(vector["root1"] or ""),
            vector["size2"],
            b64decode(vector["root2"] or ""),
            proof_in(vector),
        )
        for vector in vectors("merkle_consistency.json")
    }

    expected = {vector["file"]: not vector["wantErr"] for vector in vectors("merkle_consistency.json")}
    assert expected | {"additional/sizes-are-equal-one-and-proof-is-empty": False} == found
    assert Counter(found.values()) == {True: 5, False: 93}


# C2SP notes and checkpoints ----------------------------------------------------------------------------------

TESSERA_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def tessera_leaves() -> list[bytes]:
    """The entries of the log's bundle: each behind its length in two bytes."""
    bundle, leaves = bytes.fromhex(vectors("tessera_log.json")["entry_bundle_hex"]), []
    while bundle:
        end = 2 + int.from_bytes(bundle[:2], "big")
        leaves.append(bundle[2:end])
        bundle = bundle[end:]
    return leaves


def test_checkpoints_that_go_signed_verify_over_our_tree():
    """Fifteen entries of a Tessera log: at every size, our root is the one that was signed."""
    vkey, edge = parse_vkey(TESSERA_VKEY), Edge()
    for size, note in enumerate(vectors("tessera_log.json")["checkpoints"]):
        signed = verify_checkpoint(note, vkey)

        assert (size, edge.root()) == (signed.size, signed.root)
        edge.extend(map(leaf_hash, tessera_leaves()[size : size + 1]))


def test_our_leaf_hashes_are_its_tile():
    """Level 0 of the tree as tlog-tiles stores it, byte by byte."""
    tile = bytes.fromhex(vectors("tessera_log.json")["leaf_hashes_tile_hex"])

    assert tile == b"".join(map(leaf_hash, tessera_leaves()))


def test_our_proofs_lead_to_roots_that_go_signed():
    """Every leaf under every signed checkpoint, and every one of them grown out of every older one."""
    hashes = [leaf_hash(leaf) for leaf in tessera_leaves()]
    stored = {(level, index): digest for level, index, digest in Edge().extend(hashes)}
    stored |= {(0, index): digest for index, digest in enumerate(hashes)}
    signed = [parse_checkpoint(note) for note in vectors("tessera_log.json")["checkpoints"]]

    def node(level: int, index: int) -> bytes | None:
        return stored.get((level, index))

    for new in signed[1:]:
        assert new.root == root_at(new.size, node)
        for index in range(new.size):
            check_inclusion(hashes[index], index, new.size, new.root, inclusion_proof(index, new.size, node))
        for old in signed[1 : new.size + 1]:
            check_consistency(old.size, old.root, new.size, new.root, consistency_proof(old.size, new.size, node))


def test_the_notes_of_c2sp_are_read():
    """The examples of signed-note and tlog-checkpoint; the one whose key is published verifies."""
    signed = (
        "This is an example message.\n\n"
        "— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    poem = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
        "— quasimodo.example/salvatore "
        "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    checkpoint = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa "
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    vkey = parse_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")

    assert verify_note(signed, vkey) == "This is an example message.\n"
    assert parse_note(poem).text.endswith("sole:\n\ned è subito sera.\n")
    assert parse_checkpoint(checkpoint)[:2] == ("example.com/behind-the-sofa", 20852163)


# DSSE --------------------------------------------------------------------------------------------------------


def test_the_example_of_dsse_verifies_over_our_encoding():
    """The published bytes, and the published ECDSA signature over what `pae` gives for them."""
    signed = pae("http://example.com/HelloWorld", b"hello world")
    raw = b64decode("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==")
    key = ec.EllipticCurvePublicNumbers(
        46950820868899156662930047687818585632848591499744589407958293238635476079160,
        5640078356564379163099075877009565129882514886557779369047442380624545832820,
        ec.SECP256R1(),
    ).public_key()
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    assert signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    key.verify(signature, signed, ec.ECDSA(SHA256()))


# Ed25519 -----------------------------------------------------------------------------------------------------

RFC_8032 = {
    "TEST 1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        sha512(b"abc").digest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}


@pytest.mark.parametrize("name", RFC_8032)
def test_the_signatures_of_rfc_8032_are_made_and_verified(name):
    """Ed25519 is deterministic: the secret key gives the published signature, byte by byte."""
    secret, public, message, signature = RFC_8032[name]
    signer = InProcessSigner(bytes.fromhex(secret))

    assert (public, signature) == (signer.public_key.hex(), signer.sign(message).hex())
    assert verify_signature(bytes.fromhex(public), bytes.fromhex(signature), message)
    assert not verify_signature(bytes.fromhex(public), bytes.fromhex(signature), message + b"\0")
    check_public_key(bytes.fromhex(public))


def test_the_signatures_of_wycheproof_come_out_as_published():
    """All 151: 88 are valid, and 63 were truncated, lengthened, malleated or made for something else."""
    found = {
        number: verify_signature(bytes.fromhex(key), bytes.fromhex(signature), bytes.fromhex(message))
        for number, key, message, signature, _, _ in vectors("wycheproof_ed25519.json")
    }

    expected = {number: outcome == "valid" for number, _, _, _, outcome, _ in vectors("wycheproof_ed25519.json")}
    assert expected == found
    assert Counter(found.values()) == {True: 88, False: 63}


def test_which_edge_cases_of_ed25519_are_accepted_is_pinned():
    """Implementations differ on these, so one rule is stated: that of OpenSSL, with low-order keys refused before.

    `verify_signature` is cofactorless: what only holds times the cofactor, or has R in another encoding, is refused.
    `check_public_key` refuses every key of low order, in any encoding, before it is ever registered.
    """
    accepted: Counter[str] = Counter()
    for number, key, signature, message, flags in vectors("cctv_ed25519.json"):
        public = bytes.fromhex(key)
        verifies = verify_signature(public, bytes.fromhex(signature), message.encode())
        registered = holds(check_public_key, public)
        accepted.update(verifies=verifies, registered=registered, both=verifies and registered, all=1)

        assert verifies is {"low_order_residue", "non_canonical_R"}.isdisjoint(flags), number
        assert registered is {"low_order_A", "non_canonical_A"}.isdisjoint(flags), number
    assert accepted == {"all": 189, "verifies": 54, "registered": 68, "both": 14}
