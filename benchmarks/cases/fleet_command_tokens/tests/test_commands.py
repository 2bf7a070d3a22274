import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fleet.commands import Command, CommandRejected, CommandVerifier

KEY = rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def token(key=KEY, **changes):
    return jwt.encode({"sub": "ada", "action": "lock", "exp": int(time.time()) + 60, **changes}, key, "RS256")


def test_a_command_is_read():
    assert Command("ada", "lock") == CommandVerifier(PUBLIC).command(token())


def test_another_key_is_rejected():
    with pytest.raises(CommandRejected):
        CommandVerifier(PUBLIC).command(token(rsa.generate_private_key(65537, 2048)))


@pytest.mark.parametrize("given", ["", "a.b", "!.!.!"])
def test_garbage_is_rejected(given):
    with pytest.raises(CommandRejected):
        CommandVerifier(PUBLIC).command(given)


def test_old_commands_are_rejected():
    with pytest.raises(CommandRejected):
        CommandVerifier(PUBLIC).command(token(exp=5))
