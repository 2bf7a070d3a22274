import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from release.signing import check, sign

SEED = bytes.fromhex("7524628892fbc38d0d81985d2011c90b0a70697b7411ac5e75b6063ec289fd45")


@pytest.fixture(autouse=True)
def key(monkeypatch, tmp_path):
    pem = Ed25519PrivateKey.from_private_bytes(SEED).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    monkeypatch.setenv("RELEASE_KEY_FILE", str(tmp_path / "key.pem"))


def test_a_signed_image_is_installed():
    assert "2.0" == check(b"image", sign(b"image", "2.0"))


def test_another_image_is_not():
    with pytest.raises(ValueError):
        check(b"other", sign(b"image", "2.0"))
