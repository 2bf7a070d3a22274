import asyncio
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lobby.handshake import HandshakeError, Lobby
from lobby.keys import KeyRing

OLD, NEW = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def join(token, seats=8):
    async def scenario():
        lobby = Lobby(KeyRing(OLD.public_key()), seats)
        await lobby.ring.rotate(NEW.public_key())
        return await lobby.join({"token": token})

    return asyncio.run(scenario())


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_both_keys_work_after_a_rotation(key):
    assert "ada" == join(jwt.encode({"sub": "ada", "aud": "lobby", "exp": time.time() + 60}, key, "EdDSA"))


def test_expired_tokens_do_not():
    with pytest.raises(HandshakeError):
        join(jwt.encode({"sub": "ada", "aud": "lobby", "exp": 9}, NEW, "EdDSA"))


def test_a_full_lobby_takes_nobody():
    with pytest.raises(HandshakeError):
        join("", seats=0)
